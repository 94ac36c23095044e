"""Sign-in with Discord, and what `doctor` finds, against the stand-in's own pages and token endpoint."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from commands.errors import SignInError
from commands.ports.chat import Check, SignIn
from tests.discord_adapter.loopback import ANA, GUILD, Loopback, platform_at
from tests.vendors.discord_support import REDIRECT


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def sign_in_of(discord: Loopback) -> SignIn:
    assert discord.platform.sign_in is not None
    return discord.platform.sign_in


async def code_for(discord: Loopback, browser: aiohttp.ClientSession, user: int = ANA) -> str:
    """Log in at Discord and agree, as a person does; gives the code that comes back."""
    await discord.people.sign_in(user)
    url = sign_in_of(discord).authorize_url(state="a-state", nonce="a-nonce", redirect_uri=REDIRECT, tenant=None)
    form = {"user": str(user), "decision": "authorize"}
    async with browser.post(url, data=form, allow_redirects=False) as response:
        back = parse_qs(urlsplit(response.headers["Location"]).query)
    assert back["state"] == ["a-state"]
    return back["code"][0]


@pytest.mark.behaviour("P-6")
async def test_it_tells_who_is_at_the_browser(idle: Loopback, browser: aiohttp.ClientSession) -> None:
    await idle.people.change_user(ANA, email="Ana@Example.test")
    code = await code_for(idle, browser)
    signed_in = await sign_in_of(idle).complete(code=code, nonce="a-nonce", redirect_uri=REDIRECT)
    assert (signed_in.platform, signed_in.tenant, signed_in.user) == ("discord", "", str(ANA))
    assert (signed_in.name, signed_in.email) == ("Ana Ruiz", "ana@example.test")


@pytest.mark.behaviour("P-6")
async def test_an_address_that_discord_did_not_verify_is_left_out(
    idle: Loopback, browser: aiohttp.ClientSession
) -> None:
    await idle.people.change_user(ANA, verified=False)
    code = await code_for(idle, browser)
    assert (await sign_in_of(idle).complete(code=code, nonce="", redirect_uri=REDIRECT)).email is None


async def test_a_code_counts_once_and_for_its_own_page(idle: Loopback, browser: aiohttp.ClientSession) -> None:
    code = await code_for(idle, browser)
    await sign_in_of(idle).complete(code=code, nonce="", redirect_uri=REDIRECT)
    for used, redirect in ((code, REDIRECT), ("forged", REDIRECT), (await code_for(idle, browser), REDIRECT + "x")):
        with pytest.raises(SignInError) as raised:
            await sign_in_of(idle).complete(code=used, nonce="", redirect_uri=redirect)
        assert raised.value.code == "invalid_grant"


@pytest.mark.parametrize(
    ("kind", "route", "code"),
    [
        ("drop", "POST /oauth2/token", "unreachable"),
        ("html", "POST /oauth2/token", "malformed_reply"),
        ("empty", "POST /oauth2/token", "malformed_reply"),
        ("error", "GET /users/@me", "identity_502"),
    ],
)
async def test_a_discord_that_fails_proves_nothing(
    idle: Loopback, browser: aiohttp.ClientSession, kind: str, route: str, code: str
) -> None:
    wanted = await code_for(idle, browser)
    await idle.people.fault(kind, route, status=502)
    with pytest.raises(SignInError) as raised:
        await sign_in_of(idle).complete(code=wanted, nonce="", redirect_uri=REDIRECT)
    assert raised.value.code == code
    assert wanted not in str(raised.value)


async def checks(discord: Loopback, **more: str) -> dict[str, tuple[Check, str, str]]:
    platform = platform_at(discord.vendor, discord.clock, discord.pauses, **more)
    found = await platform.diagnose()
    return {line.subject: (line.check, line.found, line.mend) for line in found}


async def test_doctor_finds_all_well(idle: Loopback) -> None:
    found = await checks(idle)
    assert {check for check, _, _ in found.values()} == {Check.GOOD}
    assert set(found) == {"Discord bot token", "Discord application", "Discord servers", "Discord sign-in"}


async def test_doctor_names_what_is_wrong_and_how_to_mend_it(idle: Loopback) -> None:
    token = await checks(idle, LAPSEBOT_DISCORD_BOT_TOKEN="not-the-token")
    assert token["Discord bot token"][0] is Check.BAD
    assert "LAPSEBOT_DISCORD_BOT_TOKEN" in token["Discord bot token"][2]
    secret = await checks(idle, LAPSEBOT_DISCORD_CLIENT_SECRET="not-the-secret")
    assert secret["Discord sign-in"][0] is Check.BAD
    other = await checks(idle, LAPSEBOT_DISCORD_CLIENT_ID="1")
    assert other["Discord application"][0] is Check.BAD
    await idle.people.kick_bot(GUILD)
    servers = (await checks(idle))["Discord servers"]
    assert servers[0] is Check.WARNING
    assert "scope=bot+applications.commands" in servers[2]
    for found in (token, secret, other):
        assert "not-the" not in str(found)


async def test_doctor_tells_an_outage_from_a_wrong_setting(idle: Loopback) -> None:
    await idle.people.fault("error", "*", status=503, times=100)
    found = await checks(idle)
    assert {check for check, _, _ in found.values()} == {Check.WARNING}
    assert set(found) == {"Discord bot token", "Discord sign-in"}
