"""The page before the login, from what is stored: each network's own prerequisites, and what to mind this time."""

import string
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.ids import OutageId, new_id
from commands.model import Claim, ConnectionState, Evidence, Role, Verdict
from commands.ports.network import NetworkKind
from commands.ports.outages import Outage
from commands.rehearsal import sentences
from platform_adapters.discovery import network_specs
from tests.web.browser import Browser
from tests.web.rig import Rig
from tests.web.states import renamed

FACTS = {
    "account": "Acme EU Ads",
    "account_id": "1029384756",
    "subject": "Ana Ruiz",
    "parent": "Acme EU",
    "parent_id": "8194",
}

SPECS = {spec.slug: spec for spec in network_specs({})}
COACHING = {
    "meta": ("Facebook as Ana Ruiz", "Business Manager Acme EU (8194)", "“Opt in to all current and future”"),
    "instagram": ("login of the Instagram account Acme EU Ads", "professional account", "switch to Acme EU Ads"),
    "tiktok": (
        "Admin role in Business Center Acme EU (8194)",
        "choose Acme EU at the top right",
        "“Owned by this Business Center”, that 1029384756 is listed",
        "leave these two on: Ad Account Management and Reporting",
        "a code by email",
    ),
    "snapchat": ("Snapchat as Ana Ruiz", "organization Acme EU (8194)", "role on ad account 1029384756"),
    "google_ads": ("Google as Ana Ruiz", "manager account Acme EU (8194)", "Google Ads box"),
    "youtube": ("first the Google account, then the channel", "Choose Acme EU Ads there", "Leave both boxes ticked"),
    "x": ("log in at x.com as Acme EU Ads", "ends the first sign-in when there is a second"),
    "x_ads": ("login of Ana Ruiz at hand", "role on the ad account Acme EU Ads (1029384756)"),
    "linkedin": ("LinkedIn as Ana Ruiz", "role on ad account 1029384756"),
    "pinterest": ("business account Acme EU, which owns the ad account", "Business Access"),
    "reddit": ("Reddit as Ana Ruiz, or as another member of business Acme EU",),
    "microsoft_ads": ("Ana Ruiz at hand", "customer Acme EU (8194)", '"Need admin approval", stop'),
    "amazon_ads": ("Amazon as Ana Ruiz", "Sign out of other Amazon logins", "under Access and settings"),
}
"""What NETWORKS.md, section 5, says of each network's consent page, in the words that its declaration has for it."""
PROFILES = {"meta": "personal", "linkedin": "personal", "instagram": "account's own", "x": "account's own"}


@pytest.mark.behaviour("R-2", "X-5")
@pytest.mark.parametrize("slug", COACHING)
def test_each_network_has_its_own_prerequisites_filled_from_what_is_stored(slug: str) -> None:
    spec = SPECS[slug]
    told = " ".join((*sentences(spec, FACTS), *spec.steps))
    assert [words for words in COACHING[slug] if words not in told] == []
    assert "{" not in told
    assert PROFILES.get(slug, "") in spec.login_label


@pytest.mark.behaviour("R-2")
def test_every_network_with_a_login_says_what_it_takes_and_what_comes_and_names_no_unknown_fact() -> None:
    known = {*FACTS, "permissions"}
    for spec in SPECS.values():
        if spec.kind is not NetworkKind.OAUTH:
            continue
        assert spec.slug in COACHING or not spec.checklist, f"{spec.slug} is not told of here"
        assert spec.login_label, spec.slug
        assert spec.reconnect_requirement, spec.slug
        assert spec.checklist, spec.slug
        assert spec.steps, spec.slug
        named = {name for each in spec.checklist for _, name, _, _ in string.Formatter().parse(each) if name}
        assert named <= known, spec.slug
        for words in (*spec.checklist, *spec.steps, spec.switch_login):
            assert not {"token", "scope", "oauth"} & set(words.lower().replace(".", " ").split()), words


@pytest.mark.behaviour("R-1", "R-2", "X-5")
async def test_the_page_before_names_login_business_and_the_switches_and_has_one_button(
    rig: Rig, browser: Browser
) -> None:
    renamed(rig)
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, path)
    for words in (
        "Log in as Ana Ruiz.",
        "Admin role in Business Center Acme EU (7001)",
        "Leave these two on: Ad Account Management and Reporting.",
        "What Examplenet will ask Choose the business. Press Confirm.",
        "This link is for Ana Ruiz, at Acme Group",
        "which asks you to allow: Ad Account Management and Reporting",
        "Examplenet asks again about every 60 days.",
    ):
        assert words in page.words
    assert page.actions().count(path) == 1
    assert page.text.count('class="primary"') == 1
    assert page.text.index("Before you go on") < page.text.index('class="primary"')


@pytest.mark.behaviour("X-5", "R-5")
async def test_a_permission_that_was_switched_off_is_asked_for_by_name(rig: Rig, browser: Browser) -> None:
    lacking = Evidence(check="fake", missing=("Reporting",))
    path = await rig.link(await rig.add_connection("1", cause=Verdict.PERMISSION_MISSING, evidence=lacking))
    page = await rig.signed_in(browser, path)
    assert "This time leave on: Reporting. Without it the account cannot be read." in page.words
    assert "Missing: Reporting." in page.words, "as the message says it"


async def test_a_permission_that_the_network_words_with_a_full_stop_ends_the_sentence_once(
    rig: Rig, browser: Browser
) -> None:
    labels = [replace(one, label=f"{one.label}, etc.") for one in rig.network.spec.permissions]
    rig.network.spec = replace(rig.network.spec, permissions=tuple(labels))
    page = await rig.signed_in(browser, await rig.link(await rig.add_connection("1")))
    assert ", etc. You come back here" in page.words


@pytest.mark.behaviour("R-2", "P-2")
async def test_a_colleague_is_asked_for_a_login_of_their_own_and_told_what_it_takes(rig: Rig) -> None:
    connection_id = await rig.add_connection("1")
    await rig.add_person("Otto Own", Role.OWNER)
    async with rig.browser() as mei, rig.browser() as ana:
        page = await rig.signed_in(mei, await rig.link(connection_id, "Mei Lin"), "Mei Lin")
        assert "Use a login of your own: it takes a role on the account." in page.words
        assert "Log in as Ana Ruiz" not in page.words
        own = await rig.signed_in(ana, await rig.link(connection_id))
        assert "a login of your own" not in own.words
        assert "Log in as Ana Ruiz" in own.words


@pytest.mark.behaviour("R-1", "D-2")
async def test_a_planned_reconnect_says_that_it_is_planned_and_by_when(rig: Rig, browser: Browser) -> None:
    renamed(rig)
    soon = await rig.add_authorization("Ana Ruiz", subject="s-2", ends_at=rig.clock.now() + timedelta(days=6))
    path = await rig.link(await rig.add_connection("1", state=ConnectionState.ACTIVE, authorization_id=soon))
    page = await rig.signed_in(browser, path)
    assert "Ends Sun 29 Nov 2026, 09:00 UTC" in page.words
    assert "This is planned, and nothing is broken" in page.words
    assert "asks for a fresh login every 60 days" in page.words
    assert "Renew at Examplenet" in page.words
    assert "Lapsed" not in page.words


@pytest.mark.behaviour("X-4", "R-2")
@pytest.mark.parametrize("one_grant", [True, False])
async def test_a_claim_warns_before_the_button_where_a_second_login_ends_the_first(
    rig: Rig, browser: Browser, one_grant: bool
) -> None:
    rig.network.spec = replace(rig.network.spec, one_grant_per_subject=one_grant)
    connection_id = await rig.add_connection("1")
    async with rig.storage.transaction() as uow:
        view = await uow.connections.view(rig.organization_id, connection_id)
        assert view is not None
        assert view.lapse is not None
        claim = Claim(person_id=rig.people["Raj Patel"].id, until=rig.clock.now() + timedelta(hours=1))
        await uow.lapses.claim(rig.organization_id, [view.lapse.id], claim)
    page = await rig.signed_in(browser, await rig.link(connection_id))
    assert "Raj Patel is on it" in page.words
    assert ("a second login ends the first" in page.words) == one_grant
    assert page.text.index("is on it") < page.text.index('class="primary"')


@pytest.mark.behaviour("X-3")
async def test_a_network_that_fails_for_many_is_said_to_before_the_button(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    assert "failing for many" not in (await rig.signed_in(browser, path)).words
    now = rig.clock.now()
    outage = Outage(
        id=OutageId(new_id(now)),
        network=rig.network.spec.slug,
        region="",
        since=now - timedelta(minutes=5),
        opened_at=now,
        held_until=now + timedelta(hours=6),
        checked=25,
        failing=23,
        sampled_at=now,
        turn_at=now,
    )
    assert await rig.storage.outages.open(outage)
    async with rig.storage.transaction() as uow:
        assert await uow.outages.tell(rig.organization_id, outage.id, failing=23, now=now, apart=timedelta(0))
    page = await browser.get(path)
    assert "Examplenet has been failing for many accounts since Mon 23 Nov 2026, 08:55 UTC" in page.words
    assert path in page.actions()
