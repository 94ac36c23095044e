"""Installing and Sign in with Slack: pages without JavaScript, codes of one use, signed id tokens."""

import re
from collections.abc import AsyncIterator, Awaitable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.vendors.slack import AppConfig
from tests.vendors.slack_support import ANA, GENERAL, OTHER, RAJ, TEAM, ZOE, Slack, config, slack

# slack_sdk 3.47 still hands its client credentials to aiohttp as BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

BACK = "https://bot.example/oauth/slack"
APP = AppConfig(redirect_urls=(BACK,))


@pytest.fixture
async def here() -> AsyncIterator[Slack]:
    async with slack(config(app=APP)) as running:
        yield running


async def page(here: Slack, path: str, **query: str) -> tuple[int, str]:
    async with here.session.get(here.vendor.base_url + path, params=query) as reply:
        return reply.status, await reply.text()


async def answer(here: Slack, path: str, html: str, button: str) -> dict[str, str]:
    """Press a button of the page as a browser without JavaScript would; returns what came back to the app."""
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html.replace("&amp;", "&")))
    url = here.vendor.base_url + path
    async with here.session.post(url, data={**fields, "answer": button}, allow_redirects=False) as reply:
        assert reply.status == 303, await reply.text()
        location = reply.headers["Location"]
    assert location.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


OPENID = {
    "response_type": "code",
    "scope": "openid email profile",
    "client_id": APP.client_id,
    "state": "s1",
    "nonce": "n1",
    "redirect_uri": BACK,
}


async def sign_in(here: Slack) -> dict[str, str]:
    status, html = await page(here, "/openid/connect/authorize", **OPENID)
    assert status == 200
    return await answer(here, "/openid/connect/authorize", html, "allow")


async def test_sign_in_with_slack_says_who_is_at_the_browser(here: Slack) -> None:
    await here.people.sign_in(TEAM, ANA)
    _, html = await page(here, "/openid/connect/authorize", **OPENID)
    assert "Continue as Ana" in html
    assert "<script" not in html
    given = await sign_in(here)
    assert given["state"] == "s1"
    tokens = await here.client.openid_connect_token(
        client_id=APP.client_id, client_secret=APP.client_secret, code=given["code"], redirect_uri=BACK
    )
    async with here.session.get(here.vendor.base_url + "/openid/connect/keys") as reply:
        keys = KeySet.import_key_set(await reply.json())
    token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": "https://slack.com"},
        aud={"essential": True, "value": APP.client_id},
        exp={"essential": True},
        nonce={"essential": True, "value": "n1"},
    ).validate(token.claims)
    assert token.claims["https://slack.com/team_id"] == TEAM
    assert token.claims["https://slack.com/user_id"] == token.claims["sub"] == ANA
    assert (token.claims["email"], token.claims["email_verified"]) == ("ana@agency.example", True)
    info = await here.client.openid_connect_userInfo(token=tokens["access_token"])
    assert (info["sub"], info["name"]) == (ANA, "Ana Ruiz")


async def test_a_browsers_own_cookie_goes_before_the_playgrounds_choice(here: Slack) -> None:
    await here.people.sign_in(TEAM, ANA)
    await here.people.sign_in(TEAM, RAJ, browser=True)
    _, html = await page(here, "/openid/connect/authorize", **OPENID)
    assert "Continue as Raj" in html


async def test_nobody_signed_in_is_asked_who_they_are_and_can_switch(here: Slack) -> None:
    _, html = await page(here, "/openid/connect/authorize", **OPENID)
    assert "Who is signing in?" in html
    url = here.vendor.base_url + "/openid/connect/authorize"
    async with here.session.post(url, data={**OPENID, "answer": "switch", "as": f"{OTHER}:{ZOE}"}) as reply:
        assert "Continue as Zoe" in await reply.text()


async def test_declining_sends_back_an_error_with_the_state(here: Slack) -> None:
    await here.people.sign_in(TEAM, ANA)
    _, html = await page(here, "/openid/connect/authorize", **OPENID)
    given = await answer(here, "/openid/connect/authorize", html, "deny")
    assert given == {"error": "access_denied", "state": "s1"}


async def refused(call: Awaitable[object]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_code_works_once_for_its_own_client_flow_and_address(here: Slack) -> None:
    await here.people.sign_in(TEAM, ANA)
    mine = {"client_id": APP.client_id, "client_secret": APP.client_secret}
    connect, install = here.client.openid_connect_token, here.client.oauth_v2_access
    code = (await sign_in(here))["code"]
    assert await refused(install(**mine, code=code, redirect_uri=BACK)) == "invalid_code"
    assert await refused(connect(client_id=APP.client_id, client_secret="wrong", code=code)) == "bad_client_secret"
    assert await refused(connect(client_id="1.2", client_secret="x", code=code)) == "invalid_client_id"
    await connect(**mine, code=code, redirect_uri=BACK)
    assert await refused(connect(**mine, code=code, redirect_uri=BACK)) == "code_already_used"
    code = (await sign_in(here))["code"]
    assert await refused(connect(**mine, code=code, redirect_uri=BACK + "/x")) == "bad_redirect_uri"
    code = (await sign_in(here))["code"]
    await here.people.post("clock", advance=601)
    assert await refused(connect(**mine, code=code, redirect_uri=BACK)) == "invalid_code"


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        (BACK, True),
        (BACK + "/more", True),
        (BACK + "?x=1", True),
        (BACK + "more", False),
        ("https://bot.example/oauth", False),
        ("https://bot.example.evil.example/oauth/slack", False),
        ("https://user@bot.example/oauth/slack", False),
        (BACK + "#fragment", False),
        (BACK + "/../evil", False),
        ("http://bot.example/oauth/slack", False),
    ],
)
async def test_redirects_are_the_registered_address_or_below_it(here: Slack, uri: str, good: bool) -> None:
    await here.people.sign_in(TEAM, ANA)
    status, html = await page(here, "/openid/connect/authorize", **{**OPENID, "redirect_uri": uri})
    assert status == (200 if good else 400)
    assert good or "bad_redirect_uri" in html


@pytest.mark.parametrize(
    "change",
    [{"client_id": "9.9"}, {"response_type": "token"}, {"scope": "email"}, {"scope": "openid", "redirect_uri": ""}],
)
async def test_a_wrong_authorize_request_stops_at_slacks_own_page(here: Slack, change: dict[str, str]) -> None:
    assert (await page(here, "/openid/connect/authorize", **{**OPENID, **change}))[0] == 400


async def install(here: Slack, scopes: str = "commands,chat:write") -> str:
    query = {"client_id": APP.client_id, "scope": scopes, "state": "s2", "redirect_uri": BACK}
    _, html = await page(here, "/oauth/v2/authorize", **query)
    assert "requesting permission to access the Client workspace" in html
    return (await answer(here, "/oauth/v2/authorize", html, "allow"))["code"]


async def test_installing_gives_a_workspace_its_own_token(here: Slack) -> None:
    await here.people.sign_in(OTHER, ZOE)
    client = AsyncWebClient(base_url=here.vendor.api_url)
    mine = {"client_id": APP.client_id, "client_secret": APP.client_secret, "redirect_uri": BACK}
    got = await client.oauth_v2_access(**mine, code=await install(here))
    assert (got["team"]["id"], got["authed_user"]["id"], got["token_type"]) == (OTHER, ZOE, "bot")
    again = await client.oauth_v2_access(**mine, code=await install(here, "im:write"))
    assert again["scope"] == "commands,chat:write,im:write"
    theirs = AsyncWebClient(token=again["access_token"], base_url=here.vendor.api_url)
    await theirs.chat_postMessage(channel=ZOE, text="hello")
    assert await refused(theirs.chat_postMessage(channel=GENERAL, text="x")) == "channel_not_found"
    assert await refused(theirs.users_info(user=ZOE)) == "missing_scope"
    assert APP.client_secret not in str(await here.people.log("accepted"))


async def test_rotating_tokens_are_refreshed_once_and_two_live_at_most(here: Slack) -> None:
    await here.people.post("app", token_rotation=True)
    await here.people.sign_in(OTHER, ZOE)
    client = AsyncWebClient(base_url=here.vendor.api_url)
    mine = {"client_id": APP.client_id, "client_secret": APP.client_secret}
    first = await client.oauth_v2_access(**mine, code=await install(here), redirect_uri=BACK)
    assert first["expires_in"] == 43_200
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await client.oauth_v2_access(**mine, **refresh)
    assert await refused(client.oauth_v2_access(**mine, **refresh)) == "invalid_refresh_token"
    await client.auth_test(token=first["access_token"])
    third = await client.oauth_v2_access(**mine, grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert await refused(client.auth_test(token=first["access_token"])) == "token_expired"
    await here.people.post("clock", advance=43_201)
    assert await refused(client.auth_test(token=third["access_token"])) == "token_expired"


async def test_discovery_names_addresses_of_the_stand_in(here: Slack) -> None:
    async with here.session.get(here.vendor.base_url + "/.well-known/openid-configuration") as reply:
        found = await reply.json()
    assert found["issuer"] == "https://slack.com"
    assert found["token_endpoint"] == here.vendor.base_url + "/api/openid.connect.token"
    assert urlencode({"x": found["jwks_uri"]}).endswith("keys")
