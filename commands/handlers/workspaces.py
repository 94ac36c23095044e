"""Workspaces: claiming one by a code that whoever runs lapsebot made, and narrowing one to some clients (X-11)."""

from dataclasses import replace

from commands.auditing import Actor, entry
from commands.command import Asker, Services
from commands.errors import CommandError
from commands.handlers.asked import Asked
from commands.handlers.naming import clients_meant
from commands.handlers.roles import ROLE_NAMES
from commands.ids import ClientId, IdentityId, OrganizationId, PersonId, WorkspaceId, new_id, to_wire
from commands.messages import (
    Bold,
    Code,
    Mark,
    Message,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Identity, Organization, Person, Role, Workspace
from commands.parsing import Arguments, parse_claim
from commands.ports.chat import ChatUser, CommandRequest, Place
from commands.ports.storage import UnitOfWork
from commands.secret import hashed
from commands.usage import CLAIM, LAPSED, SUBSCRIBE
from commands.wording import listed, named, shown


def claim_code_hash(code: str) -> bytes:
    """What is stored of a claim code; the same for making one and for using it."""
    return hashed(code.strip())


def unclaimed(form: Arguments | None) -> Message:
    """The only answer that an unclaimed workspace gives."""
    typed = CLAIM.code(form) if form is not None else Code(CLAIM.words)
    return Message(
        (
            text("This workspace is not set up yet. Whoever runs lapsebot can make you a code for it."),
            text("Then type ", typed, " here."),
        )
    )


async def claim(services: Services, request: CommandRequest) -> Message:
    """Give the request's unclaimed workspace to the organization of the code; the asker may be unknown.

    The platform itself vouches for who typed it, so that the claimant's account is linked at once.
    """
    now, user, place = services.clock.now(), request.user, request.place
    code = parse_claim(request.arguments)
    standing = await services.storage.directory.standing(
        platform=user.platform, workspace=None, tenant=user.tenant, user=user.external_id
    )
    # One transaction: whatever is refused below, the code can still be used. Guessing needs no limit: a code has 96
    # random bits and lives 15 minutes.
    async with services.storage.transaction() as uow:
        organization_id = await uow.organizations.use_claim_code(claim_code_hash(code), now)
        if organization_id is None:
            raise CommandError(
                "This code is not valid. A code works once, within 15 minutes; whoever runs lapsebot can make a new "
                "one."
            )
        known = next((member.person for member in standing.members if member.organization.id == organization_id), None)
        organization = await uow.organizations.get(organization_id)
        if not await uow.organizations.add_workspace(_workspace(services, organization_id, user, place)):
            raise CommandError("Somebody claimed this workspace a moment ago.")
        person = known or await _add_claimant(uow, services, organization_id, user)
        origin = f"{user.platform} {user.tenant}/{user.external_id}"
        by = Actor(organization_id=organization_id, person_id=person.id, origin=origin)
        detail = {"role": person.role, "person": to_wire(person.id)}
        await uow.audit.write(entry(by, now, "workspace.claimed", f"{user.platform} {place.workspace}", **detail))
    return _welcome(organization, person, request.arguments)


async def claim_again(services: Services, asker: Asker, asked: Asked) -> Message:
    """Answer `/lapse-admin claim` in a workspace that has been claimed: it cannot be claimed twice."""
    if asker.place.workspace is None:
        raise CommandError("Type this in the workspace that you want to claim, not in a direct message.")
    return Message((text("This workspace already belongs to ", Bold(named(asker.organization.name)), "."),))


async def workspace(services: Services, asker: Asker, asked: Asked) -> Message:
    """`/lapse-admin workspace NAMES`, or `all`: the clients that are spoken of here, whoever asks."""
    place = asker.place.workspace
    if place is None:
        raise CommandError("Type this in the workspace that it is for, not in a direct message.")
    names = asked.get("clients")
    async with services.storage.transaction() as uow:
        here = next(
            (
                one
                for one in await uow.organizations.workspaces(asker.organization_id)
                if (one.platform, one.external_id) == (asker.user.platform, place)
            ),
            None,
        )
        if here is None:
            raise CommandError("This place is not one of your organization's workspaces.")
        known = await uow.clients.all(asker.organization_id)
        if names is None:
            raise asked.refused(f"Here {_narrowed(here, {client.id: client.name for client in known})}. Which clients?")
        whole = replace(asker, person=replace(asker.person, within=None))  # to widen it, all can be named
        chosen = None if names.casefold() == "all" else await clients_meant(uow, whole, asked, names)
        changed = replace(here, client_ids=None if chosen is None else frozenset(chosen.values()))
        said = _narrowed(changed, {client.id: client.name for client in known})
        if changed == here:
            raise CommandError(f"Here {said} already; nothing changed.")
        await uow.organizations.update_workspace(changed)
        detail = {"clients": ", ".join(chosen) if chosen is not None else "all", "workspace": shown(here.name)}
        subject = f"{here.platform} {here.external_id}"
        await uow.audit.write(entry(asker, services.clock.now(), "workspace.narrowed", subject, **detail))
    return Message((text(f"{Mark.GOOD} From now on, here {said}: in channels, and in what anybody asks."),), Tone.GOOD)


def _narrowed(here: Workspace, clients: dict[ClientId, str]) -> str:
    if here.client_ids is None:
        return "all clients are spoken of"
    names = sorted(shown(clients[client_id]) for client_id in here.client_ids if client_id in clients)
    return f"only client {listed(names)} is spoken of" if len(names) == 1 else f"only {listed(names)} are spoken of"


def _workspace(services: Services, organization_id: OrganizationId, user: ChatUser, place: Place) -> Workspace:
    return Workspace(
        id=WorkspaceId(new_id(services.clock.now())),
        organization_id=organization_id,
        platform=user.platform,
        external_id=place.workspace or "",
        name=shown(place.workspace_name),
    )


async def _add_claimant(uow: UnitOfWork, services: Services, organization_id: OrganizationId, user: ChatUser) -> Person:
    """Make the claimant a person: the primary administrator if there is none yet, else an administrator."""
    now = services.clock.now()
    there = await uow.people.administrators(organization_id)
    has_primary = any(person.role is Role.PRIMARY_ADMINISTRATOR for person in there)
    person = Person(
        id=PersonId(new_id(now)),
        organization_id=organization_id,
        name=shown(user.name) or "Administrator",
        email=None,
        role=Role.ADMINISTRATOR if has_primary else Role.PRIMARY_ADMINISTRATOR,
    )
    await uow.people.add(person)
    linked = await uow.people.link(
        Identity(
            id=IdentityId(new_id(now)),
            organization_id=organization_id,
            person_id=person.id,
            platform=user.platform,
            tenant=user.tenant,
            user=user.external_id,
            linked_at=now,
        )
    )
    if not linked:  # to somebody who left: those are in no standing
        raise CommandError(
            "Your chat account belongs to somebody who has left here, so the workspace was not claimed and the code "
            "still works. Let somebody else claim it."
        )
    return person


def _welcome(organization: Organization, person: Person, form: Arguments) -> Message:
    return Message(
        (
            text(
                f"{Mark.GOOD} This workspace belongs to ",
                Bold(shown(organization.name)),
                f" now. You are its {ROLE_NAMES[person.role]}.",
            ),
            Text(
                line(
                    "Next: ",
                    LAPSED.examples[0].code(form),
                    " shows what needs connecting; ",
                    SUBSCRIBE.examples[0].code(form),
                    " tells you of every lapse.",
                )
            ),
        ),
        Tone.GOOD,
    )
