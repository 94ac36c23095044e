"""Whose an account is, what happened to it, and whether it works now."""

from datetime import timedelta

import pytest

from commands.actions import claim_action, details_action
from commands.messages import Button, Buttons
from commands.model import Doubt
from commands.ports.checker import CheckResult
from commands.ports.connections import CheckRecord
from tests.commands.plain import buttons, plain, token
from tests.commands.world import World


@pytest.mark.behaviour("C-3")
async def test_who_tells_connector_owner_login_business_and_what_happened(world: World) -> None:
    assert plain(await world.typed("ada", "lapsed", "who acme de")).splitlines() == [
        "🔒 *TikTok · Acme DE* · `7012345678901234560` · client Acme",
        "Our access was removed on the network. Missing since <time Mon 23 Nov 05:00>: spend and reports.",
        "Whoever connected it can give it back by logging in again, in about a minute.",
        "State: lapsed since <time Mon 23 Nov 06:00> · access removed",
        "Connected by: @Ana Ruiz",
        "Owner: @Olga Berg",
        "May reconnect: @Ana Ruiz · @Olga Berg · anyone else with a role on the account"
        " · administrators, if they hold the login",
        "Login: Ana Ruiz · connected <day Wed 14 Oct 09:00> · 2 accounts depend on it",
        "Last checked: <time Mon 23 Nov 08:40>",
        "Last seen working: <time Mon 23 Nov 05:00>",
        "Business Center: Acme Business · `81948194`",
        "Account id: `7012345678901234560`",
        "History: no earlier lapse",
        "[Reconnect] [I'm on it] [▾ Check now, Snooze, not mine, not in use, Add a note, "
        "Who can reconnect it, assign it, History]",
    ]


@pytest.mark.behaviour("C-3")
async def test_the_details_button_tells_the_same(world: World) -> None:
    listed = await world.typed("ada", "lapsed")
    assert await world.pressed("ada", token(listed, "Details 1")) == await world.typed("ada", "lapsed", "who acme de")


ONE_PRESS_ON = ("Snooze, not mine, not in use", "Who can reconnect it", "Who can reconnect it, assign it")
"""What has buttons of its own behind it."""


async def offered(world: World, name: str, account: str) -> set[str]:
    """All that the details offer, at once or one press on; every message within two buttons and a menu of five."""
    details = await world.pressed(name, details_action(world.connections[account]))
    behind = [each for label, each in buttons(details).items() if label in ONE_PRESS_ON]
    messages = [details, *[await world.pressed(name, each.action) for each in behind if isinstance(each, Button)]]
    for message in messages:
        controls = [part for part in message.parts if isinstance(part, Buttons)][-1]  # the banner has one above
        assert len(controls.primary) <= 2
        assert len(controls.menu) <= 5
    return {label for message in messages for label in buttons(message)}


@pytest.mark.behaviour("N-11", "N-17")
@pytest.mark.parametrize("name", ["ada", "ana", "olga", "raj"])
async def test_the_details_offer_everything_that_a_notices_short_menu_left_out(world: World, name: str) -> None:
    everybodys = {"Reconnect", "I'm on it", "Check now", "Add a note", "History", "Not mine", "Not in use any more"}
    snoozes = {"Snooze 1 day", "Snooze 3 days", "Snooze 7 days"}
    administrators = {"Assign it", "List of Olga Berg", "Copy link of Olga Berg"}
    found = await offered(world, name, "Acme DE")
    assert everybodys | snoozes <= found
    assert (administrators & found) == (administrators if name == "ada" else set())
    await world.pressed("ana", claim_action(world.lapses["Acme DE"]))
    assert ("Give back" in await offered(world, name, "Acme DE")) is (name in ("ana", "ada"))


@pytest.mark.behaviour("N-17")
@pytest.mark.parametrize("account", ["Old Promo", "Brio Live", "Acme Page", "Cato Page", "Acme Attic"])
async def test_the_details_of_every_state_keep_to_two_buttons_and_a_short_menu(world: World, account: str) -> None:
    found = await offered(world, "ada", account)
    assert "History" in found
    assert ("Not in use any more" in found) is (account != "Acme Attic")


@pytest.mark.behaviour("C-3")
async def test_history_tells_past_lapses_with_cause_who_and_how_long(world: World) -> None:
    world.clock.advance(timedelta(minutes=20))
    await world.restore("Acme DE", by="raj")
    said = plain(await world.typed("ada", "lapsed", "who acme de"))
    assert "History: <day Mon 23 Nov 06:00>: access removed, reconnected by @Raj Patel after 3 h 20 min" in said
    assert "State: active" in said


@pytest.mark.behaviour("C-3")
async def test_several_that_match_are_offered(world: World) -> None:
    message = await world.typed("ada", "lapsed", "who page")
    assert plain(message).startswith("Which one? *“page”* matches several.")
    assert plain(await world.pressed("ada", token(message, "Details 1"))).startswith("🕒 *LinkedIn · Acme Page*")


@pytest.mark.behaviour("C-3")
async def test_a_network_narrows_which_account_is_meant(world: World) -> None:
    assert plain(await world.typed("ada", "lapsed", "who acme tiktok")).startswith("Which one?")
    assert plain(await world.typed("ada", "lapsed", "who acme linkedin")).startswith("🕒 *LinkedIn · Acme Page*")


@pytest.mark.behaviour("N-8")
async def test_siblings_are_counted_as_far_as_the_asker_may_see_them(world: World) -> None:
    assert "1 account depends on it" in plain(await world.typed("sam", "lapsed", "who acme de"))
    assert "2 accounts depend on it" in plain(await world.typed("ana", "lapsed", "who acme de"))


@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize("show", ["who", "check"])
async def test_an_account_that_the_asker_may_not_see_is_not_known(world: World, show: str) -> None:
    hidden = plain(await world.typed("sam", "lapsed", f"{show} brio shop"))
    assert hidden.startswith("I don't know an account “brio shop”.")
    assert hidden.replace("brio shop", "x") == plain(await world.typed("sam", "lapsed", f"{show} x"))


@pytest.mark.behaviour("C-10")
async def test_who_without_an_account_asks_for_one(world: World) -> None:
    said = plain(await world.typed("ada", "lapsed", "who"))
    assert said == "Which account? Type its id, or part of its name.\nTry `/lapsed who 7012345678901234567`."


@pytest.mark.behaviour("R-7")
async def test_while_reconnecting_does_not_help_nobody_is_named_and_no_button_is_drawn(world: World) -> None:
    message = await world.typed("raj", "lapsed", "who old promo")
    assert "May reconnect: nobody, until it is put right at TikTok" in plain(message)
    assert "Reconnecting will not help until that is solved." in plain(message)
    assert "Reconnect" not in buttons(message)


async def checked(world: World, name: str, *, good: bool, doubt: Doubt | None = None) -> None:
    """Write what a check of the account's authorization would leave behind."""
    world.clock.advance(timedelta(minutes=1))
    now = world.clock.now()
    async with world.storage.reading() as uow:
        connection = await uow.connections.get(world.organization.id, world.connections[name])
    assert connection.authorization_id is not None
    lease = timedelta(minutes=1)
    due = await world.storage.queues.claim_check(
        world.organization.id, connection.authorization_id, now=now, lease=lease
    )
    assert due is not None
    record = CheckRecord(checked_at=now, next_check_at=now + timedelta(hours=1), good=good, doubt=doubt, ends_at=None)
    async with world.storage.transaction() as uow:
        organization_id, authorization_id = world.organization.id, connection.authorization_id
        assert await uow.authorizations.record_check(organization_id, authorization_id, due.term, record)
        await uow.connections.record_check(organization_id, connection.id, good_at=now if good else None, doubt=doubt)


@pytest.mark.behaviour("D-8")
async def test_check_asks_the_network_and_tells_the_verdict(world: World) -> None:
    await checked(world, "Brio Live", good=True)
    message = await world.typed("raj", "lapsed", "check brio live")
    assert world.checker.asked == [world.authorizations["tiktok raj"]]
    assert plain(message) == (
        "✅ *TikTok · Brio Live* · `7012345678901234564` · client Brio\nChecked just now: it works.\n[Details]"
    )


@pytest.mark.behaviour("D-8")
async def test_the_check_button_tells_that_a_lapse_is_over(world: World) -> None:
    details = await world.typed("ana", "lapsed", "who acme de")

    async def works_again() -> None:
        await checked(world, "Acme DE", good=True)
        await world.restore("Acme DE")

    world.checker.finds = works_again
    assert "Checked just now: it works again. The lapse is over." in plain(
        await world.pressed("ana", token(details, "Check now"))
    )


@pytest.mark.behaviour("D-8")
async def test_a_lapse_that_stands_is_told_with_its_cause_and_reconnect(world: World) -> None:
    message = await world.typed("ana", "lapsed", "check acme de")
    assert "Checked just now: it still does not work, since <time Mon 23 Nov 06:00> · access removed." in plain(message)
    assert list(buttons(message)) == ["Reconnect", "Details"]


@pytest.mark.behaviour("D-8")
@pytest.mark.behaviour("D-5")
async def test_an_unclear_answer_is_not_called_a_lapse(world: World) -> None:
    now = world.clock.now()
    await checked(world, "Brio Live", good=False, doubt=Doubt(since=now, failures=1))
    said = plain(await world.typed("raj", "lapsed", "check brio live"))
    assert "the answer was unclear. We ask again in a few minutes before calling it lapsed." in said
    assert "It last worked <time Mon 23 Nov 08:40>." in said


@pytest.mark.behaviour("D-8")
@pytest.mark.behaviour("D-4")
async def test_a_network_that_could_not_be_asked_says_nothing_about_the_account(world: World) -> None:
    await checked(world, "Brio Live", good=False)
    said = plain(await world.typed("raj", "lapsed", "check brio live"))
    assert "TikTok could not be asked, which says nothing about this account." in said


@pytest.mark.behaviour("D-8")
async def test_a_check_that_is_under_way_is_said_to_be(world: World) -> None:
    world.checker.result = CheckResult.BUSY
    said = plain(await world.typed("raj", "lapsed", "check brio live"))
    assert "It is being checked right now; before that: it works." in said


@pytest.mark.behaviour("D-8")
async def test_up_to_three_matches_are_checked_each_login_once(world: World) -> None:
    message = await world.typed("ada", "lapsed", "check brio tiktok")
    assert plain(message).startswith("Checked 2 accounts just now.")
    assert sorted(world.checker.asked) == sorted(
        [world.authorizations["tiktok ana"], world.authorizations["tiktok raj"]]
    )


@pytest.mark.behaviour("D-8")
async def test_more_matches_are_offered_one_by_one(world: World) -> None:
    message = await world.typed("ada", "lapsed", "check a")
    assert plain(message).startswith("Which one? *“a”* matches several.")
    assert world.checker.asked == []
    assert "Check now 2" in buttons(message)


@pytest.mark.behaviour("D-8")
async def test_what_was_never_connected_or_is_retired_is_not_asked_about(world: World) -> None:
    assert "It has never been connected" in plain(await world.typed("ada", "lapsed", "check cato page"))
    assert "Retired: it is no longer checked." in plain(await world.typed("ada", "lapsed", "check acme attic"))
    assert world.checker.asked == []


@pytest.mark.behaviour("X-11", "N-8")
async def test_in_a_workspace_that_is_narrowed_siblings_beyond_it_are_not_counted(world: World) -> None:
    assert "2 accounts depend on it" in plain(await world.typed("ada", "lapsed", "who acme de"))
    await world.typed("ada", "lapse-admin", "workspace Acme")
    assert "1 account depends on it" in plain(await world.typed("ada", "lapsed", "who acme de"))
