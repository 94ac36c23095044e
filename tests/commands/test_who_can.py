"""Who may reconnect an account, what it takes, and whom to ask."""

from dataclasses import replace

import pytest

from commands.actions import nudge_action, reconnect_action, who_can_action
from commands.messages import Button
from commands.model import Role, Verdict
from tests.commands.plain import buttons, plain, token
from tests.commands.world import World


@pytest.mark.behaviour("P-7")
async def test_who_can_names_connector_owner_others_administrators_and_what_it_takes(world: World) -> None:
    await world.add_connection("Acme Two", "tiktok", "Acme", connector="raj")
    message = await world.typed("sam", "lapsed", "who-can acme de")
    assert plain(message).splitlines() == [
        "🔒 *TikTok · Acme DE* · `7012345678901234560` · client Acme",
        "You may try: after the login we ask TikTok whether you have what it takes.",
        "First to ask: @Ana Ruiz, who connected it",
        "Owner: @Olga Berg",
        "Also: @Raj Patel, who connected other accounts under Acme Business",
        "Administrators: @Ada King, on their behalf, with the login",
        "It takes: a role on the account, with your Tiktok login",
        "[Reconnect] [Ask Ana] [▾ Details, History]",
    ]
    pressed = await world.pressed("sam", token(message, "Ask Ana"))
    assert "Ana Ruiz gets a message from you about it" in plain(pressed)


@pytest.mark.behaviour("P-7")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ana", "You may reconnect it: you connected it."),
        ("olga", "You may reconnect it: you own it."),
        ("ada", "You may reconnect it as an administrator, if you hold the login; it is recorded so."),
        ("raj", "You may try: after the login we ask TikTok whether you have what it takes."),
    ],
)
async def test_everybody_is_told_what_lets_them(world: World, name: str, said: str) -> None:
    assert said in plain(await world.pressed(name, who_can_action(world.connections["Acme DE"])))


@pytest.mark.behaviour("N-8")
async def test_limited_staff_are_told_of_nobody_whose_connections_they_may_not_see(world: World) -> None:
    """Gus connected only Brio's accounts, under the business that Acme's hang under as well."""
    await world.add_person("Gus Grey", Role.OWNER)
    await world.add_authorization("tiktok", "gus")
    await world.add_connection("Brio Two", "tiktok", "Brio", connector="gus")
    async with world.storage.transaction() as uow:
        view = await uow.connections.view(world.organization.id, world.connections["Acme DE"])
        assert view is not None
        assert view.connection.parent is not None
        await uow.connections.attach(
            world.organization.id,
            world.connections["Brio Two"],
            authorization_id=world.authorizations["tiktok gus"],
            connector_id=world.people["gus"].id,
            account_name="Brio Two",
            parent=view.connection.parent,
            good_at=world.clock.now(),
        )
    assert "@Gus Grey" in plain(await world.typed("raj", "lapsed", "who-can acme de"))
    assert "Gus" not in plain(await world.typed("sam", "lapsed", "who-can acme de"))


@pytest.mark.behaviour("P-7")
@pytest.mark.parametrize("account", ["Old Promo", "Acme Attic"])
@pytest.mark.parametrize("name", ["ada", "raj"])
async def test_a_refusal_to_reconnect_says_the_same_as_who_can(world: World, name: str, account: str) -> None:
    refused = await world.pressed(name, reconnect_action(world.connections[account]))
    assert refused.parts == (await world.typed(name, "lapsed", f"who-can {account}")).parts
    assert refused.parts == (await world.typed(name, "reconnect", account)).parts
    assert "Nobody can reconnect it" in plain(refused)
    assert "Ask " in plain(refused), "a person, or the support contact"


@pytest.mark.behaviour("P-7")
async def test_a_refusal_offers_a_button_that_asks(world: World) -> None:
    refused = await world.pressed("ada", reconnect_action(world.connections["Old Promo"]))
    assert buttons(refused)["Ask Raj"] == Button("Ask Raj", nudge_action(world.lapses["Old Promo"]))
    assert "Raj Patel gets a message from you" in plain(await world.pressed("ada", token(refused, "Ask Raj")))


@pytest.mark.behaviour("P-7")
async def test_nobody_who_left_is_named(world: World) -> None:
    await world.add_connection("Cato Live", "tiktok", "Cato", connector="raj", owner="olga", cause=Verdict.ROLE_LOST)
    left = replace(world.people["raj"], left_at=world.clock.now())
    async with world.storage.transaction() as uow:
        await uow.people.update(left)
    said = plain(await world.typed("ada", "lapsed", "who-can cato live"))
    assert "Raj" not in said
    assert "[Reconnect] [Ask Olga]" in said


@pytest.mark.behaviour("P-7")
async def test_what_nobody_connected_yet_names_its_owner(world: World) -> None:
    said = plain(await world.typed("raj", "lapsed", "who-can cato page"))
    assert "First to ask" not in said
    assert "Owner: @Olga Berg" in said


@pytest.mark.behaviour("P-5", "P-7")
async def test_who_can_tells_nothing_of_what_one_may_not_see(world: World) -> None:
    hidden = plain(await world.pressed("sam", who_can_action(world.connections["Brio Shop"])))
    assert hidden.startswith("This is gone, or not yours to see.")
    assert plain(await world.typed("sam", "lapsed", "who-can brio shop")).startswith("I don't know an account")
