"""YouTube against its stand-in: a login stands for one channel, and what befalls the channel is told from it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from commands.errors import NetworkError
from commands.model import RECONNECT_DOES_NOT_HELP, Finding, Tokens, Verdict
from commands.ports.network import Expected, Grouping
from commands.secret import Secret
from platform_adapters.discovery import build_networks
from tests.support.network_rigs import BOS, CALLBACK, FIRST, SECOND, NetworkRig, environment, network_rig

READ = "https://www.googleapis.com/auth/youtube.readonly"
REPORTS = "https://www.googleapis.com/auth/yt-analytics.readonly"


@pytest.fixture
async def rig() -> AsyncIterator[NetworkRig]:
    async with network_rig("youtube") as running:
        yield running


async def log_in(rig: NetworkRig, channel: str | None = None, *, chooser: bool = True) -> Tokens:
    begun = await rig.network.begin(state="s", redirect_uri=CALLBACK, code_challenge=None, login_hint=None, again=False)
    url = begun.url
    if not chooser:
        url = url.replace("+select_account", "")
        assert "select_account" not in url
    callback = await rig.people.consent(url, profile="ana", business=channel)
    answer = dict(parse_qsl(urlsplit(callback).query))
    return (await rig.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=None)).tokens


async def finding(rig: NetworkRig, tokens: Tokens, channel: str = FIRST) -> Finding:
    """What is said of one channel under a login that itself is well."""
    probe = await rig.network.probe(tokens, [Expected(account_id=channel, parent=None)])
    assert probe.grant.verdict is Verdict.HEALTHY
    return probe.accounts[channel]


def test_lapses_of_youtube_are_told_together_and_looked_for_sparingly(rig: NetworkRig) -> None:
    assert rig.network.spec.grouping is Grouping.SUMMARY
    assert rig.network.spec.check_interval >= timedelta(hours=4)  # 10,000 looks a day are all that an app has


@pytest.mark.behaviour("R-14")
async def test_a_login_is_the_channel_that_was_chosen_at_it(rig: NetworkRig) -> None:
    discovery = await rig.network.discover(await log_in(rig, SECOND))
    assert (discovery.subject_id, discovery.subject_name) == (SECOND, "Acme US Ads")
    assert [account.account_id for account in discovery.accounts] == [SECOND]
    assert discovery.granted == {READ, REPORTS}


async def test_without_the_chooser_the_first_channel_is_taken_which_is_why_we_ask_for_it(rig: NetworkRig) -> None:
    tokens = await log_in(rig, SECOND, chooser=False)
    assert (await rig.network.discover(tokens)).subject_id == FIRST


async def test_the_channels_of_one_person_hang_on_logins_of_their_own(rig: NetworkRig) -> None:
    first, second = await log_in(rig, FIRST), await log_in(rig, SECOND)
    await rig.network.revoke(first)
    assert (await finding(rig, second, SECOND)).verdict is Verdict.HEALTHY
    assert (await rig.probe(first)).grant.verdict is Verdict.REVOKED


@pytest.mark.behaviour("R-6", "D-1")
async def test_a_login_for_another_channel_is_told_from_a_channel_that_is_gone(rig: NetworkRig) -> None:
    tokens = await log_in(rig, SECOND)
    assert (await finding(rig, tokens)).verdict is Verdict.ROLE_LOST
    await rig.people.delete_account(FIRST)
    assert (await finding(rig, tokens)).verdict is Verdict.ACCOUNT_GONE


@pytest.mark.behaviour("D-1")
async def test_a_channel_that_went_to_another_google_account_is_its_new_holders_to_reconnect(rig: NetworkRig) -> None:
    tokens = await log_in(rig)
    await rig.people.break_("drop_account", grant=await rig.grant_id(), account=FIRST)
    lost = await finding(rig, tokens)
    assert (lost.verdict, lost.evidence.code) == (Verdict.ROLE_LOST, "other_channel")
    assert lost.verdict not in RECONNECT_DOES_NOT_HELP


@pytest.mark.behaviour("D-1")
async def test_a_suspended_a_closed_and_a_lost_channel_are_told_apart_with_youtubes_reason(rig: NetworkRig) -> None:
    tokens = await log_in(rig)
    for break_, verdict, reason in (
        (rig.people.disable_account(FIRST), Verdict.ACCOUNT_DISABLED, "authenticatedUserAccountSuspended"),
        (rig.people.delete_account(FIRST), Verdict.ACCOUNT_GONE, "authenticatedUserAccountClosed"),
        (rig.people.lower_role(FIRST, "ana"), Verdict.ROLE_LOST, "accountDelegationForbidden"),
    ):
        broken = await break_
        found = await finding(rig, tokens)
        assert (found.verdict, found.evidence.code) == (verdict, reason)
        await rig.people.repair(broken)
    assert (await finding(rig, tokens)).verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-4")
async def test_a_used_up_quota_is_no_lapse_of_anybodys(rig: NetworkRig) -> None:
    tokens = await log_in(rig)
    await rig.people.throttled("channels")
    probe = await rig.probe(tokens)
    assert (probe.grant.verdict, probe.grant.evidence.code) == (Verdict.THROTTLED, "quotaExceeded")


@pytest.mark.behaviour("D-1")
async def test_a_disabled_google_account_is_to_be_put_right_at_google_first(rig: NetworkRig) -> None:
    tokens = await log_in(rig)
    await rig.people.block_profile("ana")
    probe = await rig.probe(tokens)
    assert (probe.grant.verdict, probe.grant.evidence.code) == (Verdict.USER_BLOCKED, "ACCOUNT_STATE_INVALID")


@pytest.mark.behaviour("R-5")
async def test_without_the_box_for_the_channel_both_what_is_missing_and_what_is_there_are_known(
    rig: NetworkRig,
) -> None:
    tokens = await rig.log_in(permissions=[REPORTS])
    grant = (await rig.probe(tokens)).grant
    assert (grant.verdict, grant.evidence.missing) == (Verdict.PERMISSION_MISSING, ("View your YouTube account",))
    discovery = await rig.network.discover(tokens)
    assert (discovery.granted, discovery.accounts) == (frozenset({REPORTS}), ())


@pytest.mark.behaviour("R-6")
async def test_a_login_without_a_channel_reaches_nothing(rig: NetworkRig) -> None:
    await rig.people.lower_role(BOS, "bo")
    tokens = await rig.log_in("bo")
    discovery = await rig.network.discover(tokens)
    assert (discovery.subject_id, discovery.accounts) == ("", ())
    assert discovery.subject_name
    assert (await finding(rig, tokens)).verdict is Verdict.ROLE_LOST


async def test_logging_in_to_a_suspended_channel_says_so(rig: NetworkRig) -> None:
    tokens = await log_in(rig)
    await rig.people.disable_account(FIRST)
    with pytest.raises(NetworkError) as refused:
        await rig.network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.ACCOUNT_DISABLED


async def test_a_check_costs_one_look_at_the_quota_and_another_only_for_a_channel_that_is_missing(
    rig: NetworkRig,
) -> None:
    tokens = await log_in(rig)
    await rig.people.forget_calls()
    await finding(rig, tokens)
    assert await rig.people.calls() == {"channels": 1, "tokeninfo": 1}
    await finding(rig, tokens, SECOND)
    assert (await rig.people.calls())["channels"] == 3


@pytest.mark.behaviour("D-1")
async def test_a_channel_that_youtube_cannot_find_is_gone_and_the_login_is_well(rig: NetworkRig) -> None:
    async def channels(request: web.Request) -> web.Response:
        if "mine" in request.query:
            return web.json_response({"pageInfo": {"totalResults": 0}})
        error = {"code": 404, "errors": [{"domain": "youtube.channel", "reason": "channelNotFound"}]}
        return web.json_response({"error": error}, status=404)

    async def token_info(request: web.Request) -> web.Response:
        return web.json_response({"scope": f"{READ} {REPORTS}"})

    app = web.Application()
    app.router.add_get("/youtube/v3/channels", channels)
    app.router.add_post("/tokeninfo", token_info)
    async with TestServer(app) as server:
        network = build_networks(environment("youtube", str(server.make_url("")).rstrip("/")), rig.clock)["youtube"]
        async with network.running():
            beside = NetworkRig(network=network, people=rig.people, clock=rig.clock)
            gone = await finding(beside, Tokens(access=Secret("any")))
    assert (gone.verdict, gone.evidence.code) == (Verdict.ACCOUNT_GONE, "channelNotFound")
