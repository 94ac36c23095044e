"""Installations of whole organizations (Enterprise Grid): which workspaces they reach, and how they end (row 34)."""

from collections.abc import AsyncIterator

import pytest

from commands.errors import DeliveryErrorKind
from commands.ports.chat import AddressKind
from commands.secret import Secret
from platform_adapters.chat.slack.installations import Access
from platform_adapters.chat.slack.payloads import read_action
from tests.slack_adapter.loopback import Loopback
from tests.slack_adapter.many import (
    ALONE,
    BOSS,
    EAST,
    EVA,
    ORG,
    WALT,
    WEST,
    Noted,
    back,
    error_of_post,
    let_in,
    lost,
    many,
    post,
    stored,
    uninstall,
)

# slack_sdk 3.47 still hands its client credentials to aiohttp as BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.fixture
def inbound() -> Noted:
    return Noted()


@pytest.fixture
async def slack(inbound: Noted) -> AsyncIterator[Loopback]:
    async with many(inbound) as loopback:
        yield loopback


@pytest.mark.behaviour("A-1")
async def test_an_organizations_installation_serves_the_workspaces_that_it_was_added_to(
    slack: Loopback, inbound: Noted
) -> None:
    await let_in(slack, EAST, BOSS, where=ORG)
    org = await stored(slack, ORG)
    assert (org.is_org_wide, org.name) == (True, "Org")
    assert (await error_of_post(slack, EAST)).kind is DeliveryErrorKind.ADDRESS_GONE
    await slack.people.post("org-teams", enterprise=ORG, teams=[EAST, WEST])
    await inbound.until(lambda: sorted(back(inbound)) == [EAST, WEST])
    await post(slack, EAST)
    await post(slack, WEST, WALT, AddressKind.DIRECT)
    assert (await error_of_post(slack, ALONE)).kind is DeliveryErrorKind.ADDRESS_GONE

    await slack.people.fail("response_url", "http", status=404)
    assert (await slack.people.says(EAST, "C0EAST", EVA, "/lapsed"))["error"] is None
    await slack.people.wait_until(EAST, "C0EAST", EVA, lambda seen: len(seen) == 2)
    (command,) = inbound.commands
    assert (command.place.workspace, command.user.tenant, command.place.is_shared) == (EAST, EAST, False)
    shown = await slack.people.open_home(EAST, EVA)
    assert "Here you are." in shown.html
    assert inbound.homes[0].place.workspace == EAST


async def test_an_organization_that_takes_a_workspace_back_is_told_and_the_rest_goes_on(
    slack: Loopback, inbound: Noted
) -> None:
    await let_in(slack, EAST, BOSS, where=ORG)
    await slack.people.post("org-teams", enterprise=ORG, teams=[EAST, WEST])
    await inbound.until(lambda: sorted(back(inbound)) == [EAST, WEST])
    await post(slack, EAST)
    await slack.people.post("org-teams", enterprise=ORG, teams=[EAST], added=False)
    await inbound.until(lambda: lost(inbound) == [EAST])
    assert (await error_of_post(slack, EAST)).kind is DeliveryErrorKind.ADDRESS_GONE
    await post(slack, WEST)


async def test_row_34_an_organizations_uninstall_ends_all_its_workspaces(slack: Loopback, inbound: Noted) -> None:
    await let_in(slack, EAST, BOSS, where=ORG)
    await slack.people.post("org-teams", enterprise=ORG, teams=[EAST, WEST])
    await inbound.until(lambda: sorted(back(inbound)) == [EAST, WEST])
    await post(slack, EAST)
    await uninstall(slack, ORG, "tokens_revoked", "app_uninstalled")
    await inbound.until(lambda: sorted(lost(inbound)) == [EAST, WEST])
    assert (await stored(slack, ORG)).lost_at is not None
    assert (await error_of_post(slack, WEST)).kind is DeliveryErrorKind.ADDRESS_GONE


async def test_a_person_of_the_same_organization_is_of_the_workspace_where_they_press(
    slack: Loopback, inbound: Noted
) -> None:
    await let_in(slack, EAST, BOSS, where=ORG)
    await slack.people.post("org-teams", enterprise=ORG, teams=[EAST])
    await inbound.until(lambda: back(inbound) == [EAST])
    shown = await slack.people.open_home(EAST, EVA)
    assert shown.raw["app_installed_team_id"] == ORG
    request = inbound.homes[0]
    assert (request.user.tenant, request.place.workspace, request.place.is_shared) == (EAST, EAST, False)


@pytest.mark.parametrize(
    ("team", "tenant", "is_shared"),
    [(EAST, EAST, None), (ORG, EAST, None), (WEST, EAST, None), ("T0ELSEWHERE", "T0ELSEWHERE", True)],
)
def test_people_of_an_organization_are_no_outsiders_in_its_workspaces(
    team: str, tenant: str, is_shared: bool | None
) -> None:
    body = {
        "type": "block_actions",
        "user": {"id": BOSS, "team_id": team},
        "team": {"id": EAST} if team != WEST else None,
        "view": {"team_id": EAST, "type": "home"} if team == WEST else {},
        "enterprise": {"id": ORG},
        "is_enterprise_install": True,
        "channel": {"id": "C0EAST", "name": "general"},
        "actions": [{"action_id": "press-0", "block_id": "b", "value": "details:1"}],
    }
    asked = read_action(body)
    assert asked is not None
    assert asked.organization == ORG
    siblings = frozenset({EAST, WEST})
    access = Access(team_id=EAST, team_name="", token=Secret("x"), scopes=(), owner=ORG, siblings=siblings)
    request = asked.within(access).request
    assert request.user.tenant == tenant
    assert request.place.is_shared is (False if team == WEST else is_shared)


async def test_an_organization_is_let_in_though_its_workspaces_cannot_be_read_yet(slack: Loopback) -> None:
    await slack.people.fail("auth.teams.list", "http", status=503)
    await let_in(slack, EAST, BOSS, where=ORG)
    assert (await stored(slack, ORG)).is_org_wide
