"""The one-time link that makes a chat account a known person's, and how an account is unlinked again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commands.auditing import Actor
from commands.errors import DeliveryError, DeliveryErrorKind
from commands.ids import IdentityId, OrganizationId, SubscriptionId, WorkspaceId, new_id
from commands.linking import unlink
from commands.model import Identity, Organization, Role, Subscription, Workspace
from commands.passes import make_pass
from commands.ports.chat import AccountKind, Profile
from commands.ports.reconnecting import PassPurpose
from commands.ports.storage import NotThere
from commands.secret import hashed
from tests.web.browser import Browser, Page
from tests.web.rig import TEAM, Rig, opened_rig


@pytest.fixture
async def rig(database_url: str) -> AsyncIterator[Rig]:
    async with opened_rig(database_url) as opened:
        await opened.add_person("Nia New", Role.STAFF, linked=False)
        yield opened


@pytest.fixture
async def path(rig: Rig) -> str:
    return await rig.bearer_link(PassPurpose.IDENTITY, "Nia New")


async def arrive(rig: Rig, browser: Browser, path: str, *, user: str = "U-nia", tenant: str = TEAM) -> Page:
    """Open the link and sign in on the way, with an account that has no known address."""
    rig.sign_in_as(user, name="nia.n", tenant=tenant, email="nia@private.example")
    return await browser.follow(await rig.come_back(browser, await browser.get(path)))


async def users_of(rig: Rig, name: str) -> list[str]:
    async with rig.storage.reading() as uow:
        identities = await uow.people.identities(rig.organization_id, [rig.people[name].id])
    return [identity.user for identity in identities.get(rig.people[name].id, ())]


def by(rig: Rig, name: str | None = None) -> Actor:
    person_id = rig.people[name].id if name is not None else None
    return Actor(organization_id=rig.organization_id, person_id=person_id, origin="test")


@pytest.mark.behaviour("P-6")
async def test_it_shows_both_identities_after_signing_in_and_is_confirmed_by_one_press(
    rig: Rig, browser: Browser, path: str
) -> None:
    neutral = await browser.get(path)
    assert "Sign in with Chatter" in neutral.words
    for hidden in ("Nia", "Acme"):
        assert hidden not in neutral.text
    page = await arrive(rig, browser, path)
    for words in ("Is this you?", "Chatter account nia.n nia@private.example", "Person here Nia New nia@acme.example"):
        assert words in page.words
    assert await users_of(rig, "Nia New") == []
    done = await browser.follow(await browser.submit(page, path))
    assert "You are known here as Nia New" in done.words
    assert await users_of(rig, "Nia New") == ["U-nia"]
    (entry,) = await rig.entries("chat account linked")
    assert (entry.actor_id, entry.detail["by"]) == (rig.people["Nia New"].id, "one-time link")
    assert "U-nia" in entry.origin


@pytest.mark.behaviour("P-6")
async def test_looking_uses_nothing_up_and_pressing_does(rig: Rig, browser: Browser, path: str) -> None:
    page = await arrive(rig, browser, path)
    for _ in range(5):
        assert "Is this you?" in (await browser.get(path)).words
    answers = await asyncio.gather(*(browser.submit(page, path) for _ in range(6)))
    assert {answer.status for answer in answers} <= {200, 303}
    assert len(await rig.entries("chat account linked")) == 1
    async with rig.browser() as other:
        assert "This link leads nowhere" in (await other.get(path)).words
        rig.sign_in_as("U-late", name="Late")
        await rig.come_back(other, await other.get(rig.sign_in_path()))
        late = await other.get(path)
    assert late.status == 404
    assert "Nia" not in late.text
    assert "Ask the administrator" in late.words


@pytest.mark.behaviour("P-6")
async def test_it_is_over_after_a_day_and_when_it_is_withdrawn(rig: Rig, browser: Browser, path: str) -> None:
    page = await arrive(rig, browser, path)
    async with rig.storage.transaction() as uow:
        await uow.passes.withdraw(rig.organization_id, rig.people["Nia New"].id, PassPurpose.IDENTITY, rig.clock.now())
    assert (await browser.submit(page, path)).status == 404
    other = await rig.bearer_link(PassPurpose.IDENTITY, "Nia New")
    rig.clock.advance(timedelta(hours=24, seconds=1))
    assert (await browser.get(other)).status == 404
    assert await users_of(rig, "Nia New") == []


@pytest.mark.behaviour("P-6")
@pytest.mark.parametrize(
    ("kind", "title"),
    [
        pytest.param(AccountKind.BOT, "This account is a bot's", id="a bot"),
        pytest.param(AccountKind.GONE, "This account is not active any more", id="deactivated"),
    ],
)
async def test_an_account_that_the_platform_calls_a_bot_or_gone_is_never_linked(
    rig: Rig, browser: Browser, path: str, kind: AccountKind, title: str
) -> None:
    page = await arrive(rig, browser, path)
    rig.platform.profiles[TEAM, "U-nia"] = Profile(kind=kind, name="nia.n")
    for refused in (await browser.submit(page, path), await browser.get(path)):
        assert refused.status == 403
        assert title in refused.words
        assert "Raj Patel, who administers the connections here" in refused.words
        assert "/sign-out" in refused.actions()
    assert await users_of(rig, "Nia New") == []
    del rig.platform.profiles[TEAM, "U-nia"]
    await browser.submit(await browser.get(path), path)
    assert await users_of(rig, "Nia New") == ["U-nia"]


@pytest.mark.behaviour("P-6")
async def test_a_guest_is_linked_and_has_just_what_the_role_gives(rig: Rig, browser: Browser, path: str) -> None:
    rig.platform.profiles[TEAM, "U-nia"] = Profile(kind=AccountKind.GUEST, name="nia.n")
    page = await arrive(rig, browser, path)
    assert "a guest there" in page.words
    await browser.submit(page, path)
    assert await users_of(rig, "Nia New") == ["U-nia"]


@pytest.mark.behaviour("P-6", "A-1")
@pytest.mark.parametrize("claimed", [False, True], ids=["an outsider of a shared channel", "another organization's"])
async def test_an_account_of_another_workspace_is_not_linked_and_learns_no_name(
    rig: Rig, browser: Browser, path: str, *, claimed: bool
) -> None:
    if claimed:
        other = Organization(id=OrganizationId(new_id(rig.clock.now())), name="Brio")
        theirs = Workspace(
            id=WorkspaceId(new_id(rig.clock.now())),
            organization_id=other.id,
            platform=rig.platform.name,
            external_id="T-other",
            name="Brio's team",
        )
        async with rig.storage.transaction() as uow:
            await uow.organizations.add(other)
            await uow.organizations.add_workspace(theirs)
    page = await arrive(rig, browser, path, tenant="T-other")
    assert page.status == 403
    assert "This account belongs to another workspace" in page.words
    assert "Nia New" not in page.words
    assert path not in page.actions()
    assert await users_of(rig, "Nia New") == []


@pytest.mark.behaviour("P-6")
@pytest.mark.parametrize(
    ("said", "title"),
    [
        (Profile(kind=AccountKind.GONE, name="x"), "This account is not a member here"),
        (DeliveryError(DeliveryErrorKind.RETRY, "busy"), "Chatter does not answer at the moment"),
        (Profile(kind=AccountKind.MEMBER, name="x"), "Is this you?"),
    ],
)
async def test_an_account_of_no_workspace_is_linked_only_as_a_member_of_a_claimed_one(
    rig: Rig, browser: Browser, path: str, said: Profile | DeliveryError, title: str
) -> None:
    rig.platform.profiles[TEAM, "777"] = said
    page = await arrive(rig, browser, path, user="777", tenant="")
    assert title in page.words
    assert (path in page.actions()) == (title == "Is this you?")


@pytest.mark.behaviour("P-6")
async def test_an_address_that_matches_links_no_account_that_is_no_member(rig: Rig, browser: Browser) -> None:
    rig.platform.profiles[TEAM, "777"] = Profile(kind=AccountKind.GONE, name="x")
    rig.sign_in_as("777", name="Mallory", tenant="", email="nia@acme.example")
    page = await browser.follow(
        await rig.come_back(browser, await browser.get(await rig.link(await rig.add_connection("1"))))
    )
    assert "/link" not in page.actions()
    assert "Nia" not in page.text


@pytest.mark.behaviour("P-6")
async def test_an_account_that_is_somebody_elses_stays_theirs(rig: Rig, browser: Browser, path: str) -> None:
    page = await arrive(rig, browser, path, user="U-mei")
    assert page.status == 403
    assert "It is known here as Mei Lin" in page.words
    assert await users_of(rig, "Mei Lin") == ["U-mei"]
    own = await rig.bearer_link(PassPurpose.IDENTITY, "Mei Lin")
    assert "You are known here as Mei Lin" in (await browser.get(own)).words


@pytest.mark.behaviour("P-6")
async def test_a_person_with_an_account_that_works_gets_no_second_one_beside_it(rig: Rig, browser: Browser) -> None:
    path = await rig.bearer_link(PassPurpose.IDENTITY, "Mei Lin")
    page = await arrive(rig, browser, path, user="U-second")
    assert "There is another account already" in page.words
    async with rig.storage.transaction() as uow:
        identity = await identity_of(rig, "Mei Lin")
        await uow.people.looked_at(rig.organization_id, identity.id, at=rig.clock.now(), gone=True, time_zone=None)
    await browser.submit(await browser.get(path), path)
    assert sorted(await users_of(rig, "Mei Lin")) == ["U-mei", "U-second"]


@pytest.mark.behaviour("P-6")
async def test_another_site_cannot_press_the_button(rig: Rig, browser: Browser, path: str) -> None:
    page = await arrive(rig, browser, path)
    fields = page.form(path)
    assert (await browser.post(path, fields, **{"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await browser.post(path, {**fields, "token": "0"})).status == 403
    assert await users_of(rig, "Nia New") == []


async def identity_of(rig: Rig, name: str) -> Identity:
    async with rig.storage.reading() as uow:
        return (await uow.people.identities(rig.organization_id, [rig.people[name].id]))[rig.people[name].id][0]


@pytest.mark.behaviour("P-6")
async def test_unlinking_ends_sessions_attempts_opt_ins_and_personal_links(rig: Rig, browser: Browser) -> None:
    path = await rig.link(await rig.add_connection("1"))
    page = await rig.signed_in(browser, path)
    sent = await browser.submit(page, path)
    personal = await rig.bearer_link(PassPurpose.ACCOUNTS)
    ana = rig.people["Ana Ruiz"]
    opt_in = Subscription(
        id=SubscriptionId(new_id(rig.clock.now())),
        organization_id=rig.organization_id,
        person_id=ana.id,
        channel=None,
        network=None,
        client_id=None,
        created_at=rig.clock.now(),
    )
    identity = await identity_of(rig, "Ana Ruiz")
    async with rig.storage.transaction() as uow:
        await uow.subscriptions.add(opt_in)
    async with rig.storage.transaction() as uow:
        was_last = await unlink(uow, identity, by(rig, "Raj Patel"), rig.clock.now())
    assert was_last
    assert await users_of(rig, "Ana Ruiz") == []
    rig.login("1")
    assert (await browser.get(rig.callback(sent.sent_state))).status in (400, 403)
    assert "exchange" not in rig.network.asked
    assert "Sign in to go on" in (await browser.get(path)).words
    assert (await browser.get(personal)).status == 404
    async with rig.storage.reading() as uow:
        assert await uow.subscriptions.of(rig.organization_id, person_id=ana.id, channel=None) == []
    (entry,) = await rig.entries("chat account unlinked")
    assert (entry.actor_id, entry.detail["account"]) == (rig.people["Raj Patel"].id, "chatter T1/U-ana")
    with pytest.raises(NotThere):
        async with rig.storage.transaction() as uow:
            await unlink(uow, identity, by(rig), rig.clock.now())


@pytest.mark.behaviour("P-6")
async def test_unlinking_one_of_two_accounts_leaves_opt_ins_and_personal_links(rig: Rig, browser: Browser) -> None:
    first = await rig.bearer_link(PassPurpose.IDENTITY, "Nia New")
    await browser.submit(await arrive(rig, browser, first), first)
    identity = await identity_of(rig, "Nia New")
    async with rig.storage.transaction() as uow:
        await uow.people.link(
            Identity(
                id=IdentityId(new_id(rig.clock.now())),
                organization_id=rig.organization_id,
                person_id=identity.person_id,
                platform="elsewhere",
                tenant="",
                user="900",
                linked_at=rig.clock.now(),
            )
        )
    personal = await rig.bearer_link(PassPurpose.ACCOUNTS, "Nia New")
    async with rig.storage.transaction() as uow:
        assert not await unlink(uow, identity, by(rig), rig.clock.now())
    assert (await browser.get(personal)).status == 200


async def deactivate(rig: Rig, name: str) -> None:
    organization_id, person_id = rig.organization_id, rig.people[name].id
    async with rig.storage.transaction() as uow:
        (identity,) = (await uow.people.identities(organization_id, [person_id]))[person_id]
        await uow.people.looked_at(organization_id, identity.id, at=rig.clock.now(), gone=True, time_zone=None)


@pytest.mark.behaviour("P-6", "X-6")
async def test_an_account_that_was_deactivated_and_is_back_becomes_theirs_again_by_its_address(
    rig: Rig, browser: Browser
) -> None:
    await deactivate(rig, "Mei Lin")
    rig.sign_in_as("U-mei", name="mei", email="mei@acme.example")
    page = await browser.follow(await rig.come_back(browser, await browser.get(rig.sign_in_path())))
    assert "Person here Mei Lin" in page.words
    (confirm,) = (action for action in page.actions() if action not in ("/sign-out",))
    await browser.submit(page, confirm)
    async with rig.storage.reading() as uow:
        (identity,) = (await uow.people.identities(rig.organization_id, [rig.people["Mei Lin"].id]))[
            rig.people["Mei Lin"].id
        ]
    assert (identity.user, identity.gone_at) == ("U-mei", None)


@pytest.mark.behaviour("P-6", "X-6")
async def test_an_account_that_was_deactivated_and_is_back_becomes_theirs_again_by_a_one_time_link(
    rig: Rig, browser: Browser
) -> None:
    await deactivate(rig, "Mei Lin")
    path = await rig.bearer_link(PassPurpose.IDENTITY, "Mei Lin")
    page = await arrive(rig, browser, path, user="U-mei")
    assert "Is this you?" in page.words
    done = await browser.follow(await browser.submit(page, path))
    assert "You are known here as Mei Lin" in done.words
    async with rig.storage.reading() as uow:
        (identity,) = (await uow.people.identities(rig.organization_id, [rig.people["Mei Lin"].id]))[
            rig.people["Mei Lin"].id
        ]
    assert identity.gone_at is None


@pytest.mark.behaviour("A-1", "P-6")
async def test_a_one_time_link_that_an_administrator_made_leads_nowhere_to_a_primary_administrator(
    rig: Rig, browser: Browser
) -> None:
    otto, nia = await rig.add_person("Otto Admin", Role.ADMINISTRATOR), rig.people["Nia New"]
    async with rig.storage.transaction() as uow:
        url = await make_pass(uow, rig.base, nia, PassPurpose.IDENTITY, made_by=otto.id, now=rig.clock.now())
    path = url.removeprefix(rig.base)
    page = await arrive(rig, browser, path)
    assert "Is this you?" in page.words
    async with rig.storage.transaction() as uow:
        await uow.people.update(replace(nia, role=Role.PRIMARY_ADMINISTRATOR))
    assert "This link leads nowhere" in (await browser.submit(page, path)).words
    assert await users_of(rig, "Nia New") == []


@pytest.mark.behaviour("P-6")
async def test_links_that_were_handed_out_with_an_account_end_when_it_is_unlinked(rig: Rig, path: str) -> None:
    raj = rig.people["Raj Patel"]
    async with rig.storage.transaction() as uow:
        (identity,) = (await uow.people.identities(rig.organization_id, [raj.id]))[raj.id]
        await unlink(uow, identity, by(rig), rig.clock.now())
    one = await rig.storage.directory.pass_of(hashed(path.rpartition("/")[2]))
    assert one is not None
    assert one.withdrawn_at is not None
