"""The Reconnect button, "I'm on it", and who may what: asked when pressed, whoever the button was drawn for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands import actions
from commands.actions import claim_action, details_action, reconnect_action, release_action
from commands.dispatcher import Dispatcher
from commands.messages import ActionRef, LinkButton, Message
from commands.ports.chat import ActionRequest
from commands.ports.events import EventKind
from tests.commands.plain import address, buttons, plain, token
from tests.commands.world import CHANNEL, PUBLIC_URL, SHARED, World

NOT_THERE = "This is gone, or not yours to see. Type `/lapsed` for what is."


async def audited(world: World) -> list[str]:
    async with world.storage.reading() as uow:
        return [entry.action for entry in reversed(await uow.audit.latest(world.organization.id, limit=50))]


def outcome(message: Message) -> str:
    """What the answer came to: a link, a reason, or nothing at all."""
    if plain(message) == NOT_THERE:
        return "hidden"
    return "link" if any(isinstance(button, LinkButton) for button in buttons(message).values()) else "refused"


@pytest.mark.behaviour("P-1")
@pytest.mark.behaviour("P-3")
@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize(
    ("account", "expected"),
    [
        # connected by Ana, owned by Olga, client Acme
        ("Acme DE", {"ada": "link", "raj": "link", "sam": "link", "ana": "link", "olga": "link"}),
        # connected by Ana, client Brio
        ("Brio Shop", {"ada": "link", "raj": "link", "sam": "hidden", "ana": "link", "olga": "hidden"}),
        # gone from the network
        ("Old Promo", {"ada": "refused", "raj": "refused", "sam": "hidden", "ana": "hidden", "olga": "hidden"}),
        # ends in five days
        ("Acme Page", {"ada": "link", "raj": "link", "sam": "link", "ana": "hidden", "olga": "hidden"}),
        # works
        ("Brio Live", {"ada": "refused", "raj": "refused", "sam": "hidden", "ana": "hidden", "olga": "hidden"}),
        # never connected, owned by Olga
        ("Cato Page", {"ada": "link", "raj": "link", "sam": "hidden", "ana": "hidden", "olga": "link"}),
        # retired
        ("Acme Attic", {"ada": "refused", "raj": "refused", "sam": "refused", "ana": "hidden", "olga": "hidden"}),
    ],
)
async def test_each_role_gets_a_link_a_reason_or_nothing(world: World, account: str, expected: dict[str, str]) -> None:
    """Walks role × relation × state; the token is the same for all: it carries no authority."""
    press = reconnect_action(world.connections[account])
    assert {name: outcome(await world.pressed(name, press)) for name in expected} == expected


@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize("action", [actions.DETAILS, actions.CHECK, actions.RECONNECT])
async def test_a_button_shows_nothing_that_a_command_would_not(world: World, action: str) -> None:
    token_of_hidden = ActionRef(action, reconnect_action(world.connections["Brio Shop"]).arguments)
    assert plain(await world.pressed("sam", token_of_hidden)) == NOT_THERE
    unknown = ActionRef(action, ("0" * 22,))
    assert plain(await world.pressed("sam", unknown)) == NOT_THERE
    assert world.checker.asked == []


@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize("action", [actions.CLAIM, actions.RELEASE])
async def test_a_hidden_lapse_cannot_be_claimed(world: World, action: str) -> None:
    hidden = ActionRef(action, claim_action(world.lapses["Brio Shop"]).arguments)
    assert plain(await world.pressed("sam", hidden)) == NOT_THERE
    async with world.storage.reading() as uow:
        lapse = await uow.lapses.get(world.organization.id, world.lapses["Brio Shop"])
    assert lapse is not None
    assert lapse.claim is None


@pytest.mark.behaviour("N-9")
async def test_the_button_answers_each_presser_with_their_own_link(world: World) -> None:
    press = reconnect_action(world.connections["Acme DE"])
    anas, olgas = await world.pressed("ana", press, place=SHARED), await world.pressed("olga", press)
    assert address(anas, "Reconnect").startswith(f"{PUBLIC_URL}/r/")
    assert address(anas, "Reconnect") != address(olgas, "Reconnect")
    assert address(await world.pressed("ana", press), "Reconnect") == address(anas, "Reconnect"), (
        "pressed again: the same"
    )
    assert CHANNEL not in address(anas, "Reconnect")


@pytest.mark.behaviour("P-1")
async def test_the_answer_says_what_why_since_when_and_as_whom(world: World) -> None:
    assert plain(await world.pressed("ana", reconnect_action(world.connections["Acme DE"]))) == (
        "🔒 *TikTok · Acme DE* · `7012345678901234560` · client Acme\n"
        "Our access was removed on the network. Missing since <time Mon 23 Nov 05:00>: spend and reports.\n"
        "You connected it: log in with your Tiktok login, Ana Ruiz. It takes about a minute.\n"
        "[Reconnect] [I'm on it] [▾ Details]\n"
        "The link is yours alone: it opens only for you, signed in."
    )


@pytest.mark.behaviour("P-4")
async def test_an_administrator_is_told_that_they_act_for_the_owner(world: World) -> None:
    said = plain(await world.pressed("ada", reconnect_action(world.connections["Acme DE"])))
    assert "As an administrator you may do it for Ana Ruiz, with a login that has a role on the account" in said
    assert await audited(world) == ["reconnect.offered"]


@pytest.mark.behaviour("P-2")
async def test_another_user_is_offered_it_and_told_what_the_network_will_be_asked(world: World) -> None:
    said = plain(await world.pressed("sam", reconnect_action(world.connections["Acme DE"])))
    assert (
        "It takes a role on the account. After the login we ask TikTok whether you have it. "
        "Ana Ruiz, who connected it, is the first to ask." in said
    )


@pytest.mark.behaviour("R-7")
@pytest.mark.behaviour("P-3")
async def test_a_refusal_says_what_must_be_put_right_and_whom_to_ask(world: World) -> None:
    assert plain(await world.pressed("ada", reconnect_action(world.connections["Old Promo"]))) == (
        "🔒 *TikTok · Old Promo* · `7012345678901234562` · client Brio\n"
        "Nobody can reconnect it until it is put right at TikTok. "
        "The login works, but the network no longer shows this account to it.\n"
        "Check on the network whether the account was closed, deleted or moved. "
        "Reconnecting will not help until that is solved.\n"
        "First to ask: @Raj Patel, who connected it\n"
        "Also: @Ana Ruiz, who connected other accounts under Brio Business\n"
        "Administrators: @Ada King, on their behalf, with the login\n"
        "It takes: a role on the account, with your Tiktok login\n"
        "Ask @Raj Patel, or @Ana Ruiz.\n"
        "[Check again] [Ask Raj] [▾ Details, History, Assign it, List of Raj Patel, Copy link of Raj Patel]"
    )


async def test_what_works_again_needs_no_link(world: World) -> None:
    await world.restore("Acme DE")
    said = plain(await world.pressed("ana", reconnect_action(world.connections["Acme DE"])))
    assert "It works: there is nothing to reconnect." in said
    assert await audited(world) == []


@pytest.mark.behaviour("X-4")
async def test_somebody_elses_claim_is_told_before_a_second_login(world: World) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    said = plain(await world.pressed("ana", reconnect_action(world.connections["Acme DE"])))
    assert "👤 Raj Patel is on it: a word with them first saves a second login." in said


@pytest.mark.behaviour("N-11")
async def test_a_claim_covers_the_open_lapses_of_the_login_for_a_day(world: World) -> None:
    message = await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    assert (
        "👤 You're on it, and 1 more account of the same login, until <time Tue 24 Nov 09:00>. "
        "Everybody who was told sees it." in plain(message)
    )
    assert plain(await world.typed("ada", "lapsed")).count("👤 Raj Patel is on it") == 2
    assert await audited(world) == ["lapse.claimed", "lapse.claimed"]
    world.clock.advance(timedelta(days=1))
    assert "👤" not in plain(await world.typed("ada", "lapsed")), "it ends by itself"


@pytest.mark.behaviour("N-10")
async def test_a_claim_writes_an_event_for_each_lapse_so_that_notices_are_redrawn(world: World) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    world.clock.advance(timedelta(minutes=1))
    due = await world.storage.queues.due_events(now=world.clock.now(), gather=timedelta(seconds=1), limit=10)
    events = [event for each in due for event in each.events if event.kind is EventKind.CLAIMED]
    assert {event.lapse_id for event in events} == {world.lapses["Acme DE"], world.lapses["Brio Shop"]}
    assert {event.person_id for event in events} == {world.people["raj"].id}


@pytest.mark.behaviour("N-8")
async def test_a_claim_leaves_alone_what_the_presser_may_not_see(world: World) -> None:
    message = await world.pressed("sam", claim_action(world.lapses["Acme DE"]))
    assert "👤 You're on it, until" in plain(message)
    assert plain(await world.typed("ada", "lapsed")).count("👤") == 1


@pytest.mark.behaviour("N-11")
async def test_claiming_twice_changes_nothing_and_says_so(world: World) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    world.clock.advance(timedelta(hours=2))
    again = plain(await world.pressed("raj", claim_action(world.lapses["Acme DE"])))
    assert "👤 You are already on it, and 1 more account of the same login, until <time Tue 24 Nov 09:00>." in again
    assert len(await audited(world)) == 2


@pytest.mark.behaviour("N-11")
async def test_a_claim_is_not_taken_from_somebody(world: World) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    said = plain(await world.pressed("ana", claim_action(world.lapses["Acme DE"])))
    assert "👤 Raj Patel is on it, until <time Tue 24 Nov 09:00>." in said
    assert "👤 Raj Patel is on it" in plain(await world.pressed("ana", release_action(world.lapses["Acme DE"])))


@pytest.mark.behaviour("N-11", "P-5")
@pytest.mark.parametrize("name", ["ana", "olga", "sam"])
async def test_a_claim_is_not_given_back_by_others(world: World, name: str) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    said = plain(await world.pressed(name, release_action(world.lapses["Acme DE"])))
    assert "👤 Raj Patel is on it, until <time Tue 24 Nov 09:00>." in said
    assert "Given back" not in said
    assert "lapse.released" not in await audited(world)
    assert plain(await world.typed("ada", "lapsed")).count("👤 Raj Patel is on it") == 2


@pytest.mark.behaviour("R-7")
async def test_a_claim_offers_no_reconnect_where_it_would_not_help(world: World) -> None:
    """Old Promo is gone at the network; Acme DE can be reconnected."""
    gone, helps = world.lapses["Old Promo"], world.lapses["Acme DE"]
    claimed = await world.pressed("raj", claim_action(gone))
    assert list(buttons(claimed)) == ["Give back"]
    others = await world.pressed("ada", claim_action(gone))
    assert buttons(others) == {}
    assert "you can still reconnect it" not in plain(others)
    assert list(buttons(await world.pressed("raj", release_action(gone)))) == ["I'm on it"]
    assert list(buttons(await world.pressed("raj", claim_action(helps)))) == ["Reconnect", "Give back"]
    others = await world.pressed("ada", claim_action(helps))
    assert list(buttons(others)) == ["Reconnect"]
    assert "If it can't wait, you can still reconnect it." in plain(others)


@pytest.mark.behaviour("N-11")
@pytest.mark.parametrize("name", ["raj", "ada"])
async def test_a_claim_is_given_back_by_its_holder_or_an_administrator(world: World, name: str) -> None:
    claimed = await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    given = await world.pressed(name, token(claimed, "Give back"))
    assert "Given back: nobody is on it now." in plain(given)
    assert "👤" not in plain(await world.typed("ada", "lapsed"))
    assert (await audited(world)).count("lapse.released") == 2


@pytest.mark.behaviour("N-11")
async def test_giving_back_what_nobody_holds_says_so(world: World) -> None:
    said = plain(await world.pressed("raj", release_action(world.lapses["Acme DE"])))
    assert "Nobody is on it, so there is nothing to give back." in said


@pytest.mark.behaviour("N-10")
async def test_a_claim_of_a_lapse_that_is_over_is_told_who_ended_it(world: World) -> None:
    await world.restore("Acme DE", by="raj")
    said = plain(await world.pressed("ana", claim_action(world.lapses["Acme DE"])))
    assert "✅ Restored by Raj Patel <time Mon 23 Nov 09:00>: nothing is left to do." in said


async def test_details_of_a_claimed_lapse_say_who_and_let_them_give_it_back(world: World) -> None:
    await world.pressed("raj", claim_action(world.lapses["Acme DE"]))
    mine = await world.pressed("raj", details_action(world.connections["Acme DE"]))
    assert "· 👤 Raj Patel is on it" in plain(mine)
    assert "Give back" in buttons(mine)
    assert "Give back" not in buttons(await world.pressed("ana", details_action(world.connections["Acme DE"])))


async def test_a_network_without_credentials_offers_no_link(world: World) -> None:
    services = replace(world.services, networks={})
    dispatcher = Dispatcher(services)
    request = ActionRequest(
        token=reconnect_action(world.connections["Acme DE"]).encode(), user=world.user("ana"), place=SHARED
    )
    message = await dispatcher.action(request)
    assert "Logging in at Tiktok is not set up here at the moment" in plain(message)
    assert buttons(message) == {}
