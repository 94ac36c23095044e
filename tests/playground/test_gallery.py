"""`lapsebot preview` shows the examples as text, as each platform says them, and as pages that look like it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app


def preview(*words: str) -> str:
    result = CliRunner().invoke(app, ["preview", *words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("platform", ["slack", "discord", "email"])
def test_an_example_can_be_read_as_a_platform_says_it(platform: str) -> None:
    said = preview("lapsed, claimed", "--platform", platform)
    assert "🔒 Lapsed: " in said
    assert "Acme EU Ads" in said
    assert ("I'm on it" in said) is False  # it is claimed
    assert ("Give it back" in said) == (platform != "email")  # a press comes back to us from a chat alone


def test_pages_are_written_for_every_platform(tmp_path: Path) -> None:
    written = preview("restored", "--html", str(tmp_path)).split()
    assert sorted(Path(path).name for path in written) == ["discord.html", "email.html", "slack.html"]
    for path in map(Path, written):
        page = path.read_text("utf-8")
        assert "Restored" in page
        assert "<script" not in page


def test_a_platform_that_is_not_there_is_said_so() -> None:
    result = CliRunner().invoke(app, ["preview", "--platform", "pigeon"])
    assert result.exit_code == 2
    assert "There is no chat platform “pigeon”. There are: discord, email, slack" in result.output
