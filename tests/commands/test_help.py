"""Help: what can be typed, what a notice of each kind looks like, and whom to ask."""

import re

import pytest

from bot.notices.examples import examples
from commands.handlers.help import ADMINISTRATORS_EXAMPLES, EXAMPLES, RESTORED
from commands.ports.notices import NoticeKind
from commands.usage import LAPSE_ADMIN, USAGES
from tests.commands.plain import buttons, plain
from tests.commands.world import World


@pytest.mark.behaviour("C-10")
async def test_help_names_every_command_that_the_asker_may_use(world: World) -> None:
    staff, administrator = [plain(await world.typed(name, "lapsed", "help")) for name in ("sam", "ada")]
    for usage in USAGES:
        assert f"*/{usage.name}*" in administrator
        assert (f"*/{usage.name}*" in staff) == (usage.name != LAPSE_ADMIN.name)
    for typed in ("/reconnect", "/connect linkedin", "/lapsed stats linkedin", "/lapsed who-can Acme EU Ads"):
        assert f"{typed}: " in staff
    options = plain(await world.typed("sam", "lapsed", {"show": "help"}))
    assert "/lapsed show:history account:Acme EU Ads: " in options
    assert "/subscribe-lapses rhythm:daily for:warnings: " in options


@pytest.mark.behaviour("C-10")
@pytest.mark.parametrize("topic", ["help", "why"])
async def test_help_names_the_support_contact_with_its_hours_and_asks_whether_it_helped(
    world: World, topic: str
) -> None:
    message = await world.typed("sam", "lapsed", topic)
    assert "Stuck? Ask support@example.com, weekdays 9 to 17." in plain(message)
    assert list(buttons(message)) == ["This helped", "It didn't"]


@pytest.mark.behaviour("C-10")
def test_every_kind_of_notice_has_an_example() -> None:
    assert set(EXAMPLES) | set(ADMINISTRATORS_EXAMPLES) == set(NoticeKind)
    assert not set(EXAMPLES) & set(ADMINISTRATORS_EXAMPLES)


FIRST_LINES = [
    (example.kind, re.sub(r" · `[^`]+`|[*@]", "", plain(example.message).splitlines()[0])) for example in examples()
]
"""How the notices' own examples begin, without ids and marks of style."""


@pytest.mark.behaviour("C-10")
@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        (NoticeKind.LAPSED, RESTORED),
        *((kind, begins) for kind, (_, begins) in {**EXAMPLES, **ADMINISTRATORS_EXAMPLES}.items()),
    ],
)
def test_an_example_begins_as_the_notices_themselves_do(kind: NoticeKind, begins: str) -> None:
    account = r"\w+ · [\w ]+?"
    wanted = re.escape(begins).replace(re.escape("{account}"), account).replace("…", ".+")
    told = [line for each, line in FIRST_LINES if each is kind]
    assert any(re.match(wanted, line) for line in told), f"{begins!r} is how none of these begins: {set(told)}"


@pytest.mark.behaviour("C-10")
async def test_why_shows_an_example_of_each_notice_that_the_asker_may_get(world: World) -> None:
    staff, administrator = [plain(await world.typed(name, "lapsed", "why tiktok")) for name in ("sam", "ada")]
    assert "At once: “🔒 Lapsed: *TikTok · Acme EU* · client Acme”" in staff
    assert (
        "The same message later: “✅ Restored: *TikTok · Acme EU* · client Acme · by Raj Patel, after 3 h 20 min”"
        in staff
    )
    for when, _ in EXAMPLES.values():
        assert f"{when}: “" in staff
        assert f"{when}: “" in administrator
    for when, _ in ADMINISTRATORS_EXAMPLES.values():
        assert f"{when}: “" not in staff
        assert f"{when}: “" in administrator
    assert not {"token", "scope", "OAuth"} & set(administrator.replace(".", " ").split())


@pytest.mark.behaviour("C-10")
async def test_why_takes_a_cause_too_and_a_slip_in_it_is_guessed_among_causes_and_networks(world: World) -> None:
    about_all = plain(await world.typed("sam", "lapsed", "why"))
    for words in ("password", "Permission switched", "expired"):
        assert plain(await world.typed("sam", "lapsed", f"why {words}")) == about_all
    for words, guess in (("pasword", "password"), ("tictok", "tiktok")):
        said = plain(await world.typed("sam", "lapsed", f"why {words}"))
        assert said.startswith(f"I don't know “{words}”. Did you mean *{guess}*?\nTry `/lapsed why linkedin`")


@pytest.mark.behaviour("C-10")
@pytest.mark.parametrize(
    ("words", "guess"), [("reconnect", "/reconnect"), ("subscribe", "/subscribe-lapses"), ("recconect", "/reconnect")]
)
async def test_another_command_s_name_after_lapsed_is_answered_with_that_command(
    world: World, words: str, guess: str
) -> None:
    assert f"Did you mean *{guess}*?" in plain(await world.typed("sam", "lapsed", words))


@pytest.mark.behaviour("C-10")
async def test_where_few_words_are_known_and_none_is_near_all_are_named(world: World) -> None:
    said = plain(await world.typed("sam", "lapsed", "state:foo"))
    assert said.startswith("I don't know “foo”. Known here: needs-connecting, ")
    said = plain(await world.typed("ada", "lapse-admin", "role sam king"))
    assert said.startswith("I don't know a role called “king”. Known here: primary administrator, ")
    said = plain(await world.typed("ada", "lapse-admin", "frobnicate"))
    assert said.endswith("or `/lapse-admin help`.")


@pytest.mark.behaviour("C-10")
async def test_an_account_not_known_is_answered_with_an_example_of_the_same_command(world: World) -> None:
    said = plain(await world.typed("sam", "reconnect", "zzzz"))
    assert said.startswith("I don't know an account “zzzz”.\nTry `/reconnect Acme EU Ads`, ")
