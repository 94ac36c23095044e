"""What networks tell on their own: proved, harmless when sent again, and believed only after a look of ours."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from bot.web.signals_page import BODY_LIMIT, signal_routes
from commands.model import ConnectionState, Verdict
from commands.ports.chat import HttpRequest
from commands.ports.network import Expected, Probe
from commands.ports.signals import Heard, Signals
from commands.ports.storage import Storage
from commands.secret import Secret
from platform_adapters.networks.security_events import ISSUER, SecurityEvents
from platform_adapters.networks.signed_requests import SignedRequests
from tests.support.clock import FakeClock
from tests.support.network import GOOD, FakeNetwork, finding
from tests.support.network_rigs import network_rig
from tests.support.seed import Seeded, fresh_storage, seed

RULES = WatchRules(jitter=0.0)
SECRET = "the-apps-secret"
CLIENT = "123-abc.apps.example"
RISC = "https://schemas.openid.net/secevent/risc/event-type"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed_request(secret: str = SECRET, **changes: object) -> str:
    said = {"algorithm": "HMAC-SHA256", "issued_at": 1_790_000_000, "user_id": "subject-ana", **changes}
    payload = encoded(json.dumps(said).encode())
    return f"{encoded(hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest())}.{payload}"


def posted(*values: str) -> HttpRequest:
    return HttpRequest(headers=(), body="&".join(f"signed_request={quote(value)}" for value in values).encode())


@pytest.mark.behaviour("D-1")
async def test_a_removal_signed_with_our_apps_secret_names_its_person() -> None:
    heard = await SignedRequests("meta", Secret(SECRET), "").hear(posted(signed_request()))
    assert (heard.answer.status, heard.subject_ids) == (200, ("subject-ana",))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(posted(signed_request("another secret")), id="another secret"),
        pytest.param(posted(signed_request() + "x"), id="changed"),
        pytest.param(posted("." + signed_request().partition(".")[2]), id="no signature"),
        pytest.param(posted(signed_request(algorithm="none")), id="another algorithm"),
        pytest.param(posted(signed_request(), signed_request()), id="twice"),
        pytest.param(posted("é.é"), id="not ASCII"),
        pytest.param(posted("a" * 9_000), id="too long"),
        pytest.param(HttpRequest(headers=(), body=b"\xff\xfe"), id="no text"),
        pytest.param(HttpRequest(headers=(), body=b""), id="nothing"),
    ],
)
async def test_what_our_apps_secret_did_not_sign_names_nobody(request_: HttpRequest) -> None:
    heard = await SignedRequests("meta", Secret(SECRET), "").hear(request_)
    assert (heard.answer.status, heard.subject_ids) == (400, ())


@dataclass
class Google:
    """Google's keys on loopback, an ear for its events, and a pen to sign them with."""

    ear: SecurityEvents
    clock: FakeClock
    key: RSAKey
    asked: list[str] = field(default_factory=list)
    is_down: bool = False
    says: str = ""
    """Said in place of the keys."""

    def event(self, changes: Mapping[str, object] | None = None, *, key: RSAKey | None = None) -> bytes:
        subject = {"subject_type": "iss-sub", "iss": f"{ISSUER}/", "sub": "subject-ana"}
        said = {
            "iss": f"{ISSUER}/",
            "aud": CLIENT,
            "iat": 1_790_000_000,
            "jti": "1",
            "events": {f"{RISC}/account-disabled": {"subject": subject}},
        }
        pen = key or self.key
        return jwt.encode({"alg": "RS256", "kid": pen.kid}, {**said, **(changes or {})}, pen).encode()

    async def hear(self, body: bytes) -> Heard:
        return await self.ear.hear(HttpRequest(headers=(), body=body))


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    clock, key = FakeClock(), new_key("one")

    async def keys(_: web.Request) -> web.Response:
        rig.asked.append("keys")
        if rig.is_down:
            return web.Response(status=503)
        if rig.says:
            return web.Response(text=rig.says, content_type="application/json")
        return web.json_response({"keys": [rig.key.as_dict(private=False)]})

    app = web.Application()
    app.router.add_get("/certs", keys)
    async with TestServer(app) as server:
        rig = Google(SecurityEvents("google_ads", CLIENT, str(server.make_url("/certs")), clock, ""), clock, key)
        yield rig


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("audience", [CLIENT, ["another", CLIENT]])
async def test_an_event_that_google_signed_for_our_client_names_its_account(google: Google, audience: object) -> None:
    for _ in range(3):
        heard = await google.hear(google.event({"aud": audience}))
        assert (heard.answer.status, heard.subject_ids, heard.signal) == (202, ("subject-ana",), "1")
    assert google.asked == ["keys"]


@pytest.mark.parametrize("changes", [{"aud": "another"}, {"iss": "https://evil.example"}, {"jti": ""}, {"aud": None}])
async def test_an_event_for_somebody_else_or_of_somebody_else_names_nobody(
    google: Google, changes: Mapping[str, object]
) -> None:
    heard = await google.hear(google.event(changes))
    assert (heard.answer.status, heard.subject_ids) == (400, ())


async def test_a_forged_event_names_nobody_and_makes_us_ask_google_once_a_minute(google: Google) -> None:
    forged = google.event(key=new_key("one"))
    unsigned = b".".join([encoded(b'{"alg":"none"}').encode(), forged.split(b".")[1], b""])
    public = json.dumps(google.key.as_dict(private=False))
    for body in (forged, unsigned, b"garbage", b"", b"\xff", forged + b"x" * 40_000, public.encode()):
        heard = await google.hear(body)
        assert (heard.answer.status, heard.subject_ids) == (400, ())
    assert google.asked == ["keys"]


async def test_googles_new_keys_are_fetched_when_one_is_not_known(google: Google) -> None:
    await google.hear(google.event())
    google.key = new_key("two")
    google.clock.advance(timedelta(minutes=2))
    assert (await google.hear(google.event())).subject_ids == ("subject-ana",)
    assert google.asked == ["keys", "keys"]


async def test_while_the_keys_cannot_be_had_google_is_asked_to_send_it_again(google: Google) -> None:
    google.is_down = True
    assert (await google.hear(google.event())).answer.status == 503
    google.is_down = False
    google.clock.advance(timedelta(seconds=11))
    assert (await google.hear(google.event())).subject_ids == ("subject-ana",)


async def test_a_flood_while_the_keys_cannot_be_had_makes_us_ask_google_once(google: Google) -> None:
    google.is_down = True
    heard = await asyncio.gather(*(google.hear(b"garbage") for _ in range(20)))
    assert {one.answer.status for one in heard} == {503}
    assert google.asked == ["keys"]


@pytest.mark.parametrize("answer", ["[]", '{"keys": null}', '{"keys": [5]}', '{"keys": [{"kty": "odd"}]}', "[" * 9_000])
async def test_keys_that_are_none_are_asked_for_again_later(google: Google, answer: str) -> None:
    google.says = answer
    assert (await google.hear(google.event())).answer.status == 503


async def test_googles_trial_event_is_answered_and_names_nobody(google: Google) -> None:
    heard = await google.hear(google.event({"events": {f"{RISC}/verification": {"state": "hello"}}}))
    assert (heard.answer.status, heard.subject_ids) == (202, ())


@dataclass
class World:
    """Two organizations with a grant of the same login, and the page that signals come to."""

    storage: Storage
    clock: FakeClock
    seeded: tuple[Seeded, Seeded]
    network: FakeNetwork = field(default_factory=FakeNetwork)

    async def sweep(self) -> int:
        networks = {"examplenet": self.network}
        return await Watcher(storage=self.storage, clock=self.clock, networks=networks, rules=RULES).run_once()

    async def states(self) -> list[ConnectionState]:
        async with self.storage.reading() as uow:
            found = [await uow.connections.get(each.organization_id, each.connections[0].id) for each in self.seeded]
        return [connection.state for connection in found]


@asynccontextmanager
async def serving(world: World, ear: Signals) -> AsyncIterator[BaseTestServer]:
    app = web.Application()
    app.add_routes(signal_routes({ear.network: ear}, world.storage, world.clock))
    async with TestServer(app) as server:
        yield server


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    clock = FakeClock()
    async with fresh_storage(database_url, clock) as storage:
        one = await seed(storage, clock.now())
        other = await seed(storage, clock.now(), name="Other", slack_team="T2", discord_server="D2")
        yield World(storage, clock, (one, other))


async def post(server: BaseTestServer, body: bytes) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.make_url("/signals/examplenet"), data=body) as got,
    ):
        return got.status


@pytest.mark.behaviour("D-1")
async def test_a_signal_makes_every_grant_of_that_login_due_and_the_look_decides(world: World) -> None:
    """A forged or mistaken signal costs a look: what works stays active."""
    async with serving(world, SignedRequests("examplenet", Secret(SECRET), "")) as server:
        assert await world.sweep() == 0
        assert await post(server, posted(signed_request()).body) == 200
        assert await world.sweep() == 2
        assert await world.states() == [ConnectionState.ACTIVE] * 2
        world.network.probe_answer = Probe(grant=finding(Verdict.REVOKED))
        for again in range(3):
            assert await post(server, posted(signed_request(issued_at=1_790_000_100 + again)).body) == 200
        assert await world.sweep() == 2
        assert await world.states() == [ConnectionState.LAPSED] * 2


async def test_a_signal_that_is_sent_again_makes_us_look_once(world: World) -> None:
    """Whoever got hold of one, the person themselves first of all, cannot make us ask the network again and again."""
    async with serving(world, SignedRequests("examplenet", Secret(SECRET), "")) as server:
        looks = []
        for _ in range(3):
            assert await post(server, posted(signed_request()).body) == 200
            looks.append(await world.sweep())
        assert looks == [2, 0, 0]
        world.clock.advance(timedelta(days=1))
        await world.storage.queues.purge(world.clock.now())
        assert await post(server, posted(signed_request(issued_at=1_790_000_100)).body) == 200
        assert await world.sweep() == 2


async def test_a_signal_of_a_login_unknown_here_and_what_is_no_signal_change_nothing(world: World) -> None:
    async with serving(world, SignedRequests("examplenet", Secret(SECRET), "")) as server:
        assert await post(server, posted(signed_request(user_id="stranger")).body) == 200
        assert await post(server, posted(signed_request("forged")).body) == 400
        assert await post(server, b"x" * (BODY_LIMIT + 1)) == 413
        async with aiohttp.ClientSession() as session, session.post(server.make_url("/signals/nonet")) as got:
            assert got.status == 404
    assert await world.sweep() == 0


@pytest.mark.behaviour("D-1")
async def test_a_signal_during_a_check_is_not_lost_with_it(world: World) -> None:
    """The check may have asked just before the person removed our app."""
    queues = world.storage.queues

    class Asked(FakeNetwork):
        async def probe(self, tokens: object, expected: object) -> Probe:
            self.asked.append("probe")
            if self.asked.count("probe") == 1:
                await queues.look_now("examplenet", ["subject-ana"], now=world.clock.advance(timedelta(seconds=1)))
                return Probe(grant=GOOD)
            return Probe(grant=finding(Verdict.REVOKED))

    world.network = Asked()
    one = world.seeded[0]
    watcher = Watcher(storage=world.storage, clock=world.clock, networks={"examplenet": world.network}, rules=RULES)
    await watcher.check(one.organization_id, one.authorization.id)
    assert (await world.states())[0] is ConnectionState.ACTIVE
    await world.sweep()
    assert (await world.states())[0] is ConnectionState.LAPSED


@pytest.mark.behaviour("D-1")
@pytest.mark.parametrize("slug", ["meta", "instagram"])
async def test_a_person_who_removes_the_app_is_noticed_at_once(slug: str, sqlite_database_url: str) -> None:
    """From the network's own page to the lapse: the stand-in posts what Meta documents, to the address of ours."""
    async with network_rig(slug) as rig, fresh_storage(sqlite_database_url, rig.clock) as storage:
        tokens = await rig.log_in()
        found = await rig.network.discover(tokens)
        now = rig.clock.now()
        seeded = await seed(storage, now, network=slug, connections=1)
        async with storage.transaction() as uow:
            await uow.authorizations.replace_grant(
                replace(seeded.authorization, subject_id=found.subject_id), replace(tokens, obtained_at=now)
            )
        ear = SignedRequests(slug, Secret("app-secret"), "")
        app = web.Application()
        app.add_routes(signal_routes({slug: ear}, storage, rig.clock))
        async with TestServer(app) as server:
            await rig.people.register("app", deauthorize_url=str(server.make_url(f"/signals/{slug}")))
            await rig.people.revoke_grant(await rig.grant_id())
        rig.clock.advance(timedelta(seconds=1))
        assert (
            await rig.network.probe(tokens, [Expected(account_id="acct-1", parent=None)])
        ).grant.verdict is Verdict.REVOKED
        watcher = Watcher(storage=storage, clock=rig.clock, networks={slug: rig.network}, rules=RULES)
        assert await watcher.run_once() == 1
        async with storage.reading() as uow:
            view = await uow.connections.view(seeded.organization_id, seeded.connections[0].id)
        assert view is not None
        assert view.lapse is not None
        assert view.lapse.cause is Verdict.REVOKED
