"""X Ads: our client of OAuth 1.0a against Authlib's server half, and what X says of logins and ad accounts."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from authlib.oauth1 import ClientAuth

from bot.playground.vendors.networks import NetworkPeople, PlayError, serve_network
from commands.errors import NetworkError
from commands.model import Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Begun
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from platform_adapters.networks.oauth1 import Pair
from tests.support.clock import FakeClock
from tests.support.network_rigs import BOS, CALLBACK, FIRST, SECOND, NetworkRig, config, environment

CONSUMER = {"client_id": "app", "client_secret": "app-secret"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig(NetworkRig):
    """The adapter, and a client of the test's own beside it."""

    base: str
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, auth: ClientAuth, *, changed: str = "") -> tuple[int, str]:
        """A signed call. `changed` is sent after the signature was made without it."""
        url, headers, _ = auth.prepare(method, self.base + path, {}, b"")
        return await self.send(method, url + changed, headers)

    async def send(self, method: str, url: str, headers: dict[str, str]) -> tuple[int, str]:
        async with self.http.request(method, url, headers=headers) as answer:
            return answer.status, await answer.text()

    async def came_back(self, **choices: str) -> tuple[Begun, dict[str, str]]:
        """A login that was allowed: as it was begun, and what the browser brought."""
        begun = await self.begin()
        callback = await self.people.consent(begun.url, profile="ana", **choices)  # type: ignore[arg-type]  # by name
        return begun, dict(parse_qsl(urlsplit(callback).query))

    async def verdict(self, tokens: Tokens, account_id: str = FIRST) -> Verdict:
        probe = await self.probe(tokens)
        return probe.accounts.get(account_id, probe.grant).verdict


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = FakeClock()
    async with serve_network(config("x_ads", clock)) as base, aiohttp.ClientSession() as http:
        network = build_networks(environment("x_ads", base), clock)["x_ads"]
        async with network.running():
            yield Rig(network=network, people=NetworkPeople(base, http), clock=clock, base=base, http=http)


async def test_a_login_is_announced_first_and_asks_for_the_right_person(rig: Rig) -> None:
    begun = await rig.begin(login_hint="@acmesocial")
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    assert begun.secret is not None
    assert asked == {
        "oauth_token": Pair.from_secret(begun.secret).token,
        "force_login": "true",
        "screen_name": "acmesocial",
    }
    assert begun.url.partition("?")[0] == rig.network.login_url
    assert "screen_name" not in (await rig.begin()).url


async def test_the_secret_of_a_login_stands_in_no_address_and_no_text(rig: Rig) -> None:
    begun, answer = await rig.came_back()
    assert begun.secret is not None
    secret = Pair.from_secret(begun.secret).secret
    assert secret
    assert secret not in begun.url + repr(begun) + repr(Pair.from_secret(begun.secret)) + str(answer)


async def test_the_answer_brings_the_state_back_beside_what_is_exchanged(rig: Rig) -> None:
    _, answer = await rig.came_back()
    assert set(answer) == {"state", "oauth_token", "oauth_verifier"}
    assert answer["state"] == "s"


async def test_access_has_no_end_and_nothing_to_refresh_with(rig: Rig) -> None:
    tokens = await rig.log_in()
    assert (tokens.refresh, tokens.access_expires_at) == (None, None)
    assert tokens.obtained_at == rig.clock.now()
    assert await rig.network.refresh(tokens) is None


@pytest.mark.behaviour("R-4")
async def test_cancel_ends_the_login_and_says_so_by_its_own_parameter(rig: Rig) -> None:
    begun = await rig.begin()
    callback = await rig.people.consent(begun.url, profile="ana", allow=False)
    answer = dict(parse_qsl(urlsplit(callback).query))
    assert set(answer) == {"state", "denied"}
    with pytest.raises(PlayError):
        await rig.people.consent(begun.url, profile="ana")


@pytest.mark.behaviour("R-4")
async def test_a_verifier_is_good_once_and_a_wrong_one_ends_the_login(rig: Rig) -> None:
    begun, answer = await rig.came_back()
    assert (await rig.refused({**answer, "oauth_verifier": "another"}, begun)).finding.verdict is Verdict.EXPIRED
    assert (await rig.refused(answer, begun)).finding.verdict is Verdict.EXPIRED
    begun, answer = await rig.came_back()
    await rig.exchange(begun, answer)
    assert (await rig.refused(answer, begun)).finding.verdict is Verdict.EXPIRED


@pytest.mark.behaviour("R-3")
async def test_an_answer_to_another_login_is_not_exchanged(rig: Rig) -> None:
    mine, _ = await rig.came_back()
    _, theirs = await rig.came_back()
    await rig.people.forget_calls()
    error = await rig.refused(theirs, mine)
    assert error.finding.verdict is Verdict.EXPIRED
    assert "token" not in await rig.people.calls(), "X was not even asked"


async def test_a_login_that_takes_too_long_is_over(rig: Rig) -> None:
    begun, answer = await rig.came_back()
    await rig.people.set(clock_offset=601.0)
    assert (await rig.refused(answer, begun)).finding.verdict is Verdict.EXPIRED


async def test_an_address_that_the_app_has_not_registered_is_our_fault(rig: Rig) -> None:
    with pytest.raises(NetworkError) as refused:
        await rig.network.begin(
            state="s", redirect_uri="http://127.0.0.1:9/elsewhere", code_challenge=None, login_hint=None, again=False
        )
    assert (refused.value.finding.verdict, refused.value.finding.evidence.code) == (Verdict.OUR_FAULT, "415")


async def test_a_login_that_is_announced_without_confirmation_is_not_gone_to(rig: Rig) -> None:
    await rig.people.break_("malformed", endpoint="request_token")
    with pytest.raises(NetworkError) as refused:
        await rig.begin()
    assert refused.value.finding.verdict in {Verdict.UNCLEAR, Verdict.NETWORK_DOWN}


async def test_a_call_is_good_once(rig: Rig) -> None:
    auth = ClientAuth(**CONSUMER, redirect_uri=CALLBACK)
    url, headers, _ = auth.prepare("POST", f"{rig.base}/oauth/request_token", {}, b"")
    assert (await rig.send("POST", url, headers))[0] == 200
    assert (await rig.send("POST", url, headers))[0] == 401


async def test_a_call_from_long_ago_a_changed_one_and_a_strangers_are_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair.from_secret((await rig.log_in()).access)
    mine = ClientAuth(**CONSUMER, token=pair.token, token_secret=pair.secret)
    assert (await rig.call("GET", "/12/accounts", mine))[0] == 200
    assert (await rig.call("GET", "/12/accounts", mine, changed="?count=1"))[0] == 401
    for wrong in (
        ClientAuth("app", "another-secret", token=pair.token, token_secret=pair.secret),
        ClientAuth("another-app", "app-secret", token=pair.token, token_secret=pair.secret),
        ClientAuth(**CONSUMER, token=pair.token, token_secret="another-secret"),
        ClientAuth(**CONSUMER, token="another", token_secret=pair.secret),
    ):
        assert (await rig.call("GET", "/12/accounts", wrong))[0] == 401
    long_ago = str(int(time.time()) - 301)
    monkeypatch.setattr("authlib.oauth1.rfc5849.client_auth.generate_timestamp", lambda: long_ago)
    assert (await rig.call("GET", "/12/accounts", mine))[0] == 401


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("ACCOUNT_ADMIN", Verdict.HEALTHY),
        ("AD_MANAGER", Verdict.HEALTHY),
        ("CAMPAIGN_ANALYST", Verdict.HEALTHY),
        ("CREATIVE_MANAGER", Verdict.ROLE_LOST),
        ("ANALYST", Verdict.ROLE_LOST),
        ("PARTNER_AUDIENCE_MANAGER", Verdict.ROLE_LOST),
        ("TWEET_COMPOSER", Verdict.ROLE_LOST),
        (None, Verdict.ACCOUNT_GONE),
    ],
)
async def test_a_role_reads_campaigns_or_is_lost_for_that_account_alone(
    rig: Rig, role: str | None, expected: Verdict
) -> None:
    tokens = await rig.log_in()
    await rig.people.lower_role(FIRST, "ana", role)
    assert await rig.verdict(tokens) is expected
    assert await rig.verdict(tokens, SECOND) is Verdict.HEALTHY


@pytest.mark.behaviour("D-1")
async def test_a_login_shows_what_each_of_its_accounts_lacks(rig: Rig) -> None:
    await rig.people.lower_role(SECOND, "ana", "ANALYST")
    discovery = await rig.network.discover(await rig.log_in())
    verdicts = {account.account_id: account.finding.verdict for account in discovery.accounts}
    assert verdicts == {FIRST: Verdict.HEALTHY, SECOND: Verdict.ROLE_LOST}


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("CURRENT_USER_SUSPENDED", Verdict.USER_BLOCKED),
        ("ACCOUNT_LOCKED_OUT", Verdict.USER_BLOCKED),
        ("NEVER_SEEN", Verdict.UNCLEAR),
    ],
)
async def test_a_suspended_and_a_locked_person_are_told_apart_from_a_removed_access(
    rig: Rig, trouble: str, expected: Verdict
) -> None:
    tokens = await rig.log_in()
    await rig.people.set(login_trouble=trouble)
    probe = await rig.probe(tokens)
    assert (probe.grant.verdict, probe.grant.evidence.code) == (expected, trouble)


@pytest.mark.behaviour("D-4")
@pytest.mark.parametrize("trouble", ["UNAUTHORIZED_CLIENT_APPLICATION", "READONLY_CLIENT_APPLICATION"])
async def test_an_app_without_the_ads_api_is_our_fault(rig: Rig, trouble: str) -> None:
    tokens = await rig.log_in()
    await rig.people.set(app_trouble=trouble)
    assert (await rig.probe(tokens)).grant.verdict is Verdict.OUR_FAULT


@pytest.mark.behaviour("D-4", "D-6")
async def test_a_refused_access_is_believed_only_after_our_key_is_proved(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.people.revoke_grant(await rig.grant_id())
    assert (await rig.probe(tokens)).grant.verdict is Verdict.REVOKED
    down = await rig.people.network_down("request_token")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.NETWORK_DOWN
    await rig.people.repair(down)
    await rig.people.wrong_secret("app")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.OUR_FAULT
    with pytest.raises(NetworkError) as refused:
        await rig.network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.OUR_FAULT


@pytest.mark.behaviour("D-1", "R-7")
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("REJECTED", Verdict.ACCOUNT_DISABLED),
        ("UNDER_REVIEW", Verdict.HEALTHY),
        ("NEVER_SEEN", Verdict.UNCLEAR),
    ],
)
async def test_approval_of_an_account_is_told_apart_from_its_connection(
    rig: Rig, status: str, expected: Verdict
) -> None:
    tokens = await rig.log_in()
    await rig.people.disable_account(FIRST, status)
    assert await rig.verdict(tokens) is expected


async def test_every_page_of_a_list_is_read(rig: Rig) -> None:
    for number in range(1001):
        await rig.people.add_account(id=f"p{number}", name=f"Page {number}", business_id="", roles={"ana": "ADMIN"})
    tokens = await rig.log_in()
    await rig.people.forget_calls()
    probe = await rig.probe(tokens)
    assert probe.accounts[FIRST].verdict is Verdict.HEALTHY
    assert (await rig.people.calls())["accounts"] == 2


async def test_an_access_given_back_is_over_and_a_dead_one_hurts_nobody(rig: Rig) -> None:
    tokens = await rig.log_in()
    await rig.network.revoke(tokens)
    assert (await rig.probe(tokens)).grant.verdict is Verdict.REVOKED
    await rig.network.revoke(tokens)
    assert await rig.verdict(Tokens(access=Secret("nonsense"))) is Verdict.REVOKED


async def test_a_login_of_somebody_else_reaches_their_own_accounts(rig: Rig) -> None:
    await rig.people.add_account(id=BOS, name="Bo Lind", business_id="", roles={"bo": "ADMIN"})
    discovery = await rig.network.discover(await rig.log_in("bo"))
    assert (discovery.subject_name, [account.account_id for account in discovery.accounts]) == ("@bolind", [BOS])


@pytest.mark.behaviour("D-4")
async def test_doctor_calls_a_key_good_whose_address_alone_is_unknown(rig: Rig) -> None:
    assert [line.check for line in await rig.network.diagnose()] == [Check.GOOD]
    await rig.people.wrong_secret("app")
    (line,) = await rig.network.diagnose()
    assert line.check is Check.BAD
    assert "API key" in line.mend
