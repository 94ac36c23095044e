"""Accounts of an operator's own networks, read with a key or kept by the host product."""

from commands.ids import AuthorizationId, ConnectionId, LapseId, new_id
from commands.model import (
    Authorization,
    Connection,
    ConnectionState,
    Evidence,
    Lapse,
    Tokens,
    Verdict,
)
from commands.ports.network import Network
from commands.secret import Secret
from tests.web.browser import Browser, Page
from tests.web.rig import Rig

OLD = '{"region":"eu","key":"lm_0old"}'


async def account(
    rig: Rig,
    network: Network,
    account_id: str,
    *,
    name: str = "Acme Letters",
    state: ConnectionState = ConnectionState.LAPSED,
    client: str | None = None,
    connector: str = "Ana Ruiz",
) -> ConnectionId:
    """An account of an own network: read with a key of its own, where it is not kept by the host product."""
    now, authorization_id = rig.clock.now(), None
    if network.spec.key_form is not None and state is not ConnectionState.UNCONNECTED:
        authorization_id = AuthorizationId(new_id(now))
        authorization = Authorization(
            id=authorization_id,
            organization_id=rig.organization_id,
            network=network.spec.slug,
            subject_id=account_id,
            subject_name=name,
            connector_id=rig.people[connector].id,
            granted=frozenset(),
            obtained_at=now,
        )
        async with rig.storage.transaction() as uow:
            await uow.authorizations.add(authorization, Tokens(access=Secret(OLD)))
    connection = Connection(
        id=ConnectionId(new_id(now)),
        organization_id=rig.organization_id,
        client_id=await rig.client(client) if client else rig.client_id,
        network=network.spec.slug,
        account_id=account_id,
        account_name=name,
        state=state,
        authorization_id=authorization_id,
        connector_id=rig.people[connector].id,
    )
    async with rig.storage.transaction() as uow:
        await uow.connections.add(connection)
        if state is ConnectionState.LAPSED:
            lapse = Lapse(
                id=LapseId(new_id(now)),
                organization_id=rig.organization_id,
                connection_id=connection.id,
                authorization_id=authorization_id,
                cause=Verdict.REVOKED if authorization_id else Verdict.REPORTED,
                evidence=Evidence(check="key"),
                last_good_at=None,
                opened_at=now,
            )
            await uow.lapses.open(lapse)
    return connection.id


async def enter(browser: Browser, path: str, key: str, region: str = "eu", **more: str) -> Page:
    """Fill the form in and send it."""
    page = await browser.get(path)
    return await browser.submit(page, f"{path}/key", field_key=key, field_region=region, **more)


async def stored(rig: Rig, connection_id: ConnectionId) -> str:
    """What is stored to read a connection with."""
    connection = await rig.connection(connection_id)
    assert connection.authorization_id is not None
    async with rig.storage.reading() as uow:
        tokens = await uow.authorizations.tokens(rig.organization_id, connection.authorization_id)
    return tokens.access.reveal()
