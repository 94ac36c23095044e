"""Sign in with Slack, against the loopback Slack's OpenID provider, and against tokens that somebody made up."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from commands.errors import SignInError
from commands.ports.chat import SignIn
from platform_adapters.chat.slack.adapter import SlackPlatform
from platform_adapters.chat.slack.settings import read_settings
from tests.slack_adapter.loopback import ANA, TEAM, Loopback, running, surroundings

REDIRECT = "http://127.0.0.1/sign-in/slack"


@pytest.fixture
async def slack() -> AsyncIterator[Loopback]:
    async with running(None) as loopback:
        loopback.vendor.set_app(redirect_urls=(REDIRECT,))
        await loopback.people.sign_in(TEAM, ANA, browser=True)
        yield loopback


def of(slack: Loopback) -> SignIn:
    assert slack.platform.sign_in is not None
    return slack.platform.sign_in


async def code_for(slack: Loopback, *, nonce: str = "n0", answer: str = "allow") -> Mapping[str, list[str]]:
    """Go through Slack's page as Ana."""
    url = of(slack).authorize_url(state="s0", nonce=nonce, redirect_uri=REDIRECT, tenant=TEAM)
    form = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    page = url.partition("?")[0]
    async with slack.session.get(url) as shown:
        assert shown.status == 200
    async with slack.session.post(
        page, data={**form, "as": f"{TEAM}:{ANA}", "answer": answer}, allow_redirects=False
    ) as back:
        return parse_qs(urlsplit(back.headers["Location"]).query)


@pytest.mark.behaviour("P-6")
async def test_who_signs_in_is_the_user_and_the_workspace_that_slack_names(slack: Loopback) -> None:
    back = await code_for(slack)
    assert back["state"] == ["s0"]
    who = await of(slack).complete(code=back["code"][0], nonce="n0", redirect_uri=REDIRECT)
    assert (who.platform, who.tenant, who.user, who.name) == ("slack", TEAM, ANA, "Ana Ruiz")
    assert who.email == "ana@agency.example"


def test_the_address_names_the_workspace_and_carries_no_secret(slack: Loopback) -> None:
    url = of(slack).authorize_url(state="s0", nonce="n0", redirect_uri=REDIRECT, tenant=TEAM)
    query = parse_qs(urlsplit(url).query)
    assert query["team"] == [TEAM]
    assert query["scope"] == ["openid email profile"]
    assert "secret" not in url


async def test_a_code_is_good_once(slack: Loopback) -> None:
    code = (await code_for(slack))["code"][0]
    await of(slack).complete(code=code, nonce="n0", redirect_uri=REDIRECT)
    with pytest.raises(SignInError, match="code_already_used"):
        await of(slack).complete(code=code, nonce="n0", redirect_uri=REDIRECT)


@pytest.mark.parametrize("nonce", ["another", "", "ñ"])
async def test_another_browsers_nonce_is_refused(slack: Loopback, nonce: str) -> None:
    code = (await code_for(slack))["code"][0]
    with pytest.raises(SignInError, match="wrong_nonce"):
        await of(slack).complete(code=code, nonce=nonce, redirect_uri=REDIRECT)


@pytest.mark.parametrize("fault", ["http", "truncate", "empty", "drop", "rate_limit"])
async def test_a_slack_that_fails_signs_nobody_in(slack: Loopback, fault: str) -> None:
    code = (await code_for(slack))["code"][0]
    await slack.people.fail("openid.connect.token", fault)
    with pytest.raises(SignInError):
        await of(slack).complete(code=code, nonce="n0", redirect_uri=REDIRECT)


KEY = RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig", "alg": "RS256"})
NEXT_KEY = RSAKey.generate_key(2048, parameters={"kid": "k2", "use": "sig", "alg": "RS256"})


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    good = {
        "iss": "https://slack.com",
        "aud": "111.222",
        "sub": ANA,
        "iat": now,
        "exp": now + 300,
        "nonce": "n0",
        "https://slack.com/user_id": ANA,
        "https://slack.com/team_id": TEAM,
        "name": "Ana Ruiz",
        "email": "Ana@Agency.Example",
        "email_verified": True,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@asynccontextmanager
async def provider(id_token: str, keys: object = None) -> AsyncIterator[SignIn]:
    """A provider that answers any code with this token."""

    async def token(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "access_token": "xoxp-1", "id_token": id_token})

    async def key_set(_request: web.Request) -> web.Response:
        return web.json_response(KeySet([KEY]).as_dict(private=False) if keys is None else keys)

    app = web.Application()
    app.add_routes([web.post("/api/openid.connect.token", token), web.get("/openid/connect/keys", key_set)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{site.port}"
        settings = read_settings(
            {
                "LAPSEBOT_SLACK_BOT_TOKEN": "xoxb-1",
                "LAPSEBOT_SLACK_APP_TOKEN": "xapp-1",
                "LAPSEBOT_SLACK_CLIENT_ID": "111.222",
                "LAPSEBOT_SLACK_CLIENT_SECRET": "0123456789abcdef",
                "LAPSEBOT_SLACK_API_URL": f"{base}/api/",
                "LAPSEBOT_SLACK_AUTHORIZE_URL": base,
            }
        )
        assert settings is not None
        sign_in = SlackPlatform(settings, surroundings()).sign_in
        assert sign_in is not None
        yield sign_in
    finally:
        await runner.cleanup()


def signed(key: RSAKey = KEY, header: Mapping[str, object] | None = None, without: str = "", **changes: object) -> str:
    told = {name: value for name, value in claims(**changes).items() if name != without}
    return jwt.encode({"alg": "RS256", "kid": "k1", **(header or {})}, told, key)


async def test_a_good_token_signs_in_and_an_address_is_written_small() -> None:
    async with provider(signed()) as sign_in:
        who = await sign_in.complete(code="c", nonce="n0", redirect_uri=REDIRECT)
    assert (who.user, who.tenant, who.email) == (ANA, TEAM, "ana@agency.example")


@pytest.mark.parametrize("verified", [False, "true", 1, None])
async def test_an_address_that_slack_did_not_verify_is_not_handed_on(verified: object) -> None:
    async with provider(signed(email_verified=verified)) as sign_in:
        assert (await sign_in.complete(code="c", nonce="n0", redirect_uri=REDIRECT)).email is None


BAD = {
    "another issuer": signed(iss="https://evil.example"),
    "no issuer": signed(iss=None),
    "another audience": signed(aud="999.999"),
    "no audience": signed(aud=None),
    "expired": signed(exp=int(time.time()) - 3600),
    "no expiry": signed(exp=None),
    "of the future": signed(iat=int(time.time()) + 3600),
    "no nonce": signed(nonce=None),
    "a number for a nonce": signed(nonce=7),
    "no user": signed(without="https://slack.com/user_id"),
    "no team": signed(without="https://slack.com/team_id"),
    "another subject": signed(sub="U0RAJ"),
    "another key": signed(OTHER_KEY),
    "an unknown key": signed(NEXT_KEY, {"kid": "k2"}),
    "not a token": "abc.def",
    "empty": "",
    "unsigned": "eyJhbGciOiJub25lIn0.e30.",
    "symmetric": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
async def test_a_token_that_is_not_slacks_for_us_now_signs_nobody_in(token: str) -> None:
    async with provider(token) as sign_in:
        with pytest.raises(SignInError):
            await sign_in.complete(code="c", nonce="n0", redirect_uri=REDIRECT)


@pytest.mark.parametrize("keys", [[], {}, {"keys": "x"}, {"keys": [{"kty": "RSA"}]}, "x"])
async def test_keys_that_make_no_sense_sign_nobody_in(keys: object) -> None:
    async with provider(signed(), keys) as sign_in:
        with pytest.raises(SignInError):
            await sign_in.complete(code="c", nonce="n0", redirect_uri=REDIRECT)
