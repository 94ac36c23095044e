"""What protects every page: headers, cookies, forms, limits, and logs without addresses."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession, web

from bot.web.app import create_web, listening
from bot.web.security import Cookies, headers, login_cookie
from commands.passes import pass_path
from commands.ports.chat import Endpoint, HttpRequest, HttpResponse
from commands.ports.reconnecting import PassPurpose
from tests.web.browser import Browser
from tests.web.rig import Alive, Rig, opened_rig


async def test_every_answer_carries_the_headers(rig: Rig, browser: Browser) -> None:
    """Row 64: no frame, no referrer, nothing kept."""
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    pages = [await browser.get(each) for each in ("/", path, "/r/unknown", "/sign-in/unknown", "/static/style.css")]
    personal, one_time, unsubscribing, calendar, played = [
        await rig.bearer_link(purpose, "Mei Lin") for purpose in PassPurpose
    ]
    new = await rig.new_accounts_link()
    for each in (
        personal,
        one_time,
        unsubscribing,
        calendar,
        played,
        new,
        "/p/unknown",
        "/install/chatter",
        "/choose/" + "0" * 22,
    ):
        pages += [await browser.get(each), await browser.post(each, {})]
    pages.append(await browser.post(path, {}))
    pages.append(await browser.submit(await browser.get(path), path))
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")
        assert "frame-ancestors 'none'; base-uri 'none'; object-src 'none'" in policy
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "noindex" in page.headers["X-Robots-Tag"]
        assert "<script" not in page.text
        assert "style=" not in page.text


async def test_forms_may_lead_on_to_the_network_and_the_chat_platform(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    neutral = await browser.get(path)
    page = await rig.signed_in(browser, path)
    for each in (neutral, page):
        assert "form-action 'self' http://127.0.0.1:9;" in each.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("address", "sources"),
    [
        ("https://www.example.com/dialog", "https://www.example.com https://*.example.com"),
        ("https://example.com/authorize", "https://example.com https://*.example.com"),
        ("https://login.a.example.com:8443/x", "https://login.a.example.com:8443 https://*.a.example.com"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("http://localhost:8080/x", "http://localhost:8080"),
    ],
)
def test_hosts_beside_the_login_are_allowed_since_it_may_redirect_among_them(address: str, sources: str) -> None:
    policy = headers(https=True, forms_to=[address, address])["Content-Security-Policy"]
    assert f"form-action 'self' {sources};" in policy


def test_https_is_insisted_on_where_we_have_it() -> None:
    assert "max-age=31536000" in headers(https=True, forms_to=())["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in headers(https=False, forms_to=())


@pytest.mark.parametrize("secure", [True, False])
def test_cookies_are_bound_to_the_host_and_closed_to_scripts(secure: bool) -> None:
    response = web.Response()
    Cookies(secure=secure).set(response, "session", "value", life=60)
    (cookie,) = response.cookies.values()
    assert cookie.key == ("__Host-lapsebot-session" if secure else "lapsebot-session")
    assert bool(cookie["secure"]) == secure
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["domain"]) == ("/", True, "Lax", "")


def test_each_login_has_a_cookie_of_its_own() -> None:
    assert login_cookie("one") != login_cookie("two")
    assert "one" not in login_cookie("one")


@pytest.mark.behaviour("R-15")
@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_a_form_from_elsewhere_opens_no_attempt(rig: Rig, browser: Browser, sent: dict[str, str]) -> None:
    """Row 63."""
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, path)
    refused = await browser.post(path, page.form(path), **sent)
    assert refused.status == 403
    for words in ("That page was out of date", "What to check", "Try again", "your administrator can help"):
        assert words in refused.words


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("http://127.0.0.1", 403), ("", 403), ("null", 303), ("ours", 303), (None, 303)],
)
async def test_an_old_browser_tells_by_the_origin_where_a_form_came_from(
    rig: Rig, browser: Browser, origin: str | None, status: int
) -> None:
    """Row 63: one that sends no Sec-Fetch-Site. Our own pages send no referrer, for which it writes null."""
    path = await rig.link(await rig.add_connection("1"))
    fields = (await rig.signed_in(browser, path)).form(path)
    sent = {} if origin is None else {"Origin": rig.base if origin == "ours" else origin}
    async with browser.session.post(rig.base + path, data=fields, headers=sent, allow_redirects=False) as answer:
        assert answer.status == status


async def test_a_form_needs_the_token_of_its_own_page_and_session(rig: Rig, browser: Browser) -> None:
    first, second = await rig.link(await rig.add_connection("1")), await rig.link(await rig.add_connection("2"))
    page = await rig.signed_in(browser, first)
    other = (await browser.get(second)).form(second)
    for fields in ({}, {"token": ""}, {"token": "x" * 64}, other):
        assert (await browser.post(first, fields)).status == 403
    async with rig.browser() as elsewhere:
        await rig.signed_in(elsewhere, first)
        assert (await elsewhere.post(first, page.form(first))).status == 403
    assert (await browser.post(first, page.form(first))).status == 303


async def test_signing_out_from_elsewhere_is_refused(rig: Rig, browser: Browser) -> None:
    page = await browser.post("/sign-out", {}, **{"Sec-Fetch-Site": "cross-site"})
    assert page.status == 403


async def test_addresses_with_secrets_reach_no_log(
    rig: Rig, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("1")
    sent = await browser.submit(await browser.get(path), path)
    await browser.get(rig.callback(sent.sent_state))
    personal, one_time, unsubscribing, calendar, played = [
        await rig.bearer_link(purpose, "Mei Lin") for purpose in PassPurpose
    ]
    for address in (personal, unsubscribing):
        assert (await browser.submit(await browser.get(address), address)).status in (200, 303)
    for address in (personal, one_time, unsubscribing, calendar, played):
        await browser.get(address)
        await browser.post(address, {})
    secrets = [address.rpartition("/")[2] for address in (path, personal, one_time, unsubscribing, calendar, played)]
    for secret in (*secrets, sent.sent_state, "c0de", "new-access", "new-refresh"):
        assert secret not in caplog.text


def test_an_operator_reads_which_addresses_a_proxy_must_not_log() -> None:
    """Whoever reads a proxy's log must not be able to use what stands there."""
    told = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")
    for path in (*(pass_path(purpose, "") for purpose in PassPurpose), "/r/", "/oauth/cb/…", "/sign-in/cb/…"):
        assert f"`{path}`" in told


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused_with_a_page(rig: Rig, browser: Browser, method: str) -> None:
    path = await rig.link(await rig.add_connection("1"))
    async with browser.session.request(method, browser.base + path) as response:
        assert response.status == 405
        assert "That did not work" in await response.text()


async def test_a_huge_form_is_refused(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    form, kind = io.BytesIO(b"token=" + b"x" * 2_000_000), "application/x-www-form-urlencoded"
    async with browser.session.post(browser.base + path, data=form, headers={"Content-Type": kind}) as response:
        assert response.status == 413


class Echo:
    """An adapter's endpoint that keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[HttpRequest] = []

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        self.seen.append(request)
        return HttpResponse(status=202, body=b"taken", content_type="text/plain")


@pytest.fixture
def alive() -> Alive:
    return Alive()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def mounted(sqlite_database_url: str, echo: Echo, alive: Alive) -> AsyncIterator[Rig]:
    endpoint = Endpoint(path="/chatter/events", handle=echo)
    async with opened_rig(sqlite_database_url, alive=alive, mounted=[endpoint]) as rig:
        yield rig


async def test_a_platforms_endpoint_gets_the_request_as_it_came(mounted: Rig, echo: Echo) -> None:
    body = b"payload=%7B%7D\x00\xff"
    doubled = [("X-Signature", "one"), ("X-Signature", "two"), ("Content-Type", "application/x-www-form-urlencoded")]
    async with mounted.browser() as browser:
        async with browser.session.post(f"{mounted.base}/chatter/events", data=body, headers=doubled) as response:
            assert (response.status, await response.text()) == (202, "taken")
        async with browser.session.get(f"{mounted.base}/chatter/events") as response:
            assert response.status == 405
    (request,) = echo.seen
    assert request.body == body
    assert [value for name, value in request.headers if name == "x-signature"] == ["one", "two"]


async def test_an_endpoints_body_ends_at_one_mebibyte(mounted: Rig, echo: Echo) -> None:
    async with mounted.browser() as browser:
        for size, status in ((1024 * 1024, 202), (1024 * 1024 + 1, 413)):
            async with browser.session.post(f"{mounted.base}/chatter/events", data=io.BytesIO(b"x" * size)) as response:
                assert response.status == status
    assert len(echo.seen) == 1


async def test_health_tells_a_living_process_from_a_ready_one(mounted: Rig, alive: Alive) -> None:
    async with mounted.browser() as browser:
        assert (await browser.get("/healthz")).status == 200
        assert (await browser.get("/readyz")).status == 200
        alive.loops = False
        not_ready = await browser.get("/readyz")
        assert not_ready.status == 503
        assert not_ready.text == '{"storage": true, "loops": false}'
        assert (await browser.get("/healthz")).status == 200


async def test_pages_are_served_until_the_block_is_left(mounted: Rig, alive: Alive) -> None:
    app = create_web(services=mounted.services, platforms={}, alive=alive)
    async with ClientSession() as session:
        async with listening(app, "127.0.0.1", 0) as port:
            address = f"http://127.0.0.1:{port}/healthz"
            async with session.get(address) as response:
                assert response.status == 200
        with pytest.raises(ClientConnectionError):
            await session.get(address)


async def test_what_is_mounted_beside_keeps_its_own_headers_and_errors(mounted: Rig, alive: Alive) -> None:
    async def playground(_: web.Request) -> web.Response:
        return web.Response(text="ok", headers={"Content-Security-Policy": "default-src 'self'"})

    app, beside = create_web(services=mounted.services, platforms={}, alive=alive), web.Application()
    beside.router.add_get("/", playground)
    app.add_subapp("/playground", beside)
    async with listening(app, "127.0.0.1", 0) as port, ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/playground/") as response:
            assert response.headers["Content-Security-Policy"] == "default-src 'self'"
            assert "X-Frame-Options" not in response.headers
        async with session.get(f"http://127.0.0.1:{port}/playground/nothing") as response:
            assert await response.text() == "404: Not Found"
