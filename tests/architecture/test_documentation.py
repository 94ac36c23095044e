"""What a page shows is there: settings, commands, targets, files."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from bot.bootstrap import network_specs
from bot.cli import app
from bot.settings import PREFIX, Settings
from bot.why_page import why_page
from platform_adapters.discovery import chat_platform_names, network_names
from platform_adapters.networks.declared import SETTING as NETWORKS_FILE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = "\n".join(
    file.read_text() for package in ("bot", "platform_adapters") for file in (ROOT / package).rglob("*.py")
)
NETWORKS_SETTING = re.compile(
    r"LAPSEBOT_(\w+?)_(CLIENT_ID|CLIENT_SECRET|DEVELOPER_TOKEN|AUTHORIZE_URL|TOKEN_URL|API_URL)"
)


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
    own = {*(PREFIX + name.upper() for name in Settings.model_fields), NETWORKS_FILE}
    for name in set(re.findall(r"LAPSEBOT_[A-Z_]+[A-Z]", text_of(page))) - own:
        of_network = NETWORKS_SETTING.fullmatch(name)
        if of_network is not None and of_network[1].lower() in network_names():
            continue
        _, owner, setting = name.split("_", 2)
        assert owner.lower() in chat_platform_names(), name
        assert name in CODE or f"}}{setting}" in CODE or f'"{setting}"' in CODE, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_a_page_shows_exists(page: Path) -> None:
    known = get_command(app)
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    code = "\n".join(re.findall(r"```.*?```|`[^`]*`", text_of(page), re.DOTALL))
    for target in re.findall(r"\bmake ([a-z]+)", code):
        assert target in targets, f"make {target}"
    for command in re.findall(r"\blapsebot ([a-z][a-z-]*[a-z])", code):
        assert command in known.commands, f"lapsebot {command}"  # type: ignore[attr-defined]  # typer's group has them


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", text_of(page)):
        assert (page.parent / target).is_file(), target


@pytest.mark.behaviour("D-1", "C-10")
def test_the_page_about_causes_says_what_the_networks_declare() -> None:
    page = text_of(ROOT / "docs/why-connections-lapse.md")
    assert page == why_page(network_specs({})), "make it again: lapsebot why > docs/why-connections-lapse.md"
