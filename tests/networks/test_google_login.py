"""Google's login, as YouTube and Google Ads both use it, against its stand-ins."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from commands.errors import NetworkError
from commands.model import CLEAR_LAPSES, Finding, Tokens, Verdict
from commands.ports.network import Grant
from platform_adapters.discovery import build_networks
from tests.support.network_rigs import CALLBACK, FIRST, PERMISSIONS, NetworkRig, environment, network_rig

BOTH = ("google_ads", "youtube")
VERIFIER = "v" * 64


@pytest.fixture(params=BOTH)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[NetworkRig]:
    async with network_rig(request.param) as running:
        yield running


async def address(rig: NetworkRig, *, hint: str | None = None, challenge: str | None = None) -> str:
    begun = await rig.network.begin(
        state="s", redirect_uri=CALLBACK, code_challenge=challenge, login_hint=hint, again=False
    )
    return begun.url


async def consent(rig: NetworkRig, url: str, **choices: list[str] | str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(await rig.people.consent(url, profile="ana", **choices)).query))  # type: ignore[arg-type]  # choices as the page names them


async def log_in(rig: NetworkRig, url: str | None = None, **choices: list[str] | str) -> Grant:
    answer = await consent(rig, url or await address(rig), **choices)
    return await rig.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=None)


async def refused(rig: NetworkRig, tokens: Tokens) -> Finding:
    with pytest.raises(NetworkError) as error:
        await rig.network.refresh(tokens)
    return error.value.finding


def outlived(tokens: Tokens) -> Tokens:
    """The same tokens, their access past its end by our clock."""
    return Tokens(
        access=tokens.access,
        refresh=tokens.refresh,
        access_expires_at=tokens.obtained_at,
        obtained_at=tokens.obtained_at,
    )


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.mark.behaviour("R-3")
async def test_the_login_asks_for_access_that_lasts_for_a_new_consent_and_for_proof_of_possession(
    rig: NetworkRig,
) -> None:
    query = query_of(await address(rig, challenge="c" * 43))
    assert query["access_type"] == "offline"
    assert query["include_granted_scopes"] == "true"
    assert query["prompt"] == "consent select_account"
    assert (query["code_challenge"], query["code_challenge_method"]) == ("c" * 43, "S256")
    assert "login_hint" not in query
    assert "code_challenge_method" not in query_of(await address(rig))


async def test_a_known_login_is_offered_first_except_by_youtube_which_knows_channels() -> None:
    asked = {}
    for slug in BOTH:
        async with network_rig(slug) as rig:
            query = query_of(await address(rig, hint="ana@acme.example"))
            asked[slug] = query.get("login_hint"), query["prompt"]
    assert asked == {
        "google_ads": ("ana@acme.example", "consent"),
        "youtube": (None, "consent select_account"),
    }


@pytest.mark.behaviour("R-3")
async def test_a_code_is_only_good_with_the_secret_that_its_login_began_with(rig: NetworkRig) -> None:
    assert rig.network.spec.uses_pkce
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    answer = await consent(rig, await address(rig, challenge=challenge))
    for wrong in (None, "w" * 64):
        with pytest.raises(NetworkError):
            await rig.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=wrong)
    grant = await rig.network.exchange(answer=answer, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    assert (await rig.probe(grant.tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("R-16")
async def test_a_refresh_keeps_the_refresh_token_that_google_leaves_out(rig: NetworkRig) -> None:
    grant = await log_in(rig)
    rig.clock.advance(timedelta(minutes=59))
    fresh = await rig.network.refresh(grant.tokens)
    assert fresh is not None
    assert fresh.tokens.refresh == grant.tokens.refresh
    assert fresh.tokens.access != grant.tokens.access
    assert fresh.tokens.obtained_at == rig.clock.now()
    assert fresh.ends_at is None


@pytest.mark.behaviour("R-16")
async def test_a_second_login_without_a_new_consent_brings_no_refresh_token_and_cannot_refresh(rig: NetworkRig) -> None:
    assert (await log_in(rig)).tokens.refresh is not None
    again = (await log_in(rig, (await address(rig)).replace("consent", "none"))).tokens
    assert again.refresh is None
    assert await rig.network.refresh(again) is None
    assert (await rig.probe(again)).grant.verdict is Verdict.HEALTHY
    assert (await log_in(rig)).tokens.refresh is not None


@pytest.mark.behaviour("D-2")
async def test_an_app_in_testing_has_an_end_date_and_then_is_expired(rig: NetworkRig) -> None:
    await rig.people.set(testing=True)
    grant = await log_in(rig)
    week = rig.clock.now() + timedelta(days=7)
    assert grant.ends_at is not None
    assert abs(grant.ends_at - week) < timedelta(minutes=1)
    rig.clock.advance(timedelta(days=6))
    fresh = await rig.network.refresh(grant.tokens)
    assert fresh is not None
    assert fresh.ends_at is not None
    assert abs(fresh.ends_at - week) < timedelta(minutes=1)
    rig.clock.advance(timedelta(days=1))
    assert (await refused(rig, fresh.tokens)).verdict is Verdict.EXPIRED


@pytest.mark.behaviour("D-3")
async def test_a_grant_lives_as_long_as_it_is_refreshed_and_dies_of_six_idle_months(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    for _ in range(3):
        rig.clock.advance(timedelta(days=100))
        fresh = await rig.network.refresh(tokens)
        assert fresh is not None
        tokens = fresh.tokens
    rig.clock.advance(timedelta(days=180))
    assert (await refused(rig, tokens)).verdict is Verdict.EXPIRED
    assert (await rig.probe(tokens)).grant.verdict is Verdict.EXPIRED


@pytest.mark.behaviour("D-1")
async def test_one_login_too_many_ends_the_oldest_which_is_not_taken_for_a_removal(rig: NetworkRig) -> None:
    oldest = (await log_in(rig)).tokens
    for _ in range(100):
        await log_in(rig)
    finding = await refused(rig, oldest)
    assert (finding.verdict, finding.evidence.code) == (Verdict.EXPIRED, "invalid_grant")
    assert (await rig.probe(oldest)).grant.verdict is Verdict.HEALTHY  # until its hour is over


@pytest.mark.behaviour("D-1")
async def test_a_refused_refresh_is_a_removal_where_the_access_ended_before_its_time(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    await rig.people.revoke_grant(await rig.grant_id())
    assert (await refused(rig, tokens)).verdict is Verdict.REVOKED
    assert (await refused(rig, outlived(tokens))).verdict is Verdict.EXPIRED  # nothing tells it from age any more


@pytest.mark.behaviour("D-1")
async def test_a_companys_session_policy_is_the_administrators_to_mend(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    await rig.people.set(session_control=True)
    finding = await refused(rig, tokens)
    assert (finding.verdict, finding.evidence.subcode) == (Verdict.ADMIN_BLOCK, "invalid_rapt")
    await rig.people.expire_grant(await rig.grant_id(), only="access")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.ADMIN_BLOCK


@pytest.mark.behaviour("D-1")
async def test_an_app_that_administrators_restricted_is_theirs_to_allow(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    await rig.people.set(admin_restricted=True)
    finding = await refused(rig, tokens)
    assert (finding.verdict, finding.evidence.code) == (Verdict.ADMIN_BLOCK, "admin_policy_enforced")


@pytest.mark.behaviour("D-5")
async def test_access_that_is_past_its_time_is_no_lapse_while_a_refresh_works(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    await rig.people.expire_grant(await rig.grant_id(), only="access")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


@pytest.mark.behaviour("D-4")
async def test_access_past_its_time_while_logins_are_out_of_order_is_no_lapse(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    await rig.people.expire_grant(await rig.grant_id())
    await rig.people.network_down("token")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.NETWORK_DOWN


@pytest.mark.behaviour("D-4")
async def test_a_wrong_secret_of_ours_is_no_lapse_where_access_is_past_its_time(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    await rig.people.expire_grant(await rig.grant_id(), only="access")
    await rig.people.wrong_secret("app")
    assert (await rig.probe(tokens)).grant.verdict is Verdict.OUR_FAULT


@pytest.mark.behaviour("D-6")
async def test_access_that_google_has_just_issued_and_its_api_refuses_proves_nothing(rig: NetworkRig) -> None:
    async def token(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "fresh", "expires_in": 3599, "token_type": "Bearer"})

    async def api(request: web.Request) -> web.Response:
        return web.json_response({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "no"}}, status=401)

    tokens = (await log_in(rig)).tokens
    app = web.Application()
    app.router.add_post("/token", token)
    app.router.add_route("*", "/{rest:.*}", api)
    slug = rig.network.spec.slug
    async with TestServer(app) as server:
        network = build_networks(environment(slug, str(server.make_url("")).rstrip("/")), rig.clock)[slug]
        async with network.running():
            probe = await network.probe(tokens, rig.expected)
    assert probe.grant.verdict not in CLEAR_LAPSES
    assert probe.grant.verdict is not Verdict.HEALTHY


@pytest.mark.behaviour("R-5")
async def test_a_box_left_unticked_is_named_and_what_was_granted_is_told(rig: NetworkRig) -> None:
    spec, asked = rig.network.spec, PERMISSIONS[rig.network.spec.slug]
    boxes = [scope for scope in asked if scope.startswith("https:")]
    tokens = (await log_in(rig, permissions=boxes[:-1])).tokens
    finding = (await rig.probe(tokens)).grant
    assert (finding.verdict, finding.evidence.missing) == (
        Verdict.PERMISSION_MISSING,
        (spec.permissions[-1].label,),
    )
    discovery = await rig.network.discover(tokens)
    assert discovery.granted == frozenset(asked) - {boxes[-1]}
    assert not spec.permissions[-1].satisfied_by & discovery.granted


@pytest.mark.behaviour("R-5")
async def test_ticking_the_missing_box_alone_at_the_next_login_completes_the_grant(rig: NetworkRig) -> None:
    boxes = [scope for scope in PERMISSIONS[rig.network.spec.slug] if scope.startswith("https:")]
    await log_in(rig, permissions=boxes[:-1])
    tokens = (await log_in(rig, permissions=boxes[-1:])).tokens
    assert (await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY


async def test_giving_a_grant_back_ends_every_grant_of_that_person_and_no_other(rig: NetworkRig) -> None:
    first, second = (await log_in(rig)).tokens, (await log_in(rig)).tokens
    bos = await rig.log_in("bo")
    await rig.network.revoke(second)
    assert (await rig.probe(first)).grant.verdict is Verdict.REVOKED
    assert (await rig.network.probe(bos, [])).grant.verdict is Verdict.HEALTHY


@pytest.mark.parametrize(("other", "kept"), [("app-of-youtube-or-ads", True), ("app2-elsewhere", False)])
async def test_a_grant_is_kept_where_giving_it_back_would_end_those_to_another_network_of_the_same_project(
    rig: NetworkRig, other: str, kept: bool
) -> None:
    tokens = (await log_in(rig)).tokens
    slug = rig.network.spec.slug
    base = "{0.scheme}://{0.netloc}".format(urlsplit(rig.network.login_url))
    around = {"LAPSEBOT_OTHER_CLIENT_ID": other, **environment(slug, base)}
    network = build_networks(around, rig.clock)[slug]
    async with network.running():
        await network.revoke(tokens)
    assert ((await rig.probe(tokens)).grant.verdict is Verdict.HEALTHY) is kept


async def test_giving_back_what_is_gone_already_raises_nothing(rig: NetworkRig) -> None:
    tokens = (await log_in(rig)).tokens
    for _ in range(2):
        await rig.network.revoke(tokens)
    await rig.people.network_down()
    await rig.network.revoke(tokens)


async def test_no_secret_stands_in_an_address(rig: NetworkRig) -> None:
    seen: list[str] = []
    tokens = (await log_in(rig)).tokens
    base = "{0.scheme}://{0.netloc}".format(urlsplit(rig.network.login_url))

    async def relay(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        raise web.HTTPTemporaryRedirect(base + request.path_qs)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", relay)
    slug = rig.network.spec.slug
    async with TestServer(app) as server:
        network = build_networks(environment(slug, str(server.make_url("")).rstrip("/")), rig.clock)[slug]
        async with network.running():
            await network.probe(tokens, rig.expected)
            await network.revoke(tokens)
            with pytest.raises(NetworkError):
                await network.discover(tokens)
            with pytest.raises(NetworkError):
                await network.refresh(tokens)
    assert len(seen) >= 4
    secrets = [tokens.access.reveal(), tokens.refresh.reveal() if tokens.refresh else "", "app-secret"]
    assert not [path for path in seen if any(secret in path for secret in secrets)]
    assert FIRST not in "".join(path for path in seen if "token" in path)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("admin_policy_enforced", Verdict.ADMIN_BLOCK),
        ("org_internal", Verdict.OUR_FAULT),
        ("disallowed_useragent", Verdict.OUR_FAULT),
    ],
)
def test_what_google_says_instead_of_a_login_has_its_cause(rig: NetworkRig, code: str, verdict: Verdict) -> None:
    assert rig.network.spec.refused_by[code] is verdict
