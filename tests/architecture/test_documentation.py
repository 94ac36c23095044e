"""What a page shows is there: settings, commands, targets, files."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from bot.cli import app
from bot.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = "\n".join(
    file.read_text() for package in ("bot", "platform_adapters") for file in (ROOT / package).rglob("*.py")
)
ADAPTERS_SETTING = re.compile(r"LAPSEBOT_([A-Z]+)_(CLIENT_ID|CLIENT_SECRET|AUTHORIZE_URL|TOKEN_URL|API_URL|\w+)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_every_setting_is_on_the_operators_page_with_its_default() -> None:
    page = text_of(ROOT / "docs/operating.md")
    for name, field in Settings.model_fields.items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |")), "")
        assert row, f"{PREFIX}{name.upper()} is not in the table"
        if field.default not in ("", Path(".lapsebot")):
            assert f"`{field.default:g}`" in row if isinstance(field.default, float) else f"`{field.default}`" in row


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_setting_that_a_page_names_exists(page: Path) -> None:
    own = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in set(re.findall(r"LAPSEBOT_[A-Z_]+[A-Z]", text_of(page))) - own:
        match = ADAPTERS_SETTING.fullmatch(name)
        assert match is not None, name
        assert name in CODE or f"_{match[2]}" in CODE or match[2] in CODE, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_a_page_shows_exists(page: Path) -> None:
    known = get_command(app)
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    code = "\n".join(re.findall(r"```.*?```|`[^`]*`", text_of(page), re.DOTALL))
    for target in re.findall(r"\bmake ([a-z]+)", code):
        assert target in targets, f"make {target}"
    for command in re.findall(r"\blapsebot ([a-z]+)", code):
        assert command in known.commands, f"lapsebot {command}"  # type: ignore[attr-defined]  # typer's group has them


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", text_of(page)):
        assert (page.parent / target).is_file(), target
