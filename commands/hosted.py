"""Connections that the host product holds: they are mended on its own page, where this sends people."""

from urllib.parse import quote

from commands.auditing import Actor, entry
from commands.command import Services
from commands.ids import to_wire
from commands.linking import origin_of
from commands.model import Connection, Person
from commands.ports.network import OwnPage
from commands.ports.reconnecting import Link, Session
from commands.reconnect import Reconnecting
from commands.rehearsal import MAY_START, Rehearsal


def address_of(own: OwnPage, connection: Connection) -> str:
    """The host product's page for one connection. The host is the declaration's; only what follows it is filled in."""
    return own.reconnect_url.format_map(
        {"connection_id": to_wire(connection.id), "account_id": quote(connection.account_id, safe="")}
    )


async def sent_on(services: Services, link: Link, person: Person, session: Session) -> str | Rehearsal | None:
    """Where the person goes on to; it is written down that they did. What may be done is asked anew.

    A Rehearsal says why they go nowhere, None that the link leads nowhere.
    """
    rehearsal = await Reconnecting(services).look(link, person)
    if rehearsal is None or rehearsal.spec is None or rehearsal.spec.own_page is None:
        return rehearsal
    if rehearsal.offer not in MAY_START:
        return rehearsal
    connection = rehearsal.view.connection
    async with services.storage.transaction() as uow:
        by = Actor(organization_id=person.organization_id, person_id=person.id, origin=origin_of(session))
        subject, product = f"connection {to_wire(connection.id)}", rehearsal.spec.own_page.product
        await uow.audit.write(entry(by, services.clock.now(), "reconnect.sent_on", subject, to=product))
    return address_of(rehearsal.spec.own_page, connection)
