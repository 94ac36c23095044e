"""Requests that no page of ours makes: broken bytes, odd methods, races, rights that were taken away meanwhile."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from commands.model import ConnectionState, Role
from commands.ports.network import Grant
from tests.support.network import FakeNetwork
from tests.web.browser import Browser
from tests.web.rig import Rig

CLOSE = b"Host: x\r\nConnection: close\r\n"
FORM = b"Cookie: lapsebot-form=a\r\nContent-Type: application/x-www-form-urlencoded"


def posted(body: bytes, charset: bytes = b"") -> bytes:
    """A form, byte by byte."""
    length = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    return b"POST /link HTTP/1.1\r\n" + CLOSE + FORM + charset + length + body


BROKEN = {
    "a cookie that is no text": b"GET / HTTP/1.1\r\n" + CLOSE + b"Cookie: lapsebot-session=\xff\xfe\r\n\r\n",
    "a form in no known charset": posted(b"token=a", b"; charset=nope"),
    "a form that is not UTF-8": posted(b"token=\xff"),
    "a form with a lone surrogate": posted(b"token=\\ud800", b"; charset=unicode_escape"),
    "a multipart form without a boundary": b"POST /sign-out HTTP/1.1\r\n"
    + CLOSE
    + b"Content-Type: multipart/form-data\r\nContent-Length: 1\r\n\r\na",
}


@pytest.mark.parametrize("request_bytes", BROKEN.values(), ids=BROKEN)
async def test_broken_bytes_are_refused_and_fill_no_log(
    rig: Rig, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(rig.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request_bytes)
    status = int((await reader.readline()).split()[1])
    writer.close()
    assert status < 500
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.behaviour("R-1")
async def test_a_preview_that_asks_with_head_uses_no_login_up(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    rig.login("1")
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    back = rig.callback(sent.sent_state)
    async with browser.session.head(rig.base + back, allow_redirects=False) as looked:
        assert looked.status == 405
    assert "Restored" in (await browser.follow(await browser.get(back))).words


async def test_an_issuer_that_is_no_address_is_somebody_elses_answer(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    rig.login("1")
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    page = await browser.follow(await browser.get(rig.callback(sent.sent_state, iss="http://[")))
    assert "Restored" not in page.words
    assert "exchange" not in rig.network.asked


@dataclass
class SlowNetwork(FakeNetwork):
    """A network whose exchange waits until the test lets it go on."""

    def __post_init__(self) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def exchange(self, *, answer: Mapping[str, str], redirect_uri: str, code_verifier: str | None) -> Grant:
        self.reached.set()
        await self.go_on.wait()
        return await FakeNetwork.exchange(self, answer=answer, redirect_uri=redirect_uri, code_verifier=code_verifier)


@pytest.mark.behaviour("R-17")
async def test_a_login_that_was_taken_over_while_it_was_finished_writes_nothing(rig: Rig, browser: Browser) -> None:
    connection = await rig.add_connection("1")
    mine, theirs = await rig.link(connection), await rig.link(connection, "Mei Lin")
    slow = SlowNetwork(spec=rig.network.spec)
    rig.networks[slow.spec.slug] = slow
    sent = await browser.submit(await rig.signed_in(browser, mine), mine)
    rig.login("1")
    slow.grant, slow.discovery = rig.network.grant, rig.network.discovery
    first = asyncio.create_task(browser.get(rig.callback(sent.sent_state)))
    await slow.reached.wait()
    async with rig.browser() as other:
        page = await rig.signed_in(other, theirs, "Mei Lin")
        assert (await other.submit(page, theirs, take_over="1")).status == 303
    slow.go_on.set()
    page = await browser.follow(await first)
    assert "Restored" not in page.words
    assert (await rig.connection(connection)).state is ConnectionState.LAPSED


@pytest.mark.behaviour("R-17", "X-4")
@pytest.mark.parametrize("second", ["Mei Lin", "Ana Ruiz"])
async def test_where_a_second_login_ends_the_first_nobody_takes_over_one_that_is_being_finished(
    rig: Rig, browser: Browser, second: str
) -> None:
    """Its exchange is on the way: landing late, it would end the grant that a successor had stored."""
    connection = await rig.add_connection("1")
    mine, theirs = await rig.link(connection), await rig.link(connection, second)
    slow = SlowNetwork(spec=replace(rig.network.spec, one_grant_per_subject=True))
    rig.networks[slow.spec.slug] = slow
    sent = await browser.submit(await rig.signed_in(browser, mine), mine)
    rig.login("1")
    slow.grant, slow.discovery = rig.network.grant, rig.network.discovery
    first = asyncio.create_task(browser.get(rig.callback(sent.sent_state)))
    await slow.reached.wait()
    async with rig.browser() as other:
        page = await rig.signed_in(other, theirs, second)
        held = await other.submit(page, theirs, take_over="1")
        assert held.status == 409
        assert "Ana Ruiz is back from Examplenet, and this login is being finished" in held.words
        assert theirs not in held.actions()
        slow.go_on.set()
        assert "Restored" in (await browser.follow(await first)).words
        assert "Already working" in (await other.get(theirs)).words


@pytest.mark.behaviour("R-17")
async def test_a_login_whose_process_died_while_it_was_finished_is_in_nobodys_way_after_a_minute(
    rig: Rig, browser: Browser
) -> None:
    rig.network.spec = replace(rig.network.spec, one_grant_per_subject=True)
    connection = await rig.add_connection("1")
    path, theirs = await rig.link(connection), await rig.link(connection, "Mei Lin")
    sent = await browser.submit(await rig.signed_in(browser, path), path)
    rig.network.discovery = None  # the fake fails in a way that no network may
    assert (await browser.get(rig.callback(sent.sent_state))).status == 500
    async with rig.browser() as other:
        page = await rig.signed_in(other, theirs, "Mei Lin")
        rig.clock.advance(timedelta(seconds=59))
        assert (await other.submit(page, theirs, take_over="1")).status == 409
        rig.clock.advance(timedelta(seconds=1))
        held = await other.submit(page, theirs)
        assert (held.status, held.form(theirs)["take_over"]) == (409, "yes")
        assert (await other.submit(held, theirs)).status == 303


@pytest.mark.behaviour("N-8")
async def test_a_hidden_sibling_that_did_not_come_back_is_not_hinted_at(rig: Rig, browser: Browser) -> None:
    shown_one = await rig.add_connection("1", owner="Raj Patel")
    await rig.add_connection("2", "Secret Sibling", client="Brio")
    lim = await rig.add_person("Lim Ited", Role.OWNER)
    path = await rig.link(shown_one, "Lim Ited")
    async with rig.storage.transaction() as uow:
        connection = await uow.connections.get(rig.organization_id, shown_one)
        await uow.connections.attach(
            rig.organization_id,
            shown_one,
            authorization_id=rig.authorization_id,
            connector_id=lim.id,
            account_name=connection.account_name,
            parent=connection.parent,
            good_at=rig.clock.now(),
        )
        await uow.connections.set_state(rig.organization_id, shown_one, ConnectionState.LAPSED)
    await rig.signed_in(browser, path, "Lim Ited")
    rig.login("1")
    page = await rig.reconnect(browser, path)
    assert "Secret Sibling" not in page.words
    assert "Not back" not in page.words
    assert "Partly" not in page.words


@pytest.mark.behaviour("R-17")
async def test_an_unused_login_that_is_known_here_has_what_is_stored_of_it_looked_at_now(
    rig: Rig, browser: Browser
) -> None:
    path = await rig.link(await rig.add_connection("1"))
    await rig.signed_in(browser, path)
    rig.login("another")
    assert "Restored" not in (await rig.reconnect(browser, path)).words
    assert rig.network.revoked == []
    async with rig.storage.reading() as uow:
        (stored,) = await uow.authorizations.many(rig.organization_id, [rig.authorization_id])
    assert stored.next_check_at == rig.clock.now()
