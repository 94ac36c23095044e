"""Chat accounts that carry another person's email address: it says where a message goes, never who one is."""

import pytest

from commands.model import Role
from commands.ports.events import EventKind
from tests.web.browser import Browser
from tests.web.rig import Rig


async def account_of(rig: Rig, name: str) -> list[str]:
    """The users that are linked to a person."""
    person = rig.people[name]
    async with rig.storage.reading() as uow:
        identities = await uow.people.identities(rig.organization_id, [person.id])
    return [identity.user for identity in identities.get(person.id, ())]


@pytest.mark.behaviour("P-6")
async def test_a_second_account_with_a_linked_persons_address_is_nobody(rig: Rig, browser: Browser) -> None:
    rig.sign_in_as("U-evil", name="Mallory", email="raj@acme.example")
    page = await browser.follow(await rig.come_back(browser, await browser.get(rig.sign_in_path())))
    assert page.status == 403
    assert "/link" not in page.actions()
    assert await account_of(rig, "Raj Patel") == ["U-raj"]


@pytest.mark.behaviour("P-6")
async def test_an_account_of_no_workspace_links_only_where_the_organization_is_on_that_platform(
    rig: Rig, browser: Browser
) -> None:
    await rig.add_person("New Person", Role.STAFF, linked=False)
    path = await rig.link(await rig.add_connection("1"))
    rig.platform.name = "elsewhere"  # signing in says so; the organization has no workspace there
    rig.sign_in_as("666", name="Mallory", tenant="", email="new@acme.example")
    rig.platform.name = "chatter"
    page = await browser.follow(await rig.come_back(browser, await browser.get(path)))
    assert "/link" not in page.actions()


@pytest.mark.behaviour("P-6")
async def test_an_account_that_no_workspace_vouches_for_learns_no_name(rig: Rig, browser: Browser) -> None:
    rig.sign_in_as("777", name="Nobody", tenant="", email="nobody@else.example")
    page = await browser.follow(await rig.come_back(browser, await browser.get(rig.sign_in_path())))
    assert "Raj Patel" not in page.words
    assert "Acme" not in page.words


@pytest.mark.behaviour("R-15")
async def test_strangers_put_no_words_into_the_owners_message_and_are_told_of_once_a_day(rig: Rig) -> None:
    path = await rig.link(await rig.add_connection("1"))
    for number in range(3):
        async with rig.browser() as browser:
            rig.sign_in_as(f"9{number}", name=f"your password expired, go to evil.example/{number}", tenant="")
            await browser.follow(await rig.come_back(browser, await browser.get(path)))
    refused = [event for event in await rig.events() if event.kind is EventKind.LINK_REFUSED]
    assert [event.data.get("by", "") for event in refused] == [""]
