"""Networks of kind api_key: what an operator declares, what answers come to, what is said of a wrong file."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from commands.errors import NetworkError, SettingError
from commands.model import Tokens, Verdict
from commands.ports.chat import Check
from commands.ports.network import Expected, NetworkKind
from commands.secret import Secret
from platform_adapters.discovery import build_networks, network_specs
from tests.support.clock import FakeClock
from tests.support.own_networks import OwnNetworks, declared, own_networks

BASE = "https://letterly.example.com"


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[OwnNetworks]:
    async with own_networks(tmp_path, FakeClock()) as built:
        yield built


async def entered(own: OwnNetworks, key: str, region: str = "eu") -> Tokens:
    grant = await own.keyed.exchange(answer={"key": key, "region": region}, redirect_uri="", code_verifier=None)
    return grant.tokens


EXPECTED = [Expected(account_id="L-1", parent=None)]


@pytest.mark.behaviour("R-9")
async def test_a_good_key_tells_the_one_account_that_it_is_of(own: OwnNetworks) -> None:
    tokens = await entered(own, own.vendor.make_key("L-1", "Acme Letters"))
    discovery = await own.keyed.discover(tokens)
    assert (discovery.subject_id, discovery.subject_name) == ("L-1", "Acme Letters")
    assert [(one.account_id, one.finding.verdict) for one in discovery.accounts] == [("L-1", Verdict.HEALTHY)]


@pytest.mark.behaviour("D-1")
async def test_a_stored_key_is_checked_like_a_login_and_tells_its_end(own: OwnNetworks) -> None:
    end = datetime(2027, 1, 1, tzinfo=UTC)
    tokens = await entered(own, own.vendor.make_key("L-1", "Acme Letters", ends_at=end))
    probe = await own.keyed.probe(tokens, EXPECTED)
    assert (probe.grant.verdict, probe.accounts["L-1"].verdict, probe.ends_at) == (
        Verdict.HEALTHY,
        Verdict.HEALTHY,
        end,
    )
    assert await own.keyed.refresh(tokens) is None


@pytest.mark.behaviour("D-1", "D-4")
@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("invalid_key", Verdict.REVOKED),
        ("expired_key", Verdict.EXPIRED),
        ("missing_permission", Verdict.PERMISSION_MISSING),
        ("account_locked", Verdict.ACCOUNT_DISABLED),
        ("too_many", Verdict.THROTTLED),
        ("down", Verdict.NETWORK_DOWN),
        ("teapot", Verdict.UNCLEAR),
    ],
)
async def test_each_refusal_comes_to_its_verdict(own: OwnNetworks, code: str, verdict: Verdict) -> None:
    key = own.vendor.make_key("L-1", "Acme Letters")
    own.vendor.keys[key].fault = code
    tokens = await entered(own, key)
    finding = (await own.keyed.probe(tokens, EXPECTED)).grant
    assert finding.verdict is verdict
    assert finding.evidence.missing == (("Read campaigns",) if verdict is Verdict.PERMISSION_MISSING else ())
    with pytest.raises(NetworkError) as refused:
        await own.keyed.discover(tokens)
    assert refused.value.finding.verdict is verdict
    assert key not in f"{finding} {refused.value} {refused.value.finding}"


@pytest.mark.behaviour("D-4")
async def test_a_vendor_that_is_away_says_nothing_about_a_key(own: OwnNetworks) -> None:
    tokens = await entered(own, own.vendor.make_key("L-1", "Acme Letters"))
    own.vendor.down = True
    assert (await own.keyed.probe(tokens, EXPECTED)).grant.verdict is Verdict.NETWORK_DOWN


async def test_a_stored_key_that_answers_for_another_account_is_no_evidence_of_a_lapse(own: OwnNetworks) -> None:
    tokens = await entered(own, own.vendor.make_key("L-2", "Other"))
    assert (await own.keyed.probe(tokens, EXPECTED)).accounts["L-1"].verdict is Verdict.UNCLEAR


async def test_an_answer_that_names_no_account_proves_nothing(tmp_path: Path) -> None:
    async def strange(_: web.Request) -> web.Response:
        return web.json_response({"hello": "world"})

    app = web.Application()
    app.router.add_get("/v1/account", strange)
    async with TestServer(app) as server:
        file = tmp_path / "networks.toml"
        file.write_text(declared(str(server.make_url("")).rstrip("/")))
        network = build_networks({"LAPSEBOT_NETWORKS_FILE": str(file)}, FakeClock())["letterly"]
        async with network.running():
            tokens = Tokens(access=Secret(json.dumps({"key": "lm_1", "region": "eu"})))
            with pytest.raises(NetworkError) as refused:
                await network.discover(tokens)
    assert refused.value.finding.verdict is Verdict.UNCLEAR


async def test_a_key_stored_under_another_declaration_is_unclear_and_no_crash(own: OwnNetworks) -> None:
    for text in ("not json", "[]", "{}"):
        finding = (await own.keyed.probe(Tokens(access=Secret(text)), EXPECTED)).grant
        assert finding.verdict in {Verdict.UNCLEAR, Verdict.REVOKED}


async def test_what_needs_no_login_has_none(own: OwnNetworks) -> None:
    spec = own.keyed.spec
    assert (spec.kind, own.keyed.login_url) == (NetworkKind.API_KEY, "")
    assert spec.key_form is not None
    assert [(one.name, one.secret) for one in spec.key_form.fields] == [("region", False), ("key", True)]
    with pytest.raises(NetworkError):
        await own.keyed.begin(state="s", redirect_uri="", code_challenge=None, login_hint=None, again=False)


async def test_doctor_says_that_its_examples_hold(own: OwnNetworks) -> None:
    (line,) = await own.keyed.diagnose()
    assert (line.check, line.found) == (Check.GOOD, "declared in LAPSEBOT_NETWORKS_FILE, 2 of its examples tried")


async def test_a_field_in_the_host_is_one_name_before_the_vendors_domain_and_cannot_leave_it(tmp_path: Path) -> None:
    file = tmp_path / "networks.toml"
    file.write_text(declared(BASE).replace(f'"{BASE}/v1', '"https://{region}.letterly.example.com/v1'))
    network = build_networks({"LAPSEBOT_NETWORKS_FILE": str(file)}, FakeClock())["letterly"]
    async with network.running():
        for region in ("evil.example/", "a.b", "eu@x", "127.0.0.1:1", "-"):
            tokens = Tokens(access=Secret(json.dumps({"key": "lm_1", "region": region})))
            with pytest.raises(NetworkError) as refused:
                await network.discover(tokens)
            assert refused.value.finding.evidence.code == "misplaced_field"


WRONG = [
    ('slug = "letterly"', 'slug = "Letter ly"', "api_key.1.slug: "),
    ('name = "Letterly"', "name = 5", "api_key.1.name: "),
    ('needs = ["Read campaigns"]', 'need = ["Read campaigns"]', "api_key.1.need: "),
    ('url = "{base}/v1/account"', 'url = "http://letterly.example.com"', "api_key.1.probe.url: must be"),
    ('url = "{base}/v1/account"', 'url = "{base}/{key}"', "api_key.1.probe.url: names a secret field"),
    ('url = "{base}/v1/account"', 'url = "{base}/{kee}"', "api_key.1.probe.url: names {kee}, which is not a fi"),
    ('url = "{base}/v1/account"', 'url = "https://x.{region}.example"', "api_key.1.probe.url: in the host"),
    ('url = "{base}/v1/account"', 'url = "https://{region}.com/"', "api_key.1.probe.url: in the host"),
    ('"Bearer {key}"', '"Bearer {key"', "api_key.1.probe.headers.Authorization: has a brace"),
    ('"Bearer {key}"', '"Bearer"', "api_key.1.fields.2.name: the probe does not use {key}"),
    ('name = "region"', 'name = "error"', "api_key.1.fields.1.name: is a name that answers"),
    ('pattern = "eu|us"', 'pattern = "("', "api_key.1.fields.1.pattern: is not a regular expression"),
    ('account_id = "/account/id"', 'account_id = "account.id"', "api_key.1.probe.account_id: "),
    ('account_id = "/account/id"\n', "", "api_key.1.probe.account_id: is missing"),
    ("called = ", "caled = ", "api_key.1.caled: is not a key that is known here"),
    ('verdict = "account_disabled"', 'verdict = "gone"', "api_key.1.verdicts.2.verdict: "),
    ('equals = "expired_key"\n', "", "api_key.1.verdicts.1: at and equals belong together"),
    ('verdict = "healthy"', 'verdict = "revoked"', "api_key.1.examples.1.verdict: this answer comes to “heal"),
    ('account_id = "L-1"', 'account_id = "L-2"', "api_key.1.examples.1.account_id: the probe's account_id"),
    ('"https://suite.example.com/connections/new"', '"javascript:1"', "hosted.1.connect_url: must be"),
    ('"https://suite.example.com/connections/{acc', '"https://{acc', "hosted.1.reconnect_url: the host is fixed"),
    ('stops = ["posts"]', 'stops = ["posts"]\nchecklist = ["Use {log}."]', "hosted.1.checklist: names {log}, which is"),
    ("[[hosted]]", "[[hosted", "is not TOML"),
    ("[[hosted]]", "[[hosted]]\nx = " + "[" * 2000 + "]" * 2000, "is nested too deep"),
    ("{connection_id}", "{connection_id!r}", "hosted.1.reconnect_url: writes more than a name"),
    ("{connection_id}", "{connection_id:>99999999999}", "hosted.1.reconnect_url: writes more than a name"),
    ("{connection_id}", "{connection_id:{account_id}}", "hosted.1.reconnect_url: writes more than a name"),
    ("suite.example.com/connections/{acc", "suite.example.com;x/{acc", "hosted.1.reconnect_url: must be an address"),
    ("suite.example.com/connections/{acc", "suite.example.com:99999/{acc", "hosted.1.reconnect_url: is not an add"),
    ("suite.example.com/connections/{acc", "suite.example.com/\\r\\nX: {acc", "hosted.1.reconnect_url: must be plain"),
    ('"X-Region" =', '"X Region" =', "api_key.1.probe.headers.X Region: is not a header"),
    ('"X-Region" =', '"Host" =', "api_key.1.probe.headers.Host: is not a header"),
    ('"X-Region" = "', '"X-Region" = "é', "api_key.1.probe.headers.X-Region: must be one line"),
    ('"X-Region" = "', '"X-Region" = "\\r\\nEvil: ', "api_key.1.probe.headers.X-Region: must be one line"),
]


ELSEWHERE = {
    "api_key.1.fields.2.name: the probe does not use {key}": 'name = "key"',
    "api_key.1.probe.account_id: is missing": "[api_key.probe]",
    "api_key.1.verdicts.1: at and equals belong together": "[[api_key.verdicts]]",
    "hosted.1.checklist: names {log}, which is": None,
}
"""What is told of another line than the one that was changed; None: of one that is not in the right file."""


@pytest.mark.parametrize(("before", "after", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_a_wrong_declaration_is_told_with_its_line_its_key_and_what_it_must_be(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    file = tmp_path / "networks.toml"
    text = declared("{base}")
    assert before in text
    file.write_text(text.replace(before, after, 1).replace("{base}", BASE))
    with pytest.raises(SettingError) as refused:
        build_networks({"LAPSEBOT_NETWORKS_FILE": str(file)}, FakeClock())
    assert refused.value.name == "LAPSEBOT_NETWORKS_FILE"
    assert said in refused.value.reason
    told_of = ELSEWHERE.get(said, before)
    if told_of is not None and "TOML" not in said and "too deep" not in said:
        line = text[: text.index(told_of)].count("\n") + 1
        assert f", line {line}: " in refused.value.reason


def test_a_file_that_is_not_there_and_a_name_that_is_taken_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        build_networks({"LAPSEBOT_NETWORKS_FILE": str(tmp_path / "none.toml")}, FakeClock())
    file = tmp_path / "networks.toml"
    file.write_text(declared(BASE).replace('aliases = ["letters"]', 'aliases = ["fb"]'))
    with pytest.raises(SettingError, match="“fb” is declared for Letterly, and Facebook"):
        build_networks({"LAPSEBOT_NETWORKS_FILE": str(file)}, FakeClock())


def test_the_declared_networks_are_among_all_that_there_are(tmp_path: Path) -> None:
    file = tmp_path / "networks.toml"
    file.write_text(declared(BASE))
    slugs = [spec.slug for spec in network_specs({"LAPSEBOT_NETWORKS_FILE": str(file)})]
    assert {"letterly", "suite_social", "linkedin"} <= set(slugs)
    assert "letterly" not in [spec.slug for spec in network_specs({})]
