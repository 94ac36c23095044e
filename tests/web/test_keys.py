"""Entering a key by hand (R-9), against a loopback vendor."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.watch.rules import WatchRules
from bot.watch.watcher import Watcher
from commands.ids import SessionId, new_id, to_wire
from commands.keys import read_typed
from commands.model import (
    ConnectionState,
    Role,
)
from commands.ports.checker import CheckResult
from commands.ports.events import EventKind
from commands.ports.reconnecting import Session
from commands.reconnect import Reconnecting
from commands.rehearsal import Rehearsal
from tests.support.own_networks import OwnNetworks, own_networks
from tests.web.browser import Browser
from tests.web.keyed import OLD, account, enter, stored
from tests.web.rig import TEAM, Rig, opened_rig


@pytest.mark.behaviour("R-9", "R-1")
async def test_the_page_of_a_key_says_which_account_where_to_get_one_and_shows_a_form_without_any_key(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    path = await rig.link(await account(rig, own.keyed, "L-1"))
    page = await rig.signed_in(browser, path)
    assert "Acme Letters" in page.words
    assert "It has to belong to the account Acme Letters L-1" in page.words
    assert "Log in to Letterly as an Owner." in page.words
    assert "It must be allowed: Read campaigns" in page.words
    assert page.form(f"{path}/key") == {"token": page.form(f"{path}/key")["token"], "field_region": "", "field_key": ""}
    assert 'name="field_key" type="password" maxlength="512" required autocomplete="off"' in page.text
    assert "lm_0old" not in page.text
    assert own.vendor.asked == 0


@pytest.mark.behaviour("R-9", "R-12", "R-16")
async def test_a_good_key_of_the_account_restores_it_at_once_and_nothing_else(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    first, second = await account(rig, own.keyed, "L-1"), await account(rig, own.keyed, "L-2", name="Acme Two")
    path = await rig.link(first)
    await rig.signed_in(browser, path)
    key = own.vendor.make_key("L-1", "Acme Letters")
    page = await browser.follow(await enter(browser, path, f"  {key} "))
    assert "Restored" in page.words
    assert (await rig.connection(first)).state is ConnectionState.ACTIVE
    assert await stored(rig, first) == f'{{"region":"eu","key":"{key}"}}'
    assert (await rig.connection(second)).state is ConnectionState.LAPSED
    assert await stored(rig, second) == OLD
    assert await rig.entries("reconnected")
    assert [event.connection_id for event in await rig.events(EventKind.LAPSE_ENDED)] == [first]


@pytest.mark.behaviour("R-9")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("invalid_key", "Letterly refuses this API key"),
        ("expired_key", "This API key has run out"),
        ("missing_permission", "It must be allowed: Read campaigns"),
        ("account_locked", "Letterly has disabled the account"),
        ("too_many", "It asks us to wait"),
        ("down", "Nothing was changed and nothing is lost"),
        ("teapot", "It gave an answer that we do not know"),
    ],
)
async def test_each_refusal_is_told_plainly_and_changes_nothing(
    rig: Rig, browser: Browser, own: OwnNetworks, fault: str, said: str
) -> None:
    connection_id = await account(rig, own.keyed, "L-1")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    key = own.vendor.make_key("L-1", "Acme Letters")
    own.vendor.keys[key].fault = fault
    page = await enter(browser, path, key, region="us")
    assert page.status == 422
    assert said in page.words
    assert "Who can help" in page.words
    (failed,) = await rig.events(EventKind.ATTEMPT_FAILED)
    assert "login" not in failed.data["why"]
    assert page.form(f"{path}/key")["field_region"] == "us", "what is not secret need not be typed again"
    assert page.form(f"{path}/key")["field_key"] == ""
    assert (await rig.connection(connection_id)).state is ConnectionState.LAPSED
    assert await stored(rig, connection_id) == OLD
    own.vendor.keys[key].fault = ""
    assert "Restored" in (await browser.follow(await enter(browser, path, key))).words, "and may be tried again at once"


@pytest.mark.behaviour("R-9", "R-6", "R-16")
async def test_a_key_of_another_account_is_named_as_such_and_not_stored(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    connection_id, other = await account(rig, own.keyed, "L-1"), await account(rig, own.keyed, "L-2", name="Two")
    path = await rig.link(connection_id)
    await rig.signed_in(browser, path)
    page = await enter(browser, path, own.vendor.make_key("L-2", "Two"))
    assert "This API key belongs to another account" in page.words
    assert "Letterly says that it belongs to Two L-2" in page.words
    for one in (connection_id, other):
        assert (await rig.connection(one)).state is ConnectionState.LAPSED, "also the one that it is of: never in bulk"
        assert await stored(rig, one) == OLD


@pytest.mark.behaviour("R-9")
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "This is empty."),
        ("lm_" + "a" * 600, "This is too long to be one."),
        ("lm_ä", "This contains characters that it never has"),
        ("lm_\x00a", "This contains characters that it never has"),
        ("sk_123", "This does not look like one."),
    ],
)
async def test_what_cannot_be_a_key_is_told_beside_its_field_and_nobody_is_asked(
    rig: Rig, browser: Browser, own: OwnNetworks, key: str, said: str
) -> None:
    path = await rig.link(await account(rig, own.keyed, "L-1"))
    await rig.signed_in(browser, path)
    page = await enter(browser, path, key)
    assert (page.status, said in page.words, own.vendor.asked) == (422, True, 0)
    assert 'aria-invalid="true" autofocus>' in page.text, "on a phone the field is far below the top of the page"


@pytest.mark.behaviour("R-17")
async def test_who_is_at_it_already_is_named_and_may_be_taken_over(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    connection_id = await account(rig, own.keyed, "L-1")
    path, key = await rig.link(connection_id, "Raj Patel"), own.vendor.make_key("L-1", "Acme Letters")
    gate = own.vendor.gate = asyncio.Event()
    async with rig.browser() as anas:
        anas_path = await rig.link(connection_id)
        await rig.signed_in(anas, anas_path)
        await rig.signed_in(browser, path, "Raj Patel")
        waiting = asyncio.create_task(enter(anas, anas_path, key))
        await own.vendor.waited.wait()
        own.vendor.gate = None
        held = await enter(browser, path, key)
        assert held.status == 409
        assert "Ana Ruiz is entering one as well" in held.words
        fields = held.form(f"{path}/key")
        assert (fields["field_key"], own.vendor.asked) == ("", 1)
        sent = {**fields, "field_key": key, "field_region": "eu", "take_over": "yes"}
        assert "Restored" in (await browser.follow(await browser.post(f"{path}/key", sent))).words
        gate.set()
        lost = await waiting
    assert "Already working" in lost.words
    assert [entry.actor_id for entry in await rig.entries("reconnected")] == [rig.people["Raj Patel"].id]


@pytest.mark.behaviour("P-5", "R-9")
async def test_a_forged_form_and_somebody_elses_link_reach_nothing(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    path = await rig.link(await account(rig, own.keyed, "L-1"))
    page = await rig.signed_in(browser, path)
    key = own.vendor.make_key("L-1", "Acme Letters")
    fields = {**page.form(f"{path}/key"), "field_key": key, "field_region": "eu"}
    assert (await browser.post(f"{path}/key", {**fields, "token": "made-up"})).status == 403
    other = await browser.post(f"{path}/key", fields, **{"Sec-Fetch-Site": "cross-site"})
    assert other.status == 403
    async with rig.browser() as strangers:
        await rig.signed_in(strangers, path, "Mei Lin")
        token = (await strangers.get("/")).form("/sign-out")
        refused = await strangers.post(f"{path}/key", {**fields, **token})
        assert refused.status in (403, 404)
    assert own.vendor.asked == 0


@pytest.mark.behaviour("R-14", "R-9")
async def test_a_new_account_is_connected_by_its_key_for_the_client_that_was_chosen(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    path = await rig.new_accounts_link(network="letterly")
    page = await rig.signed_in(browser, path)
    assert "Connect an account of Letterly" in page.words
    key = own.vendor.make_key("L-9", "Acme News")
    unfit = await enter(browser, path, key)
    assert (unfit.status, "Say which client" in unfit.words, own.vendor.asked) == (422, True, 0)
    done = await browser.follow(await enter(browser, path, key, client=to_wire(rig.client_id)))
    assert "Connected" in done.words
    async with rig.storage.reading() as uow:
        (view,) = await uow.connections.of_accounts(rig.organization_id, "letterly", ["L-9"])
    assert (view.connection.account_name, view.client_name) == ("Acme News", "Acme")
    assert await stored(rig, view.connection.id) == f'{{"region":"eu","key":"{key}"}}'
    again = await browser.follow(await enter(browser, path, key, client=to_wire(rig.client_id)))
    assert "Nothing new to connect" in (await browser.follow(again)).words


@pytest.mark.behaviour("R-9", "R-14")
async def test_a_refused_key_of_a_new_account_keeps_what_else_was_typed(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    path = await rig.new_accounts_link("Raj Patel", network="letterly")
    await rig.signed_in(browser, path, "Raj Patel")
    page = await enter(browser, path, "lm_404", region="us", new_client="Brió")
    assert "Letterly refuses this API key" in page.words
    fields = page.form(f"{path}/key")
    assert (fields["field_region"], fields["new_client"], fields["field_key"]) == ("us", "Brió", "")


@pytest.mark.behaviour("R-8", "R-9")
async def test_a_login_that_restores_many_lists_what_is_read_with_keys_to_be_verified_by_hand(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    path = await rig.link(await rig.add_connection("1"))
    await account(rig, own.keyed, "L-1")
    await account(rig, own.keyed, "L-2", name="Brio Letters", client="Brio")
    rig.login("1")
    await rig.signed_in(browser, path)
    page = await rig.reconnect(browser, path)
    assert "Restored" in page.words
    assert "To be verified by hand 1 account of the same clients is read with a key" in page.words
    assert "Brio Letters" not in page.words
    action = next(one for one in page.actions() if one.endswith("/by-hand"))
    form = await browser.follow(await browser.submit(page, action))
    assert "It has to belong to the account Acme Letters L-1" in form.words
    forged = {**page.form(action), "connection": to_wire(new_id(rig.clock.now()))}
    assert (await browser.post(action, forged)).status == 404


@pytest.mark.behaviour("R-9")
async def test_a_key_appears_in_no_page_log_audit_event_or_address(
    rig: Rig, browser: Browser, own: OwnNetworks, caplog: pytest.LogCaptureFixture, sqlite_database_url: str
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = own.vendor.make_key("L-1", "Acme Letters")
    path = await rig.link(await account(rig, own.keyed, "L-1"))
    pages = [await rig.signed_in(browser, path)]
    for fault in ("invalid_key", "missing_permission", "down", "teapot", ""):
        own.vendor.keys[canary].fault = fault
        pages.append(await enter(browser, path, canary))
    pages.append(await browser.follow(pages[-1]))
    pages.append(await browser.get(path))
    assert "Restored" in pages[-2].words
    async with rig.storage.reading() as uow:
        audit = await uow.audit.latest(rig.organization_id, limit=100)
    seen = [*(f"{page.text} {page.headers} {page.url}" for page in pages), *map(str, audit)]
    seen += [str(event) for event in await rig.events()]
    seen += [record.getMessage() for record in caplog.records]
    assert [text for text in seen if canary in text] == []
    file = Path(sqlite_database_url.partition(":///")[2])
    assert [one.name for one in file.parent.glob(f"{file.name}*") if canary.encode() in one.read_bytes()] == []
    assert not [cookie for cookie in browser.session.cookie_jar if canary in cookie.value]


@pytest.mark.behaviour("P-5")
async def test_rights_lost_while_a_key_is_tried_store_nothing(rig: Rig, browser: Browser, own: OwnNetworks) -> None:
    await rig.add_person("Tom Ode", Role.STAFF)
    connection_id = await account(rig, own.keyed, "L-1", connector="Tom Ode")
    path, key = await rig.link(connection_id, "Tom Ode"), own.vendor.make_key("L-1", "Acme Letters")
    await rig.signed_in(browser, path, "Tom Ode")
    own.vendor.gate = asyncio.Event()
    waiting = asyncio.create_task(enter(browser, path, key))
    await own.vendor.waited.wait()
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(rig.people["Tom Ode"], left_at=rig.clock.now()))
    own.vendor.gate.set()
    page = await waiting
    assert (page.status, page.location[:3]) == (303, "/a/")
    assert (await rig.connection(connection_id)).state is ConnectionState.LAPSED
    assert await stored(rig, connection_id) == OLD


@pytest.mark.behaviour("R-18")
async def test_a_try_that_was_cut_off_is_over_after_its_time(rig: Rig, browser: Browser, own: OwnNetworks) -> None:
    connection_id = await account(rig, own.keyed, "L-1")
    path, key = await rig.link(connection_id), own.vendor.make_key("L-1", "Acme Letters")
    own.vendor.gate = asyncio.Event()
    await rig.signed_in(browser, path)
    waiting = asyncio.create_task(enter(browser, path, key))
    await own.vendor.waited.wait()
    waiting.cancel()  # the browser is closed; its request may end as it likes
    rig.clock.advance(timedelta(minutes=11))
    own.vendor.gate.set()
    async with rig.browser() as later:
        path = await rig.link(connection_id, "Raj Patel")
        page = await rig.signed_in(later, path, "Raj Patel")
        if f"{path}/key" in page.actions():  # unless the request that nobody waits for was carried out meanwhile
            page = await enter(later, path, key)
    assert page.status in (200, 303, 422)
    assert (await rig.connection(connection_id)).state is ConnectionState.ACTIVE


@pytest.mark.behaviour("R-9", "R-16", "R-17")
async def test_many_tries_at_once_end_the_lapse_once_and_leave_one_whole_key(database_url: str, tmp_path: Path) -> None:
    async with opened_rig(database_url) as rig, own_networks(tmp_path, rig.clock) as own, rig.browser() as browser:
        rig.networks["letterly"] = own.keyed
        connection_id = await account(rig, own.keyed, "L-1")
        path = await rig.link(connection_id)
        form = (await rig.signed_in(browser, path)).form(f"{path}/key")
        keys = [own.vendor.make_key("L-1", "Acme Letters") for _ in range(6)]
        gate = own.vendor.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            tries = [
                group.create_task(browser.post(f"{path}/key", {**form, "field_region": "eu", "field_key": key}))
                for key in keys
            ]
            await own.vendor.waited.wait()
            gate.set()
        statuses = {one.result().status for one in tries}
        assert statuses <= {200, 303, 409, 422}
        assert (await rig.connection(connection_id)).state is ConnectionState.ACTIVE
        assert len(await rig.events(EventKind.LAPSE_ENDED)) == 1
        assert await stored(rig, connection_id) in [f'{{"region":"eu","key":"{key}"}}' for key in keys]


@pytest.mark.behaviour("D-1", "D-6", "D-8")
async def test_a_stored_key_is_watched_its_end_is_known_and_a_refused_one_lapses(
    rig: Rig, browser: Browser, own: OwnNetworks
) -> None:
    connection_id = await account(rig, own.keyed, "L-1")
    path, end = await rig.link(connection_id), rig.clock.now() + timedelta(days=90)
    await rig.signed_in(browser, path)
    key = own.vendor.make_key("L-1", "Acme Letters", ends_at=end)
    assert "Restored" in (await browser.follow(await enter(browser, path, key))).words
    authorization_id = (await rig.connection(connection_id)).authorization_id
    assert authorization_id is not None
    watcher = Watcher(storage=rig.storage, clock=rig.clock, networks=rig.networks, rules=WatchRules())

    async def state_after(fault: str) -> ConnectionState:
        own.vendor.keys[key].fault = fault
        rig.clock.advance(timedelta(minutes=20))
        assert await watcher.check(rig.organization_id, authorization_id) is CheckResult.CHECKED
        return (await rig.connection(connection_id)).state

    assert await state_after("") is ConnectionState.ACTIVE
    async with rig.storage.reading() as uow:
        assert (await uow.authorizations.get(rig.organization_id, authorization_id)).ends_at == end
    assert await state_after("down") is ConnectionState.ACTIVE, "an outage of the vendor's is no lapse"
    assert await state_after("invalid_key") is ConnectionState.LAPSED
    assert await state_after("too_many") is ConnectionState.LAPSED, "and no evidence that it works again"
    assert await state_after("") is ConnectionState.ACTIVE


@pytest.mark.behaviour("R-9")
async def test_no_login_is_begun_for_a_key_whoever_asks_for_one(rig: Rig, own: OwnNetworks) -> None:
    """The page has no such button; the round trip itself refuses as well, and opens nothing that would hold others."""
    path = await rig.link(await account(rig, own.keyed, "L-1"))
    link = await rig.storage.directory.link(path.removeprefix("/r/"))
    assert link is not None
    now = rig.clock.now()
    session = Session(
        id=SessionId(new_id(now)),
        platform=rig.platform.name,
        tenant=TEAM,
        user="U-ana",
        name="Ana Ruiz",
        email=None,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    answer = await Reconnecting(rig.services).start(
        link, rig.people["Ana Ruiz"], session, browser_hash=b"browser", take_over=False, again=False
    )
    assert isinstance(answer, Rehearsal)
    assert await rig.events(EventKind.ATTEMPT_OPENED, EventKind.ATTEMPT_FAILED) == []


@pytest.mark.behaviour("R-9")
async def test_what_was_typed_is_shown_again_without_what_is_secret(own: OwnNetworks) -> None:
    form = own.keyed.spec.key_form
    assert form is not None
    typed = read_typed(form, {"key": "lm_0secret", "region": "eu"})
    assert typed.again(form) == {"region": "eu"}
    assert "lm_0secret" not in repr(typed)
