"""Buttons and `/lapse-admin` about accounts: transfer, retire, assign, snooze, "not mine", notes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from commands import actions
from commands.ids import ConnectionId, DeliveryId, LapseId, NoticeId, new_id, to_wire
from commands.messages import ActionRef, FieldErrors, Message
from commands.model import Connection, ConnectionState, LapseEnd, Mute, Parent
from commands.ports.chat import Address, AddressKind
from commands.ports.events import Event, EventKind
from commands.ports.notices import Delivery, DeliveryState, Notice, NoticeKind, Part, Priority
from tests.commands.plain import plain, token
from tests.commands.world import World


async def events(world: World, kind: EventKind) -> list[Event]:
    world.clock.advance(timedelta(minutes=1))
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=200)
    return [event for each in due for event in each.events if event.kind is kind]


async def mutes(world: World) -> list[Mute]:
    async with world.storage.reading() as uow:
        return list(await uow.lapses.mutes(world.organization.id, list(world.lapses.values())))


async def owner_names(world: World) -> dict[str, str | None]:
    async with world.storage.reading() as uow:
        views = await uow.connections.views(world.organization.id, list(world.connections.values()))
    return {view.connection.account_name: view.owner.name if view.owner else None for view in views}


async def under_business(world: World, name: str, parent: str, owner: str) -> None:
    connection = Connection(
        id=ConnectionId(new_id(world.clock.now())),
        organization_id=world.organization.id,
        client_id=world.clients["Cato"],
        network="tiktok",
        account_id=f"800{len(world.connections)}",
        account_name=name,
        state=ConnectionState.ACTIVE,
        parent=Parent(id=parent, name=f"Business {parent}"),
        owner_id=world.people[owner].id,
    )
    async with world.storage.transaction() as uow:
        assert await uow.connections.add(connection)
    world.connections[name] = connection.id


@pytest.mark.behaviour("C-8")
@pytest.mark.parametrize(
    "words",
    [
        "transfer Acme DE to Raj Patel",
        "transfer Acme DE @U-raj",
        "transfer @U-raj Acme DE",
        'transfer "Acme DE" raj',
        "transfer account:7012345678901234560 to raj@example.com",
        {"subcommand": "transfer", "account": "Acme DE", "person": "Raj Patel"},
    ],
)
async def test_an_account_is_transferred_however_it_is_said(world: World, words: str | dict[str, str]) -> None:
    said = plain(await world.typed("ada", "lapse-admin", words))
    assert said.startswith("✅ Transferred to *Raj Patel*: 1 account.\n• TikTok · *Acme DE* · Acme")
    assert "Owned before by Olga Berg (1)." in said
    assert (await owner_names(world))["Acme DE"] == "Raj Patel"


@pytest.mark.behaviour("C-8")
async def test_what_the_owner_has_under_the_same_business_goes_along(world: World) -> None:
    await under_business(world, "Cato One", "77", "olga")
    await under_business(world, "Cato Two", "77", "olga")
    await under_business(world, "Cato Three", "77", "ana")
    await under_business(world, "Cato Four", "78", "olga")
    said = plain(await world.typed("ada", "lapse-admin", "transfer Cato One to raj"))
    assert "2 accounts" in said
    assert "A business belongs to one owner" in said
    names = await owner_names(world)
    assert {name for name, owner in names.items() if owner == "Raj Patel"} == {"Cato One", "Cato Two"}


@pytest.mark.behaviour("C-8")
async def test_all_of_a_clients_accounts_are_transferred_and_retired_ones_stay(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "transfer client:Acme to raj"))
    assert "Transferred to *Raj Patel*: 2 accounts." in said
    assert "Owned before by Olga Berg (1) and nobody (1)." in said
    names = await owner_names(world)
    assert {name for name, owner in names.items() if owner == "Raj Patel"} == {"Acme DE", "Acme Page"}


async def test_a_clients_name_of_several_words_needs_no_quotes_but_options_name_one_of_the_two(world: World) -> None:
    await world.add_client("Big Brand")
    await world.add_connection("Big One", "tiktok", "Big Brand")
    said = plain(await world.typed("ada", "lapse-admin", "transfer client:Big Brand to raj"))
    assert "Transferred to *Raj Patel*: 1 account." in said
    both = {"subcommand": "transfer", "client": "Acme", "account": "Acme DE", "person": "raj@example.com"}
    assert "name one of the two" in plain(await world.typed("ada", "lapse-admin", both))


@pytest.mark.behaviour("A-6")
async def test_the_logins_concerned_are_checked_and_the_count_is_told(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "transfer client:Brio to raj"))
    assert set(world.checker.asked) == {world.authorizations["tiktok ana"], world.authorizations["tiktok raj"]}
    assert "Checked just now: 1 of 3 accounts work." in said


@pytest.mark.behaviour("C-8", "A-4")
async def test_a_transfer_is_told_to_the_new_owner_and_written_down(world: World) -> None:
    await world.typed("ada", "lapse-admin", "transfer Acme DE to raj")
    (event,) = await events(world, EventKind.TRANSFERRED)
    assert event.person_id == world.people["raj"].id
    assert event.connection_id == world.connections["Acme DE"]
    assert event.data == {"by": "Ada King"}
    async with world.storage.reading() as uow:
        (entry,) = await uow.audit.latest(world.organization.id, limit=10)
    assert entry.action == "connection.transferred"
    assert dict(entry.detail) == {"account": "Acme DE", "to": "Raj Patel", "was": "Olga Berg"}


@pytest.mark.behaviour("N-11")
async def test_retiring_asks_first_and_then_ends_the_lapse_and_keeps_the_history(world: World) -> None:
    asked = await world.typed("ada", "lapse-admin", "retire Acme DE")
    assert "Is this account not in use any more?" in plain(asked)
    async with world.storage.reading() as uow:
        before = await uow.connections.get(world.organization.id, world.connections["Acme DE"])
    assert before.state is ConnectionState.LAPSED
    done = await world.pressed("ada", token(asked, "Yes, retire it"))
    assert "🗄 Retired: it is no longer checked" in plain(done)
    async with world.storage.reading() as uow:
        after = await uow.connections.get(world.organization.id, world.connections["Acme DE"])
        (lapse,) = await uow.lapses.history(world.organization.id, world.connections["Acme DE"], limit=5)
    assert after.state is ConnectionState.RETIRED
    assert (lapse.ended_how, lapse.ended_by) == (LapseEnd.RETIRED, world.people["ada"].id)
    (event,) = await events(world, EventKind.LAPSE_ENDED)
    assert event.lapse_id == world.lapses["Acme DE"]
    again = plain(await world.pressed("ada", token(asked, "Yes, retire it")))
    assert "It is already retired" in again


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("who", ["ana", "olga"])
async def test_the_connector_and_the_owner_may_retire_an_account_themselves(world: World, who: str) -> None:
    asked = await world.pressed(who, actions.retire_action(world.connections["Acme DE"]))
    await world.pressed(who, token(asked, "Yes, retire it"))
    async with world.storage.reading() as uow:
        after = await uow.connections.get(world.organization.id, world.connections["Acme DE"])
    assert after.state is ConnectionState.RETIRED


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize(
    ("account", "kinds"), [("Brio Live", {EventKind.RETIRED}), ("Acme DE", {EventKind.RETIRED, EventKind.LAPSE_ENDED})]
)
async def test_every_retirement_is_an_event_whether_it_was_lapsed_or_not(
    world: World, account: str, kinds: set[EventKind]
) -> None:
    await world.pressed("ada", actions.retire_confirmed_action(world.connections[account]))
    wanted = world.connections[account]
    world.clock.advance(timedelta(minutes=1))
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=100)
    happened = [event for each in due for event in each.events if event.connection_id == wanted]
    assert {event.kind for event in happened} - {EventKind.LAPSE_OPENED} == kinds
    assert all(event.person_id == world.people["ada"].id for event in happened if event.kind in kinds)


@pytest.mark.behaviour("N-11")
async def test_retirement_is_proposed_to_administrators_once_a_day(world: World) -> None:
    asked = await world.pressed("raj", actions.retire_action(world.connections["Acme DE"]))
    assert "You can propose to administrators" in plain(asked)
    first = plain(await world.pressed("raj", token(asked, "Propose it")))
    assert "Administrators are asked" in first
    assert "You already asked today." in plain(await world.pressed("raj", token(asked, "Propose it")))
    (event,) = await events(world, EventKind.RETIREMENT_PROPOSED)
    assert (event.person_id, event.connection_id) == (world.people["raj"].id, world.connections["Acme DE"])


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("words", ["assign Acme DE to Raj Patel", "assign Acme DE @U-raj"])
async def test_an_administrator_gives_all_lapses_of_a_login_to_somebody_who_is_told(world: World, words: str) -> None:
    said = plain(await world.typed("ada", "lapse-admin", words))
    assert "👤 Raj Patel is on it, and 1 more account of the same login, until" in said
    assert plain(await world.typed("ada", "lapsed")).count("👤 Raj Patel is on it") == 2
    claimed = await events(world, EventKind.CLAIMED)
    assert {event.lapse_id for event in claimed} == {world.lapses["Acme DE"], world.lapses["Brio Shop"]}
    assert {(event.person_id, event.data["by"]) for event in claimed} == {(world.people["raj"].id, "Ada King")}
    assert {event.data["by_id"] for event in claimed} == {to_wire(world.people["ada"].id)}


@pytest.mark.behaviour("N-11")
async def test_assigning_has_a_form_that_refuses_who_may_not_see_the_account(world: World) -> None:
    form = await world.form("ada", actions.assign_action(world.lapses["Brio Shop"]))
    refused = await world.sent_off("ada", form.action, {"person": ("@U-sam",)})
    assert isinstance(refused, FieldErrors)
    assert refused.by_field[0][1].startswith("Sam Lee may not see accounts of client Brio.")
    stranger = await world.sent_off("ada", form.action, {"person": ("@U-stranger",)})
    assert isinstance(stranger, FieldErrors)
    given = await world.sent_off("ada", form.action, {"person": ("@U-raj",)})
    assert isinstance(given, Message)
    assert "👤 Raj Patel is on it" in plain(given)


@pytest.mark.behaviour("N-11")
async def test_who_is_limited_to_clients_is_given_only_those_lapses_of_the_login(world: World) -> None:
    said = plain(await world.typed("ada", "lapse-admin", "assign Acme DE to sam"))
    assert "👤 Sam Lee is on it, until" in said
    (event,) = await events(world, EventKind.CLAIMED)
    assert event.lapse_id == world.lapses["Acme DE"]


async def told(world: World, who: str, account: str) -> NoticeId:
    """Plan a notice about a lapse for somebody."""
    now, person = world.clock.now(), world.people[who]
    notice = Notice(
        id=NoticeId(new_id(now)),
        organization_id=world.organization.id,
        kind=NoticeKind.LAPSED,
        part=Part.CONNECTOR,
        person_id=person.id,
        channel=None,
        lapse_ids=(world.lapses[account],),
        created_at=now,
    )
    delivery = Delivery(
        id=DeliveryId(new_id(now)),
        organization_id=world.organization.id,
        notice_id=notice.id,
        address=Address(platform="chatter", tenant="T1", kind=AddressKind.DIRECT, external_id=f"U-{who}"),
        lane="chatter:T1",
        priority=Priority.FIRST,
        state=DeliveryState.DUE,
        wanted=1,
        shown=0,
        ref=None,
        attempts=0,
        next_at=now,
        created_at=now,
    )
    async with world.storage.transaction() as uow:
        await uow.notices.plan([notice], [delivery])
    return notice.id


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("action", [lambda lapse: actions.snooze_action(lapse, 3), actions.not_mine_action])
async def test_a_snooze_and_not_mine_draw_the_pressers_own_messages_anew(
    world: World, action: Callable[[LapseId], ActionRef]
) -> None:
    own, others = await told(world, "ana", "Acme DE"), await told(world, "olga", "Acme DE")
    await world.pressed("ana", action(world.lapses["Acme DE"]))
    async with world.storage.reading() as uow:
        (mine,) = await uow.notices.deliveries(world.organization.id, own)
        (theirs,) = await uow.notices.deliveries(world.organization.id, others)
    assert mine.wanted == theirs.wanted + 1


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("days", actions.SNOOZE_DAYS)
async def test_a_snooze_is_the_pressers_own_for_all_lapses_of_the_login(world: World, days: int) -> None:
    said = plain(await world.pressed("ana", actions.snooze_action(world.lapses["Acme DE"], days)))
    assert f"⏸ Snoozed for {days} day" in said
    until = world.clock.now() + timedelta(days=days)
    assert {(mute.lapse_id, mute.person_id, mute.until) for mute in await mutes(world)} == {
        (world.lapses[name], world.people["ana"].id, until) for name in ("Acme DE", "Brio Shop")
    }


@pytest.mark.behaviour("N-11")
async def test_snooze_says_what_it_would_hold_and_asks_for_how_long(world: World) -> None:
    lapse_id = world.lapses["Acme DE"]
    asked = await world.pressed("ana", actions.snooze_choice_action(lapse_id))
    said = plain(asked)
    assert "⏸ A snooze holds your own reminders of this account and 1 more account of the same login." in said
    assert "[Snooze 1 day] [Snooze 3 days] [▾ Snooze 7 days, Not mine, Not in use any more]" in said
    assert await mutes(world) == []
    await world.pressed("ana", token(asked, "Snooze 3 days"))
    again = plain(await world.pressed("ana", actions.snooze_choice_action(lapse_id)))
    assert "You are not reminded of it before <time Thu 26 Nov 09:00>. Another snooze counts from now." in again
    await world.pressed("ana", token(asked, "Not mine"))
    last = plain(await world.pressed("ana", actions.snooze_choice_action(lapse_id)))
    assert "You said that it is not yours, so nothing of it comes to you." in last
    assert "[▾ Snooze 7 days, Not in use any more]" in last
    others = plain(await world.pressed("raj", actions.snooze_choice_action(lapse_id)))
    assert "You " not in others.partition("⏸")[0], "a snooze is the presser's own"


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize(("who", "told"), [("ana", {"Acme DE", "Brio Shop"}), ("olga", {"Acme DE"}), ("raj", set())])
async def test_not_mine_ends_the_readers_notices_and_administrators_hear_if_it_was_theirs(
    world: World, who: str, told: set[str]
) -> None:
    said = plain(await world.pressed(who, actions.not_mine_action(world.lapses["Acme DE"])))
    assert "Nothing more of this lapse comes to you" in said
    assert ("administrators are told" in said) is bool(told)
    assert all(mute.until is None and mute.person_id == world.people[who].id for mute in await mutes(world))
    happened = await events(world, EventKind.NOT_MINE)
    assert {event.lapse_id for event in happened} == {world.lapses[name] for name in told}
    again = plain(await world.pressed(who, actions.not_mine_action(world.lapses["Acme DE"])))
    assert "You already said so" in again
    assert len(await events(world, EventKind.NOT_MINE)) == len(told)


@pytest.mark.behaviour("N-11")
async def test_not_mine_gives_the_pressers_claim_back(world: World) -> None:
    await world.pressed("ana", actions.claim_action(world.lapses["Acme DE"]))
    await world.pressed("ana", actions.not_mine_action(world.lapses["Acme DE"]))
    assert "👤" not in plain(await world.typed("ada", "lapsed"))
    assert len(await events(world, EventKind.RELEASED)) == 2


@pytest.mark.behaviour("C-4", "N-10")
async def test_a_note_is_written_in_a_form_and_told(world: World) -> None:
    form = await world.form("sam", actions.note_action(world.lapses["Acme DE"]))
    said = await world.sent_off("sam", form.action, {"note": ("Waiting for Bo\nuntil <!channel> Thursday",)})
    assert isinstance(said, Message)
    async with world.storage.reading() as uow:
        (note,) = await uow.lapses.notes(world.organization.id, [world.lapses["Acme DE"]])
    assert (note.person_name, note.text) == ("Sam Lee", "Waiting for Bo until <!channel> Thursday")
    (event,) = await events(world, EventKind.NOTED)
    assert event.data == {"note": note.text}


@pytest.mark.parametrize(
    ("note", "said"), [("", "Write something"), (" \u200b ", "Write something"), ("x" * 1001, "At most 1,000")]
)
async def test_a_note_that_says_nothing_or_too_much_is_asked_for_again(world: World, note: str, said: str) -> None:
    refused = await world.sent_off("sam", actions.note_action(world.lapses["Acme DE"]), {"note": (note,)})
    assert isinstance(refused, FieldErrors)
    assert refused.by_field[0][1].startswith(said)


@pytest.mark.parametrize(
    "make", [lambda lapse: actions.snooze_action(lapse, 1), actions.not_mine_action, actions.snooze_choice_action]
)
async def test_a_button_of_a_lapse_that_is_over_says_so(world: World, make: object) -> None:
    await world.restore("Acme DE", "raj")
    assert callable(make)
    said = plain(await world.pressed("ana", make(world.lapses["Acme DE"])))
    assert "✅ Restored by Raj Patel" in said
    assert await mutes(world) == []
