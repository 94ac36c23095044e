"""Somebody known twice: by a chat account alone, as claimants are, and by an email address, as connectors are."""

import asyncio
import hashlib

import pytest

from commands.dispatcher import Dispatcher
from commands.model import ConnectionState, Person, Role
from commands.ports.chat import ChatUser, CommandRequest, Place, Words
from tests.web.browser import Browser, Page
from tests.web.rig import TEAM, Rig

SECOND_TEAM = "T2"


async def claimed(rig: Rig, user: str = "U-cleo-claims", name: str = "cleo.c", *, tenant: str = SECOND_TEAM) -> Person:
    """Somebody claims another workspace for the organization, so that only their chat account is known."""
    code = "GOOD-CODE"
    await rig.storage.directory.issue_claim_code(
        rig.organization_id,
        code_hash=hashlib.sha256(code.encode()).digest(),
        expires_at=rig.clock.now().replace(minute=59),
    )
    await Dispatcher(rig.services).command(
        CommandRequest(
            name="lapse-admin",
            arguments=Words(text=f"claim {code}"),
            user=ChatUser(platform=rig.platform.name, tenant=tenant, external_id=user, name=name),
            place=Place(workspace=SECOND_TEAM, workspace_name="Second", channel="C1", is_direct=False),
        )
    )
    return (await who(rig, user, tenant))[0]


async def who(rig: Rig, user: str, team: str = SECOND_TEAM) -> list[Person]:
    standing = await rig.storage.directory.standing(platform=rig.platform.name, workspace=None, tenant=team, user=user)
    return [member.person for member in standing.members]


async def arrive(
    rig: Rig, browser: Browser, path: str, *, email: str | None = "cleo@acme.example", user: str = "U-cleo-claims"
) -> Page:
    """Sign in on the way to a page."""
    rig.sign_in_as(user, name="cleo.c", tenant=SECOND_TEAM, email=email)
    return await browser.follow(await rig.come_back(browser, await browser.get(path)))


@pytest.mark.behaviour("P-1", "P-6")
async def test_a_claimant_who_is_a_connector_too_becomes_one_person_and_reconnects(rig: Rig, browser: Browser) -> None:
    claimant = await claimed(rig)
    assert (claimant.email, claimant.role) == (None, Role.ADMINISTRATOR)
    connector = await rig.add_person("Cleo Connects", Role.OWNER, linked=False)
    rig.people["Cleo Connects"] = connector
    connection_id = await rig.add_connection("1", connector="Cleo Connects")
    path = await rig.link(connection_id, "Cleo Connects")

    page = await arrive(rig, browser, path)
    for words in ("You are known twice", "By this account cleo.c", "By email Cleo Connects cleo@acme.example"):
        assert words in page.words
    assert "Acme EU Ads" not in page.text
    assert await who(rig, "U-cleo-claims") == [claimant], "opening the page changed nothing"

    done = await browser.follow(await browser.submit(page, "/link"))
    assert "This link is for Cleo Connects" in done.words
    (merged,) = await who(rig, "U-cleo-claims")
    assert (merged.id, merged.email, merged.role) == (connector.id, "cleo@acme.example", Role.ADMINISTRATOR)
    rig.login("1")
    assert "Restored" in (await rig.reconnect(browser, path)).words
    assert (await rig.connection(connection_id)).state is ConnectionState.ACTIVE
    assert "link refused" not in await rig.audited()
    async with rig.storage.reading() as uow:
        written = {entry.action: entry for entry in await uow.audit.latest(rig.organization_id, limit=50)}
    assert written["two people made one"].actor_id == connector.id
    assert written["two people made one"].origin == f"web, chatter {SECOND_TEAM}/U-cleo-claims"
    assert written["workspace.claimed"].actor_id == claimant.id, "the log keeps who it was then"


@pytest.mark.behaviour("P-6")
async def test_the_sign_in_page_offers_it_too_and_once_only(rig: Rig, browser: Browser) -> None:
    await claimed(rig)
    connector = await rig.add_person("Cleo Connects", Role.OWNER, linked=False)
    async with rig.storage.reading() as uow:
        workspaces = await uow.organizations.workspaces(rig.organization_id)
    second = next(workspace for workspace in workspaces if workspace.external_id == SECOND_TEAM)
    rig.workspace = second
    page = await arrive(rig, browser, rig.sign_in_path())
    answers = await asyncio.gather(*(browser.submit(page, "/link") for _ in range(4)))
    assert {answer.status for answer in answers} == {303}
    assert "You are known here as Cleo Connects" in (await browser.follow(answers[0])).words
    assert [person.id for person in await who(rig, "U-cleo-claims")] == [connector.id]
    assert (await rig.audited()).count("two people made one") == 1


@pytest.mark.behaviour("P-6")
async def test_an_address_that_nobody_else_has_is_written_down(rig: Rig, browser: Browser) -> None:
    claimant = await claimed(rig)
    path = await rig.link(await rig.add_connection("1"))
    await arrive(rig, browser, path, email=None)
    assert [person.email for person in await who(rig, "U-cleo-claims")] == [None], "it was not verified"
    await browser.post("/sign-out", {})
    await arrive(rig, browser, path)
    (known,) = await who(rig, "U-cleo-claims")
    assert (known.id, known.email) == (claimant.id, "cleo@acme.example")
    assert (await rig.audited()).count("email address written down") == 1


@pytest.mark.behaviour("P-6")
async def test_a_claim_with_a_second_account_becomes_the_same_person_at_its_sign_in(rig: Rig, browser: Browser) -> None:
    """Somebody with an email address, who signs in elsewhere with an account that is somebody's without one."""
    third = await claimed(rig, user="U-raj-claims", name="raj.p")
    raj = rig.people["Raj Patel"]
    path = await rig.link(await rig.add_connection("1"), "Raj Patel")
    page = await arrive(rig, browser, path, email="raj@acme.example", user="U-raj-claims")
    assert "By email Raj Patel raj@acme.example" in page.words
    await browser.submit(page, "/link")
    assert third.id != raj.id
    assert await who(rig, "U-raj-claims") == [raj]
    assert await who(rig, "U-raj", TEAM) == [raj]


@pytest.mark.behaviour("P-6")
async def test_somebody_elses_link_stays_somebody_elses(rig: Rig, browser: Browser) -> None:
    """Being one with another person than the link's offers nothing there, and is written down as ever."""
    await claimed(rig)
    await rig.add_person("Cleo Connects", Role.OWNER, linked=False)
    path = await rig.link(await rig.add_connection("1"), "Mei Lin")
    page = await arrive(rig, browser, path)
    assert page.status == 403
    assert "This link is for somebody else" in page.words
    assert "link refused" in await rig.audited()


@pytest.mark.behaviour("P-6")
async def test_an_account_of_a_foreign_workspace_is_made_one_with_nobody(rig: Rig, browser: Browser) -> None:
    """Its own administrators could have given it any address."""
    claimant = await claimed(rig, user="U-far", tenant="T-foreign")
    await rig.add_person("Cleo Connects", Role.OWNER, linked=False)
    path = await rig.link(await rig.add_connection("1"), "Cleo Connects")
    for email in ("cleo@acme.example", "nobody@elsewhere.example"):
        rig.sign_in_as("U-far", tenant="T-foreign", email=email)
        page = await browser.follow(await rig.come_back(browser, await browser.get(path)))
        assert "This link is for somebody else" in page.words
        await browser.submit(page, "/sign-out")
    assert await who(rig, "U-far", "T-foreign") == [claimant]
