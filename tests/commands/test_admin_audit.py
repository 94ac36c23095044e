"""The audit log: that every change is in it, with who, from where and when; and reading it (A-4)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from commands import actions
from commands.auditing import read_all, read_page
from commands.catalogue import ACTIONS, COMMANDS
from commands.handlers.role_form import as_drawn
from commands.messages import ActionRef, Message
from commands.model import Drill
from commands.ports.auditing import AuditEntry
from commands.ports.reconnecting import PassPurpose
from tests.commands.plain import paging, plain
from tests.commands.test_moves import moved, under_brio
from tests.commands.world import World

pytestmark = pytest.mark.behaviour("A-4")
Doing = Callable[[World], Awaitable[object]]


def types(who: str, command: str, words: str) -> Doing:
    return lambda world: world.typed(who, command, words)


def presses(who: str, action: Callable[[World], ActionRef]) -> Doing:
    return lambda world: world.pressed(who, action(world))


def sends(who: str, action: Callable[[World], ActionRef], **values: str) -> Doing:
    filled: dict[str, tuple[str, ...]] = {name: (value,) for name, value in values.items()}
    return lambda world: world.sent_off(who, action(world), filled)


async def drill(world: World) -> Drill:
    await world.typed("ada", "lapse-admin", "drill all")
    async with world.storage.reading() as uow:
        found = await uow.drills.latest(world.organization.id)
    assert found is not None
    return found


async def answers_drill(world: World) -> object:
    return await world.pressed("olga", actions.drill_answer_action((await drill(world)).id))


async def ends_channel(world: World) -> object:
    await world.typed("raj", "subscribe-lapses", "here all")
    async with world.storage.reading() as uow:
        (there,) = await uow.subscriptions.all(world.organization.id)
    return await world.pressed("ada", actions.end_channel_action(there.id))


async def releases(world: World) -> object:
    await world.pressed("raj", actions.claim_action(world.lapses["Acme DE"]))
    return await world.pressed("raj", actions.release_action(world.lapses["Acme DE"]))


async def accepts(world: World) -> Message:
    await moved(world)
    return await world.pressed("ada", actions.accept_move_confirmed_action(world.connections["Acme DE"], "8002"))


async def asks(world: World) -> Message:
    await moved(world)
    await under_brio(world, "Brio Live")
    return await world.pressed("ada", actions.ask_action(world.lapses["Acme DE"], world.people["raj"].id))


async def withdraws_a_link(world: World) -> Message:
    await world.typed("ada", "lapse-admin", "send-link olga")
    await world.pressed("ada", actions.copy_link_action(world.people["olga"].id))
    async with world.storage.reading() as uow:
        one, *_ = await uow.passes.of(world.organization.id, world.people["olga"].id, PassPurpose.ACCOUNTS)
    return await world.pressed("ada", actions.withdraw_link_action(one.id))


async def copies_off(world: World) -> Message:
    await world.typed("ada", "lapse-admin", "role raj administrator")
    return await world.typed("ada", "lapse-admin", "copies raj off")


CHANGING: dict[str, tuple[str, str, Doing]] = {
    "/subscribe-lapses": ("raj", "subscription.added", types("raj", "subscribe-lapses", "all")),
    "/reconnect": ("ana", "reconnect.offered", types("ana", "reconnect", "Acme DE")),
    "/connect": ("ana", "connect.offered", types("ana", "connect", "tiktok")),
    "/lapse-admin send-link": ("ada", "personal_link.sent", types("ada", "lapse-admin", "send-link olga")),
    "/lapse-admin transfer": ("ada", "connection.transferred", types("ada", "lapse-admin", "transfer Acme DE to raj")),
    "/lapse-admin add-owner": ("ada", "person.added", types("ada", "lapse-admin", "add-owner A B a@b.example")),
    "/lapse-admin role": ("ada", "person.changed", types("ada", "lapse-admin", "role raj owner")),
    "/lapse-admin clients": ("ada", "person.changed", types("ada", "lapse-admin", "clients sam Brio")),
    "/lapse-admin copies": ("ada", "person.changed", copies_off),
    "/lapse-admin assign": ("ada", "lapse.assigned", types("ada", "lapse-admin", "assign Acme DE to raj")),
    "/lapse-admin workspace": ("ada", "workspace.narrowed", types("ada", "lapse-admin", "workspace Acme")),
    "/lapse-admin grouping": ("ada", "rules.changed", types("ada", "lapse-admin", "grouping tiktok summary")),
    "/lapse-admin reminders": ("ada", "rules.changed", types("ada", "lapse-admin", "reminders 3")),
    "/lapse-admin warnings": ("ada", "rules.changed", types("ada", "lapse-admin", "warnings 3")),
    "/lapse-admin hours": ("ada", "hours.changed", types("ada", "lapse-admin", "hours mon-fri 8-17")),
    "/lapse-admin leaves": ("ada", "person.left", types("ada", "lapse-admin", "leaves raj")),
    "/lapse-admin link": ("ada", "identity_link.made", types("ada", "lapse-admin", "link olga")),
    "/lapse-admin unlink": ("ada", "chat account unlinked", types("ada", "lapse-admin", "unlink olga")),
    "/lapse-admin drill": ("ada", "drill.started", types("ada", "lapse-admin", "drill all")),
    actions.RECONNECT: (
        "ana",
        "reconnect.offered",
        presses("ana", lambda world: actions.reconnect_action(world.connections["Acme DE"])),
    ),
    actions.CLAIM: (
        "raj",
        "lapse.claimed",
        presses("raj", lambda world: actions.claim_action(world.lapses["Acme DE"])),
    ),
    actions.RELEASE: ("raj", "lapse.released", releases),
    actions.NUDGE: (
        "raj",
        "lapse.nudged",
        presses("raj", lambda world: actions.nudge_action(world.lapses["Acme DE"])),
    ),
    actions.SNOOZE: (
        "ana",
        "lapse.snoozed",
        presses("ana", lambda world: actions.snooze_action(world.lapses["Acme DE"], 1)),
    ),
    actions.NOT_MINE: (
        "ana",
        "lapse.not_mine",
        presses("ana", lambda world: actions.not_mine_action(world.lapses["Acme DE"])),
    ),
    actions.RETIRE_CONFIRMED: (
        "ana",
        "connection.retired",
        presses("ana", lambda world: actions.retire_confirmed_action(world.connections["Acme DE"])),
    ),
    f"{actions.RETIRE_CONFIRMED} by others": (
        "raj",
        "connection.retirement_proposed",
        presses("raj", lambda world: actions.retire_confirmed_action(world.connections["Acme DE"])),
    ),
    actions.ACCEPT_MOVE_CONFIRMED: ("ada", "connection.move_accepted", accepts),
    actions.ASK: ("ada", "lapse.nudged", asks),
    actions.NOTE: (
        "sam",
        "lapse.noted",
        sends("sam", lambda world: actions.note_action(world.lapses["Acme DE"]), note="Soon"),
    ),
    actions.ASSIGN: (
        "ada",
        "lapse.assigned",
        sends("ada", lambda world: actions.assign_action(world.lapses["Acme DE"]), person="@U-raj"),
    ),
    actions.COPY_LINK: (
        "ada",
        "personal_link.copied",
        presses("ada", lambda world: actions.copy_link_action(world.people["olga"].id)),
    ),
    actions.SEND_LINK: (
        "ada",
        "personal_link.sent",
        presses("ada", lambda world: actions.send_link_action(world.people["olga"].id)),
    ),
    actions.WITHDRAW_LINK: ("ada", "personal_link.withdrawn", withdraws_a_link),
    actions.CALENDAR: ("raj", "calendar.made", presses("raj", lambda _: actions.calendar_action())),
    actions.ROLE: (
        "ada",
        "person.changed",
        sends(
            "ada",
            lambda world: actions.role_action(world.people["raj"].id, as_drawn(world.people["raj"])),
            role="owner",
            copies="on",
        ),
    ),
    actions.ADD_OWNER: (
        "ada",
        "person.added",
        sends("ada", lambda _: ActionRef(actions.ADD_OWNER), name="A B", email="a@b.example"),
    ),
    actions.END_CHANNEL: ("ada", "subscription.ended", ends_channel),
    actions.DRILL_ANSWER: ("olga", "drill.answered", answers_drill),
    actions.SUBSCRIBE: (
        "raj",
        "subscription.added",
        presses("raj", lambda _: actions.subscribe_action("tiktok", None)),
    ),
}
"""Everything that changes something: who does it here, and under which name it is written down."""

READING = {
    "/lapsed",
    "/lapse-admin claim",  # in a workspace that nobody claimed it is written down: tests/commands/test_dispatcher.py
    "/lapse-admin owners",
    "/lapse-admin links",
    "/lapse-admin retire",  # asks; the button acts
    "/lapse-admin channels",
    "/lapse-admin settings",
    "/lapse-admin people",
    "/lapse-admin audit",
    actions.DETAILS,
    actions.CHECK,
    actions.HISTORY,
    actions.HISTORY_PAGE,
    actions.WHO_CAN,
    actions.RETIRE,
    actions.ACCEPT_MOVE,
    actions.SNOOZE_CHOICE,
    actions.LIST,
    actions.RECONNECT_LIST,
    actions.ADMIN_LIST,
}
ELSEWHERE = {
    "/unsubscribe-lapses",
    actions.SUBSCRIBE_FORM,
    actions.RHYTHM_FORM,
    actions.FEEDBACK,
}
"""Changing too; their entries are shown in the tests of subscriptions, rhythms and help."""


def catalogued() -> set[str]:
    commands = {f"/{command.name} {subcommand.name}" for command in COMMANDS for subcommand in command.subcommands} | {
        f"/{command.name}" for command in COMMANDS if not command.subcommands
    }
    return commands | {action.name for action in ACTIONS}


def test_everything_that_can_be_typed_or_pressed_is_known_to_change_something_or_not() -> None:
    assert {name.partition(" by ")[0] for name in CHANGING} | READING | ELSEWHERE == catalogued()


@pytest.mark.parametrize("name", CHANGING)
async def test_every_change_says_who_from_where_and_when(world: World, name: str) -> None:
    who, action, doing = CHANGING[name]
    await doing(world)
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=50)
    written = [entry for entry in entries if entry.action == action]
    assert written, [entry.action for entry in entries]
    for entry in written:
        assert entry.actor_id == world.people[who].id
        assert entry.origin == f"chatter T1/U-{who}"
        assert entry.at == world.clock.now()
        assert entry.subject


@pytest.mark.parametrize(
    ("who", "words"), [("ada", "/lapse-admin owners"), ("ada", "/lapse-admin people"), ("raj", "/lapsed who Acme DE")]
)
async def test_reading_writes_nothing_down(world: World, who: str, words: str) -> None:
    command, _, rest = words.removeprefix("/").partition(" ")
    await world.typed(who, command, rest)
    async with world.storage.reading() as uow:
        assert await uow.audit.latest(world.organization.id, limit=5) == []


async def test_the_log_is_read_in_words_with_names_instead_of_ids(world: World) -> None:
    await world.typed("ada", "lapse-admin", "transfer Acme DE to raj")
    world.clock.advance(timedelta(minutes=1))
    await world.pressed("raj", actions.claim_action(world.lapses["Brio Shop"]))
    said = plain(await world.typed("ada", "lapse-admin", "audit")).splitlines()
    assert said[0] == "*Changes*, the latest first"
    assert said[1].partition(" · ")[2] in (
        "*Raj Patel* · lapse claimed · Brio Shop and Acme DE · chatter T1/U-raj",
        "*Raj Patel* · lapse claimed · Acme DE and Brio Shop · chatter T1/U-raj",
    )
    assert said[2].endswith(
        "*Ada King* · connection transferred · Acme DE · to Raj Patel · was Olga Berg · chatter T1/U-ada"
    )


async def test_one_act_with_many_entries_is_one_line_with_what_they_have_in_common(world: World) -> None:
    for number in range(40):
        await world.add_connection(f"Cato {number}", "tiktok", "Cato")
    await world.typed("ada", "lapse-admin", "transfer client:Cato to raj")
    said = plain(await world.typed("ada", "lapse-admin", "audit")).splitlines()
    assert len(said) == 3
    assert "*Ada King* · connection transferred · Cato " in said[1]
    assert said[1].endswith(" and 38 more · to Raj Patel · chatter T1/U-ada")


async def test_the_log_is_narrowed_by_words_and_by_person(world: World) -> None:
    await world.typed("ada", "lapse-admin", "role raj administrator")
    await world.typed("ada", "lapse-admin", "reminders 3")
    await world.typed("raj", "lapse-admin", "reminders 4")
    by_words = plain(await world.typed("ada", "lapse-admin", "audit RULES"))
    assert by_words.count("rules changed") == 2
    assert "person changed" not in by_words
    by_person = plain(await world.typed("ada", "lapse-admin", "audit @U-raj"))
    assert by_person.startswith("*Changes* by Raj Patel")
    assert by_person.count("· *") == 1
    chosen = {"subcommand": "audit", "person": "raj@example.com", "words": "nothing like it"}
    nothing = plain(await world.typed("ada", "lapse-admin", chosen))
    assert nothing == "Nothing with “nothing like it” by Raj Patel is in the log."


async def _write(world: World, at: datetime, number: int, action: str = "test.written") -> None:
    async with world.storage.transaction() as uow:
        await uow.audit.write(
            AuditEntry(
                organization_id=world.organization.id,
                at=at,
                actor_id=None,
                origin="cli",
                action=action,
                subject=f"number {number}",
            )
        )


async def test_older_entries_are_reached_page_by_page_and_none_is_passed_over(world: World) -> None:
    start = world.clock.now()
    for number in range(60):  # always five at the same time
        await _write(world, start + timedelta(minutes=number // 5), number, f"test.written.{number}")
    seen: list[str] = []
    message = await world.typed("ada", "lapse-admin", "audit test.written")
    for _ in range(20):
        seen += [line.partition("number ")[2] for line in plain(message).splitlines() if "number " in line]
        following = paging(message).following if "older" in plain(message) else None
        if following is None:
            break
        message = await world.pressed("ada", following)
    assert sorted(int(each.partition(" ")[0]) for each in seen) == list(range(60))


async def test_a_page_holds_more_where_more_were_written_together(world: World) -> None:
    now = world.clock.now()
    for number in range(30):
        await _write(world, now, number)
    for number in range(30, 60):
        await _write(world, now - timedelta(minutes=1), number)
    async with world.storage.reading() as uow:
        first = await read_page(uow, world.organization.id, limit=10)
        second = await read_page(uow, world.organization.id, limit=10, before=first.next_before)
    assert (len(first.entries), len(second.entries), second.next_before) == (30, 30, None)


async def test_all_of_it_is_given_since_a_time_without_holding_it(world: World) -> None:
    start = world.clock.now()
    for number in range(40):
        await _write(world, start + timedelta(minutes=number // 3), number)
    organization_id = world.organization.id
    everything = [entry.subject async for entry in read_all(world.storage, organization_id, at_once=7)]
    assert len(everything) == len(set(everything)) == 40
    since = start + timedelta(minutes=10)
    late = [entry.at async for entry in read_all(world.storage, organization_id, since=since, at_once=7)]
    assert len(late) == 10
    assert min(late) == since


@pytest.mark.parametrize("position", ["-1", "x", "9" * 18, "9" * 30])
async def test_a_forged_place_in_the_log_is_out_of_date(world: World, position: str) -> None:
    said = plain(await world.pressed("ada", ActionRef("admin-list", ("audit", position, ""))))
    assert said.startswith("This button is out of date.")
