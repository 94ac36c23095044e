"""Every way to do each act that the access table speaks of: by a button and by a command, and whether it did it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from commands import actions
from commands.access import Act
from commands.handlers.role_form import as_drawn
from commands.ids import AuthorizationId, ConnectionId, LapseId, new_id
from commands.messages import ActionRef, FieldErrors, Form, LinkButton, Message
from commands.model import (
    Authorization,
    Claim,
    Connection,
    ConnectionState,
    Evidence,
    Parent,
    Tokens,
    Verdict,
)
from commands.ports.chat import ActionRequest
from commands.secret import Secret
from tests.commands.plain import plain
from tests.commands.world import HERE, World
from tests.support import seed
from tests.support.buttons import all_buttons


@dataclass
class Account:
    """An account of the table, of its own login, so that what is done to one touches no other."""

    connection_id: ConnectionId
    lapse_id: LapseId
    number: str


async def lapsed_account(world: World, number: int) -> Account:
    now = world.clock.now()
    authorization = Authorization(
        id=AuthorizationId(new_id(now)),
        organization_id=world.organization.id,
        network="tiktok",
        subject_id=f"login-{number}",
        subject_name="Ana Ruiz",
        connector_id=world.people["ana"].id,
        granted=frozenset({"read"}),
        obtained_at=now - timedelta(days=9),
    )
    connection = Connection(
        id=ConnectionId(new_id(now)),
        organization_id=world.organization.id,
        client_id=world.clients["Acme"],
        network="tiktok",
        account_id=f"9000{number}",
        account_name=f"Acme Table {number}",
        state=ConnectionState.ACTIVE,
        authorization_id=authorization.id,
        connector_id=world.people["ana"].id,
        owner_id=world.people["olga"].id,
    )
    async with world.storage.transaction() as uow:
        await uow.authorizations.add(authorization, Tokens(access=Secret("t")))
        assert await uow.connections.add(connection)
    lapse, _ = await seed.lapse(world.storage, connection, now - timedelta(hours=3), Verdict.REVOKED)
    return Account(connection.id, lapse.id, connection.account_id)


async def written(world: World) -> set[str]:
    """The kinds of changes that stand in the audit log."""
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=1000)
    return {f"{entry.action} {entry.subject} {entry.actor_id} {dict(entry.detail)}" for entry in entries}


Way = Callable[[World, str, Account], Awaitable[bool]]
"""Tries something as a user; says whether it was done."""


def changes(action: str, attempt: Callable[[World, str, Account], Awaitable[object]]) -> Way:
    """It was done if an entry of this kind, by this user, is new in the audit log; else nothing at all may be new."""

    async def way(world: World, who: str, account: Account) -> bool:
        before = await written(world)
        await attempt(world, who, account)
        new = await written(world) - before
        person = world.people.get(who)
        done = any(entry.startswith(f"{action} ") and person and str(person.id) in entry for entry in new)
        assert done or not new, new
        return done

    return way


def shows(attempt: Callable[[World, str, Account], Awaitable[Message]]) -> Way:
    """It was done if the answer names the account."""

    async def way(world: World, who: str, account: Account) -> bool:
        return f"Acme Table {account.number.removeprefix('9000')}" in plain(await attempt(world, who, account))

    return way


def button(make: Callable[[ConnectionId], ActionRef]) -> Callable[[World, str, Account], Awaitable[Message]]:
    return lambda world, who, account: world.pressed(who, make(account.connection_id))


def on_lapse(make: Callable[[LapseId], ActionRef]) -> Callable[[World, str, Account], Awaitable[Message]]:
    return lambda world, who, account: world.pressed(who, make(account.lapse_id))


def types(command: str, words: str) -> Callable[[World, str, Account], Awaitable[Message]]:
    return lambda world, who, account: world.typed(who, command, words.format(id=account.number))


def sends(
    make: Callable[[LapseId], ActionRef], **values: str
) -> Callable[[World, str, Account], Awaitable[Message | FieldErrors]]:
    filled: dict[str, tuple[str, ...]] = {name: (value,) for name, value in values.items()}
    return lambda world, who, account: world.sent_off(who, make(account.lapse_id), filled)


def opens(make: Callable[[Account], ActionRef]) -> Way:
    """It was done if a form opened."""

    async def way(world: World, who: str, account: Account) -> bool:
        request = ActionRequest(token=make(account).encode(), user=world.user(who), place=HERE)
        return isinstance(await world.dispatcher.form(request), Form)

    return way


async def links(world: World, who: str, account: Account, attempt: Message) -> bool:
    return any(isinstance(each, LinkButton) and "/r/" in each.url for each in all_buttons(attempt))


async def reconnects_by_button(world: World, who: str, account: Account) -> bool:
    return await links(world, who, account, await world.pressed(who, actions.reconnect_action(account.connection_id)))


async def reconnects_by_command(world: World, who: str, account: Account) -> bool:
    return await links(world, who, account, await world.typed(who, "reconnect", account.number))


async def checks(world: World, who: str, attempt: Awaitable[Message]) -> bool:
    before = len(world.checker.asked)
    await attempt
    return len(world.checker.asked) > before


async def releases_kims(world: World, who: str, account: Account) -> object:
    async with world.storage.transaction() as uow:
        claim = Claim(person_id=world.people["kim"].id, until=world.clock.now() + timedelta(hours=5))
        await uow.lapses.claim(world.organization.id, [account.lapse_id], claim)
    return await world.pressed(who, actions.release_action(account.lapse_id))


def labelled(command: str, words: str, label: str) -> Way:
    """It was done if the answer offers this button."""

    async def way(world: World, who: str, account: Account) -> bool:
        message = await world.typed(who, command, words.format(id=account.number))
        return any(each.label == label for each in all_buttons(message))

    return way


def answers(words: str, sign: str) -> Way:
    """It was done if the administrator's command answers with this."""

    async def way(world: World, who: str, account: Account) -> bool:
        return sign in plain(await world.typed(who, "lapse-admin", words.format(id=account.number)))

    return way


def turned(which: str, sign: str) -> Way:
    async def way(world: World, who: str, account: Account) -> bool:
        action = actions.admin_list_action(which, 0)
        assert action is not None
        return sign in plain(await world.pressed(who, action))

    return way


async def accepts_a_move(world: World, who: str, account: Account) -> Message:
    async with world.storage.transaction() as uow:
        lapse = await uow.lapses.get(world.organization.id, account.lapse_id)
        assert lapse is not None
        evidence = Evidence(check="fake", moved_to=Parent(id="8002", name="Brio Holding"))
        await uow.lapses.update_cause(replace(lapse, cause=Verdict.ACCOUNT_MOVED, evidence=evidence))
    return await world.pressed(who, actions.accept_move_confirmed_action(account.connection_id, "8002"))


BUTTONS: dict[str, tuple[Act, Way]] = {
    "details": (Act.SEE, shows(button(actions.details_action))),
    "history": (Act.SEE, shows(button(actions.history_action))),
    "who can": (Act.SEE, shows(button(actions.who_can_action))),
    "retire asks": (Act.SEE, shows(button(actions.retire_action))),
    "reconnect": (Act.RECONNECT, reconnects_by_button),
    "check": (
        Act.CHECK,
        lambda world, who, account: checks(world, who, world.pressed(who, actions.check_action(account.connection_id))),
    ),
    "claim": (Act.CLAIM, changes("lapse.claimed", on_lapse(actions.claim_action))),
    "release": (Act.RELEASE_ANOTHERS, changes("lapse.released", releases_kims)),
    "snooze": (Act.SNOOZE, changes("lapse.snoozed", on_lapse(lambda lapse: actions.snooze_action(lapse, 3)))),
    "snooze asks": (Act.SNOOZE, shows(on_lapse(actions.snooze_choice_action))),
    "not mine": (Act.SNOOZE, changes("lapse.not_mine", on_lapse(actions.not_mine_action))),
    "note's form": (Act.NOTE, opens(lambda account: actions.note_action(account.lapse_id))),
    "note": (Act.NOTE, changes("lapse.noted", sends(actions.note_action, note="Waiting for Bo"))),
    "nudge": (Act.NUDGE, changes("lapse.nudged", on_lapse(actions.nudge_action))),
    "retire": (Act.RETIRE, changes("connection.retired", button(actions.retire_confirmed_action))),
    "accept a move": (Act.ACCEPT_MOVE, changes("connection.move_accepted", accepts_a_move)),
    "assign's form": (Act.ASSIGN, opens(lambda account: actions.assign_action(account.lapse_id))),
    "assign": (Act.ASSIGN, changes("lapse.assigned", sends(actions.assign_action, person="@U-kim"))),
    "send link": (
        Act.ADMINISTER,
        changes(
            "personal_link.sent",
            lambda world, who, _: world.pressed(who, actions.send_link_action(world.people["olga"].id)),
        ),
    ),
    "copy link": (
        Act.ADMINISTER,
        changes(
            "personal_link.copied",
            lambda world, who, _: world.pressed(who, actions.copy_link_action(world.people["olga"].id)),
        ),
    ),
    "role": (
        Act.ADMINISTER,
        changes(
            "person.changed",
            lambda world, who, _: world.sent_off(
                who,
                actions.role_action(world.people["kim"].id, as_drawn(world.people["kim"])),
                {"role": ("owner",), "clients": (), "copies": ()},
            ),
        ),
    ),
    "add owner's form": (Act.ADMINISTER, opens(lambda _: ActionRef(actions.ADD_OWNER))),
    "add owner": (
        Act.ADMINISTER,
        changes(
            "person.added",
            lambda world, who, _: world.sent_off(
                who, ActionRef(actions.ADD_OWNER), {"name": ("New Owner",), "email": ("new@example.com",)}
            ),
        ),
    ),
    "people": (Act.ADMINISTER, turned("people", "what depends on their logins")),
    "audit": (Act.ADMINISTER, turned("audit", "Changes")),
    "channels": (Act.ADMINISTER, turned("channels", "No channel hears")),
    "owners": (Act.ADMINISTER_HERE, turned("owners", "own")),
}


COMMANDS: dict[str, tuple[Act, Way]] = {
    "/lapsed who": (Act.SEE, shows(types("lapsed", "who {id}"))),
    "/lapsed history": (Act.SEE, shows(types("lapsed", "history {id}"))),
    "/lapsed who-can": (Act.SEE, shows(types("lapsed", "who-can {id}"))),
    "/lapsed": (Act.SEE, shows(types("lapsed", "{id}"))),
    "/reconnect": (Act.RECONNECT, reconnects_by_command),
    "/lapsed check": (
        Act.CHECK,
        lambda world, who, account: checks(world, who, world.typed(who, "lapsed", f"check {account.number}")),
    ),
    "/lapse-admin retire": (Act.RETIRE, labelled("lapse-admin", "retire {id}", "Yes, retire it")),
    "/lapse-admin assign": (Act.ASSIGN, changes("lapse.assigned", types("lapse-admin", "assign {id} to kim"))),
    "/lapse-admin transfer": (
        Act.TRANSFER,
        changes("connection.transferred", types("lapse-admin", "transfer {id} to kim")),
    ),
    "/lapse-admin owners": (Act.ADMINISTER_HERE, answers("owners", "own")),
    "/lapse-admin help": (Act.ADMINISTER_HERE, answers("help", "For administrators")),
    "/lapse-admin people": (Act.ADMINISTER, answers("people", "what depends on their logins")),
    "/lapse-admin settings": (Act.ADMINISTER, answers("settings", "Settings of")),
    "/lapse-admin audit": (Act.ADMINISTER, answers("audit", "Changes")),
    "/lapse-admin channels": (Act.ADMINISTER, answers("channels", "No channel hears")),
    "/lapse-admin add-owner": (
        Act.ADMINISTER,
        changes("person.added", types("lapse-admin", "add-owner A B a@b.example")),
    ),
    "/lapse-admin send-link": (Act.ADMINISTER, changes("personal_link.sent", types("lapse-admin", "send-link olga"))),
    "/lapse-admin role": (Act.ADMINISTER, changes("person.changed", types("lapse-admin", "role otto staff"))),
    "/lapse-admin clients": (Act.ADMINISTER, changes("person.changed", types("lapse-admin", "clients bea Acme"))),
    "/lapse-admin copies": (Act.ADMINISTER, changes("person.changed", types("lapse-admin", "copies max off"))),
    "/lapse-admin reminders": (Act.ADMINISTER, changes("rules.changed", types("lapse-admin", "reminders 3,9"))),
    "/lapse-admin warnings": (Act.ADMINISTER, changes("rules.changed", types("lapse-admin", "warnings 9,3"))),
    "/lapse-admin grouping": (
        Act.ADMINISTER,
        changes("rules.changed", types("lapse-admin", "grouping tiktok summary")),
    ),
    "/lapse-admin hours": (Act.ADMINISTER, changes("hours.changed", types("lapse-admin", "hours mon-fri 8-17"))),
    "/lapse-admin link": (Act.ADMINISTER, changes("identity_link.made", types("lapse-admin", "link otto"))),
    "/lapse-admin unlink": (Act.ADMINISTER, changes("chat account unlinked", types("lapse-admin", "unlink bea"))),
    "/lapse-admin drill": (Act.ADMINISTER, changes("drill.started", types("lapse-admin", "drill all"))),
    "/lapse-admin leaves": (Act.ADMINISTER, changes("person.left", types("lapse-admin", "leaves kim"))),
}
