"""Who may do what: one table of people x acts, walked through `may`, through commands, and through buttons, also those
drawn before a right was taken away (P-1 to P-5).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from commands import actions
from commands.access import Act, may
from commands.handlers.role_form import as_drawn
from commands.ids import AuthorizationId, ConnectionId, LapseId, PersonId, new_id
from commands.messages import ActionRef, FieldErrors, Form, LinkButton, Message
from commands.model import (
    Authorization,
    Claim,
    Connection,
    ConnectionState,
    Evidence,
    Parent,
    Person,
    Role,
    Tokens,
    Verdict,
    Workspace,
)
from commands.plain import all_buttons
from commands.ports.chat import ActionRequest
from commands.secret import Secret
from tests.commands.plain import plain
from tests.commands.world import HERE, World
from tests.support import seed

SEEING = frozenset(
    {
        Act.SEE,
        Act.RECONNECT,
        Act.CHECK,
        Act.CLAIM,
        Act.SNOOZE,
        Act.NOTE,
        Act.NUDGE,
        Act.PROPOSE_RETIREMENT,
    }
)
MENDING = SEEING | {Act.RETIRE}
GIVING = MENDING | {Act.ASSIGN, Act.TRANSFER, Act.ACCEPT_MOVE, Act.RELEASE_ANOTHERS, Act.ADMINISTER_HERE}
EVERYTHING = GIVING | {Act.ADMINISTER}
NOTHING: frozenset[Act] = frozenset()
IN_TABLE = EVERYTHING


@dataclass(frozen=True)
class Somebody:
    """One line of the table: who, what is so of them, and what they may do to Acme's account."""

    user: str
    acts: frozenset[Act]
    workspace_of: str | None = None
    """The client that the workspace is narrowed to."""
    left: bool = False


# The account is Acme's; Ana connected it, Olga owns it.
TABLE = {
    "primary administrator": Somebody("ada", EVERYTHING),
    "administrator": Somebody("max", EVERYTHING),
    "connector": Somebody("ana", MENDING),
    "owner": Somebody("olga", MENDING),
    "deputy of the connector, limited to another client": Somebody("dee", NOTHING),
    "staff of all clients": Somebody("raj", SEEING),
    "staff of its client": Somebody("sam", SEEING),
    "staff of another client": Somebody("bea", NOTHING),
    "owner of something else": Somebody("otto", NOTHING),
    "stranger": Somebody("nobody", NOTHING),
    "connector who left": Somebody("ana", NOTHING, left=True),
    "administrator who left": Somebody("max", NOTHING, left=True),
    "administrator in its client's workspace": Somebody("max", GIVING, workspace_of="Acme"),
    "administrator in another client's workspace": Somebody("max", frozenset({Act.ADMINISTER_HERE}), "Brio"),
    "connector in its client's workspace": Somebody("ana", MENDING, workspace_of="Acme"),
    "connector in another client's workspace": Somebody("ana", NOTHING, workspace_of="Brio"),
}


@dataclass
class Account:
    """An account of the table, of its own login, so that what is done to one touches no other."""

    connection_id: ConnectionId
    lapse_id: LapseId
    number: str


async def staffed(world: World) -> None:
    """Add whom the table needs besides the agency."""
    await world.add_person("Max Holm", Role.ADMINISTRATOR)
    await world.add_person("Dee Fox", Role.STAFF, clients=("Brio",))
    await world.add_person("Bea Moss", Role.STAFF, clients=("Brio",))
    await world.add_person("Otto Pike", Role.OWNER)
    await world.add_person("Kim Vale", Role.STAFF)
    await changed(world, "ana", deputy_id=world.people["dee"].id)


async def changed(world: World, who: str, **changes: object) -> None:
    async with world.storage.transaction() as uow:
        person = await uow.people.get(world.organization.id, world.people[who].id)
        await uow.people.update(replace(person, **changes))  # type: ignore[arg-type]  # a test names the fields


async def narrowed(world: World, client: str) -> None:
    async with world.storage.transaction() as uow:
        here: Workspace = (await uow.organizations.workspaces(world.organization.id))[0]
        await uow.organizations.update_workspace(replace(here, client_ids=frozenset({world.clients[client]})))


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
    "people": (Act.ADMINISTER, turned("people", "what hangs on their logins")),
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
    "/lapse-admin people": (Act.ADMINISTER, answers("people", "what hangs on their logins")),
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
NOBODY_TO_ASK = {("connector", "nudge"), ("connector in its client's workspace", "nudge")}
"""A connector would nudge themselves."""


async def set_up(world: World, somebody: Somebody) -> None:
    await staffed(world)
    if somebody.left:
        await changed(world, somebody.user, left_at=world.clock.now())
    if somebody.workspace_of is not None:
        await narrowed(world, somebody.workspace_of)


def acting(world: World, somebody: Somebody, person: Person) -> Person:
    """The person as they are where they ask."""
    client = somebody.workspace_of
    return replace(person, within=None if client is None else frozenset({world.clients[client]}))


@pytest.mark.behaviour("P-1", "P-2", "P-3", "P-4")
@pytest.mark.parametrize("name", [name for name in TABLE if name != "stranger"])
async def test_the_one_function_says_what_the_table_says(world: World, name: str) -> None:
    somebody = TABLE[name]
    await set_up(world, somebody)
    account = await lapsed_account(world, 1)
    async with world.storage.reading() as uow:
        person = await uow.people.get(world.organization.id, world.people[somebody.user].id)
        view = await uow.connections.view(world.organization.id, account.connection_id)
    who = acting(world, somebody, person)
    assert {act for act in IN_TABLE if may(who, act, view)} == somebody.acts


@pytest.mark.behaviour("P-1", "P-2", "P-3", "P-4", "P-5")
@pytest.mark.parametrize("ways", [COMMANDS, BUTTONS], ids=["commands", "buttons"])
@pytest.mark.parametrize("name", TABLE)
async def test_everybody_can_do_just_what_the_table_says(
    world: World, name: str, ways: dict[str, tuple[Act, Way]]
) -> None:
    somebody = TABLE[name]
    await set_up(world, somebody)
    wrong = []
    for number, (way_name, (act, way)) in enumerate(ways.items(), 1):
        if (name, way_name) in NOBODY_TO_ASK or (
            way_name == "retire" and Act.SEE in somebody.acts and act not in somebody.acts
        ):
            continue  # who may not retire proposes it: a test of its own
        account = await lapsed_account(world, number)
        if await way(world, somebody.user, account) is not (act in somebody.acts):
            wrong.append((way_name, act in somebody.acts))
    assert wrong == []


TAKEN_AWAY: dict[str, tuple[str, Callable[[World], Awaitable[None]], frozenset[Act]]] = {
    "an administrator becomes an owner": ("max", lambda world: changed(world, "max", role=Role.OWNER), NOTHING),
    "an administrator becomes staff": ("max", lambda world: changed(world, "max", role=Role.STAFF), SEEING),
    "staff are limited to another client": (
        "raj",
        lambda world: changed(world, "raj", client_ids=frozenset({world.clients["Brio"]})),
        NOTHING,
    ),
    "staff lose the client": ("sam", lambda world: changed(world, "sam", client_ids=frozenset()), NOTHING),
    "the connector leaves": ("ana", lambda world: changed(world, "ana", left_at=world.clock.now()), NOTHING),
    "the workspace is narrowed to another client": (
        "ada",
        lambda world: narrowed(world, "Brio"),
        frozenset({Act.ADMINISTER_HERE}),
    ),
    "the chat account is unlinked": ("max", lambda world: _unlinked(world, "max"), NOTHING),
}


async def _unlinked(world: World, who: str) -> None:
    person_id: PersonId = world.people[who].id
    async with world.storage.transaction() as uow:
        for identity in (await uow.people.identities(world.organization.id, [person_id]))[person_id]:
            await uow.people.unlink(world.organization.id, identity.id)


@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize("name", TAKEN_AWAY)
async def test_a_button_drawn_before_a_right_was_taken_away_does_nothing_any_more(world: World, name: str) -> None:
    who, take_away, left = TAKEN_AWAY[name]
    await staffed(world)
    accounts = {way_name: await lapsed_account(world, number) for number, way_name in enumerate(BUTTONS, 1)}
    await world.typed(who, "lapsed")  # the buttons are those of this list and its details
    await take_away(world)
    done = set()
    for way_name, (act, way) in BUTTONS.items():
        if act in left:
            continue
        if way_name == "retire" and Act.PROPOSE_RETIREMENT in left:
            continue
        if await way(world, who, accounts[way_name]):
            done.add(way_name)
    assert done == set()


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("who", ["raj", "sam"])
async def test_whoever_may_not_retire_an_account_proposes_it_by_the_same_button(world: World, who: str) -> None:
    await staffed(world)
    account = await lapsed_account(world, 1)
    propose = changes("connection.retirement_proposed", button(actions.retire_confirmed_action))
    assert await propose(world, who, account)
    async with world.storage.reading() as uow:
        connection = await uow.connections.get(world.organization.id, account.connection_id)
    assert connection.state is ConnectionState.LAPSED
