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
