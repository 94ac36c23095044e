"""`lapsebot doctor` and the networks: their app's credentials, the setting to mend, and the address to enter there."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.playground.vendors.networks import NetworkPeople, serve_network
from tests.support.clock import FakeClock
from tests.support.network_rigs import config, environment


def upgraded() -> None:
    """A database to look at."""
    assert CliRunner().invoke(app, ["db", "upgrade"]).exit_code == 0


def doctor(**settings: str) -> list[str]:
    """What the operator reads. Runs a loop of its own, so in a thread of its own."""
    found = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "300", **settings})
    return found.output.splitlines()


@pytest.mark.parametrize("slug", ["meta", "google_ads", "tiktok"])
async def test_doctor_tells_good_credentials_wrong_ones_and_a_network_that_is_away(
    slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(upgraded)
    async with serve_network(config(slug, FakeClock())) as base, aiohttp.ClientSession() as session:
        people, settings = NetworkPeople(base, session), environment(slug, base)

        async def said() -> str:
            lines = await asyncio.to_thread(doctor, **settings)
            about = [place for place, line in enumerate(lines) if "credentials" in line or "does not answer (" in line]
            return " ".join(" ".join(lines[place : place + 2]) for place in about)

        assert "✅ good" in await said()
        await people.wrong_secret("app")
        refused = await said()
        assert "❌ bad" in refused
        assert "refuses our app's credentials" in refused
        assert f"LAPSEBOT_{slug.upper()}_CLIENT_ID and _CLIENT_SECRET" in refused
        assert "app-secret" not in refused
        await people.repair_all()
        await people.network_down()
        away = await said()
        assert "❗ look at" in away
        assert "does not answer" in away


@pytest.mark.parametrize(("slug", "is_told"), [("meta", True), ("google_ads", True), ("tiktok", False)])
async def test_doctor_says_what_to_enter_where_so_that_a_removal_is_noticed_at_once(
    slug: str, is_told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(upgraded)
    async with serve_network(config(slug, FakeClock())) as base:
        output = "\n".join(await asyncio.to_thread(doctor, **environment(slug, base)))
    assert (f"/signals/{slug} is entered at the network" in output) is is_told
