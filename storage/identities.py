"""Proved chat accounts: what became of them, and how one is forgotten."""

from datetime import datetime

from sqlalchemy import and_, bindparam, delete, or_, select, update

from commands.ids import IdentityId, OrganizationId
from commands.model import Identity
from commands.ports.chat import AddressKind
from commands.ports.notices import DeliveryState
from storage.rows import IDENTITY, columns, identity_of, unlinked_values
from storage.tables import OPEN_ATTEMPT, WAITING, attempts, deliveries, identities, people, sessions
from storage.work import Work, in_order, portions

UNLINKED = "unlinked"
"""Why a delivery to an account that is forgotten is suppressed."""

_BY_ACCOUNT = select(*columns(identities, IDENTITY)).where(
    identities.c.platform == bindparam("platform"),
    identities.c.tenant == bindparam("tenant"),
    identities.c.user_id == bindparam("user"),
    identities.c.organization_id == bindparam("organization"),
)


async def identity_by_account(
    work: Work, organization_id: OrganizationId, *, platform: str, tenant: str, user: str
) -> Identity | None:
    """Implements `People.identity`."""
    values = {"organization": organization_id, "platform": platform, "tenant": tenant, "user": user}
    found = await work.row(_BY_ACCOUNT, values)
    return None if found is None else identity_of(found)


async def unlink(work: Work, organization_id: OrganizationId, identity_id: IdentityId) -> bool:
    """Implements `People.unlink`."""
    found = await work.row(
        delete(identities)
        .where(identities.c.organization_id == organization_id, identities.c.id == identity_id)
        .returning(*columns(identities, IDENTITY))
    )
    if found is None:
        return False
    gone = identity_of(found)
    await remember_unlinked(work, gone, add=True)
    await _sign_out(work, gone)
    await work.run(
        update(deliveries)
        .where(
            in_order(
                deliveries,
                WAITING,
                deliveries.c.organization_id == organization_id,
                deliveries.c.platform == gone.platform,
                deliveries.c.tenant == gone.tenant,
                deliveries.c.kind == AddressKind.DIRECT.value,
                deliveries.c.external_id == gone.user,
            )
        )
        .values(state=DeliveryState.SUPPRESSED.value, reason=UNLINKED)
    )
    return True


async def remember_unlinked(work: Work, identity: Identity, *, add: bool) -> None:
    """Note on the person that an account of theirs was unlinked there, or, with `add` False, that one is linked."""
    this = and_(people.c.organization_id == identity.organization_id, people.c.id == identity.person_id)
    found = await work.row(select(people.c.unlinked).where(this).with_for_update(key_share=True))
    before = {(platform, tenant) for platform, tenant in (found[0] if found is not None else None) or ()}
    place = (identity.platform, identity.tenant)
    places = before | {place} if add else before - {place}
    if places != before:
        await work.run(update(people).where(this).values(unlinked=unlinked_values(places)))


async def _sign_out(work: Work, gone: Identity) -> None:
    """End the account's browser sessions, and what was begun in them here."""
    ended = [
        row[0]
        for row in await work.rows(
            delete(sessions)
            .where(
                sessions.c.platform == gone.platform,
                sessions.c.tenant == gone.tenant,
                sessions.c.user_id == gone.user,
            )
            .returning(sessions.c.id)
        )
    ]
    for portion in portions(ended):
        await work.run(
            update(attempts)
            .where(
                OPEN_ATTEMPT,
                attempts.c.organization_id == gone.organization_id,
                attempts.c.session_id.in_(portion),
            )
            .values(closed_at=work.clock.now(), code_verifier=None, found=None)
        )


async def look_again(work: Work, organization_id: OrganizationId, identity_id: IdentityId) -> None:
    """Implements `People.look_again`."""
    await work.run(
        update(identities)
        .where(identities.c.organization_id == organization_id, identities.c.id == identity_id)
        .values(looked_at=None)
    )


async def looked_at(
    work: Work,
    organization_id: OrganizationId,
    identity_id: IdentityId,
    *,
    at: datetime,
    gone: bool,
    time_zone: str | None,
) -> bool:
    """Implements `People.looked_at`. What was seen before something that is known already is left alone."""
    this = and_(identities.c.organization_id == organization_id, identities.c.id == identity_id)
    before = await work.row(
        select(identities.c.gone_at, identities.c.person_id)
        .where(this, or_(identities.c.looked_at.is_(None), identities.c.looked_at <= at))
        .with_for_update(key_share=True)
    )
    if before is None:
        return False
    gone_at, person_id = before
    await work.run(update(identities).where(this).values(looked_at=at, gone_at=(gone_at or at) if gone else None))
    if time_zone is not None:
        await work.run(
            update(people)
            .where(people.c.organization_id == organization_id, people.c.id == person_id, people.c.time_zone.is_(None))
            .values(time_zone=time_zone)
        )
    return gone and gone_at is None
