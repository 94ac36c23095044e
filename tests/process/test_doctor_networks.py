"""`lapsebot doctor` and the networks: their app's credentials, the setting to mend, and the address to enter there."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.playground.vendors.networks import NetworkPeople, serve_network
from platform_adapters.discovery import network_names
from tests.support.clock import FakeClock
from tests.support.network_rigs import config, environment

SIGNS = ("accepts our app", "refuses our app", "is failing on its own side")


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
            about = [place for place, line in enumerate(lines) if any(sign in line for sign in SIGNS)]
            return " ".join(" ".join(lines[place : place + 2]) for place in about)

        assert "✅ good" in await said()
        await people.wrong_secret("app")
        refused = await said()
        assert "❌ bad" in refused
        assert "refuses our app (" in refused
        assert f"LAPSEBOT_{slug.upper()}_CLIENT_ID and _CLIENT_SECRET" in refused
        assert "app-secret" not in refused
        await people.repair_all()
        await people.network_down()
        away = await said()
        assert "❗ look at" in away
        assert "is failing on its own side" in away


@pytest.mark.parametrize(("slug", "is_told"), [("meta", True), ("google_ads", True), ("tiktok", False)])
async def test_doctor_says_what_to_enter_where_so_that_a_removal_is_noticed_at_once(
    slug: str, is_told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(upgraded)
    async with serve_network(config(slug, FakeClock())) as base:
        output = "\n".join(await asyncio.to_thread(doctor, **environment(slug, base)))
    assert (f"/signals/{slug} is entered at the network" in output) is is_told


async def test_doctor_looks_at_every_network_that_is_configured_and_names_each_setting_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(upgraded)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        settings: dict[str, str] = {}
        for slug in network_names():
            base = await stack.enter_async_context(serve_network(config(slug, FakeClock())))
            settings |= environment(slug, base)
            await NetworkPeople(base, session).wrong_secret("app")
        output = "\n".join(await asyncio.to_thread(doctor, **settings))
    assert output.count("refuses our app (") == len(network_names()) == 13
    for slug in network_names():
        assert f"Compare LAPSEBOT_{slug.upper()}_CLIENT_ID and _CLIENT_SECRET with " in output


async def test_one_wrong_setting_does_not_hide_the_others_nor_what_is_configured_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(upgraded)
    async with serve_network(config("tiktok", FakeClock())) as base:
        wrong = {
            "LAPSEBOT_X_CLIENT_ID": "half-a-pair",
            "LAPSEBOT_META_CLIENT_SECRET": "the-other-half",
            "LAPSEBOT_NETWORKS_FILE": str(tmp_path / "none.toml"),
            "LAPSEBOT_SLACK_BOT_TOKEN": "not-one",
        }
        output = "\n".join(await asyncio.to_thread(doctor, **environment("tiktok", base), **wrong))
    assert "TikTok: accepts our app's credentials" in output
    assert "LAPSEBOT_X_CLIENT_SECRET: is missing, while the other half of the pair is set" in output
    assert output.count("LAPSEBOT_META_CLIENT_ID: is missing") == 1
    assert f"LAPSEBOT_NETWORKS_FILE: {tmp_path / 'none.toml'} cannot be read: there is no such file" in output
    assert "LAPSEBOT_SLACK_BOT_TOKEN: must be a bot token" in output
    assert "nothing reads this setting" not in output
    assert not any(value in output for value in ("half-a-pair", "the-other-half", "not-one"))


@pytest.mark.parametrize("keys", ["no-colon", "k1:short"])
async def test_doctor_lays_wrong_keys_to_the_setting_of_keys_and_not_to_the_database(
    keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = "\n".join(await asyncio.to_thread(doctor, LAPSEBOT_ENCRYPTION_KEYS=keys))
    assert "Put LAPSEBOT_ENCRYPTION_KEYS right" in output
    assert "LAPSEBOT_DATABASE_URL" not in output
    assert "Organizations, workspaces and messages: not looked at" in output


async def test_without_a_database_doctor_looks_at_everything_else_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with serve_network(config("meta", FakeClock())) as base:
        settings = environment("meta", base) | {"LAPSEBOT_SLAK_BOT_TOKEN": "xoxb"}
        said = "\n".join(await asyncio.to_thread(doctor, **settings))
    assert "❌ bad      Database: there is none yet\n             Run `lapsebot db upgrade`" in said
    assert "✅ good     Facebook: accepts our app" in said
    assert "no chat platform is configured" in said
    assert "LAPSEBOT_SLAK_BOT_TOKEN: nothing reads this setting" in said
    assert list(tmp_path.iterdir()) == []


async def test_where_the_database_cannot_be_reached_the_networks_are_asked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    away = {"LAPSEBOT_DATABASE_URL": "postgresql+asyncpg://lapsebot:pass-word@127.0.0.1:9/lapsebot"}
    async with serve_network(config("meta", FakeClock())) as base:
        said = "\n".join(await asyncio.to_thread(doctor, **environment("meta", base), **away))
    assert "❌ bad      Database: the database cannot be reached" in said
    assert "✅ good     Facebook: accepts our app" in said
    assert "pass-word" not in said
