"""`lapsebot doctor` and the operator's own networks: what is declared, and which line of it is wrong."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from tests.support.own_networks import declared


async def test_doctor_names_the_line_the_key_and_what_it_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "own.toml"

    def doctor(text: str) -> str:
        file.write_text(text)
        settings = {"COLUMNS": "300", "LAPSEBOT_NETWORKS_FILE": str(file)}
        return CliRunner().invoke(app, ["doctor"], env=settings).output

    upgraded = await asyncio.to_thread(CliRunner().invoke, app, ["db", "upgrade"])
    assert upgraded.exit_code == 0
    good = await asyncio.to_thread(doctor, declared("https://letterly.example.com"))
    assert "2 of its examples tried" in good
    assert "held by Acme Suite" in good
    assert "nothing reads this setting" not in good
    wrong = await asyncio.to_thread(doctor, declared("http://letterly.example.com"))
    line = file.read_text().splitlines().index('url = "http://letterly.example.com/v1/account"') + 1
    assert "❌ bad" in wrong
    assert f"own.toml, line {line}: api_key.1.probe.url: must be an address that begins with https://" in wrong
