"""Requests are always answered: strangers, unclaimed workspaces, stale buttons, and what goes wrong inside."""

import logging
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.actions import (
    HISTORY_PAGE,
    ListView,
    details_action,
    feedback_action,
    list_action,
    note_action,
    reconnect_action,
)
from commands.catalogue import ACTIONS, COMMANDS, COMMANDS_BY_NAME
from commands.command import Services
from commands.dispatcher import Dispatcher
from commands.errors import CommandError
from commands.handlers.workspaces import claim, claim_code_hash
from commands.ids import IdentityId, OrganizationId, PersonId, WorkspaceId, new_id, to_wire
from commands.messages import ActionRef, Message
from commands.model import Identity, Organization, Person, Role, Workspace
from commands.ports.chat import Acknowledgement, ActionRequest, CommandRequest, Submission, Words
from commands.usage import USAGES
from tests.commands.plain import address, buttons, plain
from tests.commands.world import (
    HERE,
    NOWHERE,
    PLATFORM,
    PUBLIC_URL,
    SHARED,
    TENANT,
    UNCLAIMED,
    World,
)

OUT_OF_DATE = "This button is out of date. Type `/lapsed` for the list as it is now."
STRANGER = "I don't know who you are yet. Sign in once with this account, then ask again.\n[Sign in]"


@pytest.mark.behaviour("P-6")
@pytest.mark.parametrize("command", [*(command.name for command in COMMANDS), "nonsense"])
async def test_a_stranger_gets_the_sign_in_answer_and_learns_nothing(world: World, command: str) -> None:
    for place in (HERE, SHARED):
        message = await world.typed("stranger", command, "who acme de", place=place)
        assert plain(message) == STRANGER
        assert address(message, "Sign in") == f"{PUBLIC_URL}/sign-in/{to_wire(UUID(int=7))}"


@pytest.mark.behaviour("P-6")
@pytest.mark.behaviour("N-9")
async def test_a_stranger_who_presses_gets_the_sign_in_answer(world: World) -> None:
    for action in (reconnect_action(world.connections["Acme DE"]), list_action(ListView()), ActionRef("nonsense")):
        assert plain(await world.pressed("stranger", action, place=SHARED)) == STRANGER


async def test_a_stranger_in_a_direct_message_of_no_workspace_is_sent_to_one(world: World) -> None:
    message = await world.typed("stranger", "lapsed", place=NOWHERE)
    assert plain(message).startswith("I don't know who you are yet. Type `/lapsed` in a workspace")
    assert buttons(message) == {}


@pytest.mark.behaviour("P-5")
@pytest.mark.parametrize(
    "token",
    [
        "",
        ":",
        "nonsense:1",
        "reconnect",
        "reconnect:short",
        "reconnect:" + "z" * 22,
        "reconnect:a:b",
        "details:../../etc",
        "list:0",
        "list:-1::::n:",
        "list:0:\x00:::n:",
        "list:0:nowhere:::n:",
        "list:0::::q:",
        "list:0::::n:%%%",
        "claim:漢",
        "subscribe:nowhere:",
        "feedback:help:maybe",
        "x" * 3000,
    ],
)
async def test_a_malformed_or_foreign_button_is_out_of_date(world: World, token: str) -> None:
    assert plain(await world.pressed("ada", token)) == OUT_OF_DATE


@given(token=st.text(max_size=120))
def test_any_token_has_an_acknowledgement(token: str) -> None:
    services: Services = None  # type: ignore[assignment]  # awaits nothing, reads nothing
    assert Dispatcher(services).acknowledgement(token) in Acknowledgement


def test_only_lists_are_answered_in_place_and_forms_take_what_was_filled_in() -> None:
    services: Services = None  # type: ignore[assignment]  # awaits nothing, reads nothing
    turn = list_action(ListView(offset=8))
    assert turn is not None
    assert Dispatcher(services).acknowledgement(turn.encode()) is Acknowledgement.UPDATE
    assert Dispatcher(services).acknowledgement("list:8") is Acknowledgement.PRIVATE
    turned = {action.name for action in ACTIONS if action.acknowledgement is Acknowledgement.UPDATE}
    assert turned <= {"list", "reconnect-list", "admin-list", "history-page"}
    forms = [action for action in ACTIONS if action.acknowledgement is Acknowledgement.FORM]
    assert all(action.form is not None and action.submission is not None for action in forms)


@pytest.mark.behaviour("N-9")
def test_every_button_of_a_row_answers_privately_or_opens_a_form() -> None:
    """A notice in a channel is everybody's; what comes of a press there is the presser's. Pages are turned in answers
    that are private already.
    """
    for action in ACTIONS:
        if action.names_a_row and action.name != HISTORY_PAGE:
            assert action.acknowledgement in (Acknowledgement.PRIVATE, Acknowledgement.FORM), action.name


@pytest.mark.behaviour("C-10")
async def test_an_unknown_command_is_met_with_the_nearest(world: World) -> None:
    said = plain(await world.typed("ada", "lapsd"))
    assert said == "I don't know “/lapsd”. Did you mean `/lapsed`?\nTry `/lapsed help`."


async def test_what_goes_wrong_is_one_sentence_and_one_log_line_with_the_same_id(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks() -> None:
        raise ValueError("the secret words of the request")

    world.checker.finds = breaks
    with caplog.at_level(logging.DEBUG, logger="commands"):
        said = plain(await world.typed("ada", "lapsed", "check acme de"))
    [record] = [record for record in caplog.records if record.name.startswith("commands")]
    reference = said.split("`")[1]
    assert said.startswith("Something went wrong on our side")
    assert reference in record.getMessage()
    assert "ValueError" in record.getMessage()
    assert "secret words" not in record.getMessage()
    assert record.exc_info is None
    assert "acme" not in record.getMessage()


async def add_second_organization(world: World) -> Organization:
    """Another organization, where Ada's chat account is linked as well."""
    now = world.clock.now()
    other = Organization(id=OrganizationId(new_id(now)), name="Other House")
    person = Person(
        id=PersonId(new_id(now)), organization_id=other.id, name="Ada", email="ada@other.example", role=Role.STAFF
    )
    identity = Identity(
        id=IdentityId(new_id(now)),
        organization_id=other.id,
        person_id=person.id,
        platform=PLATFORM,
        tenant=TENANT,
        user="U-ada",
        linked_at=now,
    )
    workspace = Workspace(
        id=WorkspaceId(new_id(now)), organization_id=other.id, platform=PLATFORM, external_id="T3", name="Other"
    )
    async with world.storage.transaction() as uow:
        await uow.organizations.add(other)
        await uow.people.add(person)
        await uow.people.link(identity)
        await uow.organizations.add_workspace(workspace)
    return other


@pytest.mark.behaviour("A-1")
async def test_somebody_of_several_organizations_is_asked_which_in_a_direct_message(world: World) -> None:
    await add_second_organization(world)
    said = plain(await world.typed("ada", "lapsed", place=NOWHERE))
    assert said.startswith("You belong to several organizations here: ")
    assert "Other House" in said
    assert plain(await world.pressed("ada", list_action(ListView()), place=NOWHERE)) == said


@pytest.mark.behaviour("A-1")
async def test_a_button_of_one_row_finds_its_organization_by_itself(world: World) -> None:
    await add_second_organization(world)
    press = details_action(world.connections["Acme DE"])
    assert "Acme DE" in plain(await world.pressed("ada", press, place=NOWHERE))


@pytest.mark.behaviour("A-1")
async def test_in_a_workspace_only_its_organization_answers(world: World) -> None:
    await add_second_organization(world)
    elsewhere = type(HERE)(workspace="T3", workspace_name="Other", channel="C1", is_direct=False)
    assert plain(await world.typed("ada", "lapsed", place=elsewhere)) == "There are no connections here yet."
    hidden = await world.pressed("ada", details_action(world.connections["Acme DE"]), place=elsewhere)
    assert plain(hidden).startswith("This is gone, or not yours to see.")


async def test_an_unclaimed_workspace_answers_only_how_to_claim_it(empty_world: World) -> None:
    for command in ("lapsed", "subscribe-lapses", "nonsense"):
        said = plain(await empty_world.typed("ada", command))
        assert said == (
            "This workspace is not set up yet. Whoever runs lapsebot can make you a code for it.\n"
            "Then type `/lapse-admin claim CODE` here."
        )
    assert plain(await empty_world.pressed("ada", feedback_action("help", helped=True))).startswith(
        "This workspace is not set up yet."
    )


async def issue_code(world: World, code: str) -> None:
    expires_at = world.clock.now().replace(minute=15)
    await world.storage.directory.issue_claim_code(
        world.organization.id, code_hash=claim_code_hash(code), expires_at=expires_at
    )


@pytest.mark.parametrize("arguments", ["claim GOOD-CODE", {"subcommand": "claim", "code": "GOOD-CODE"}])
async def test_a_code_gives_the_workspace_to_its_organization(
    empty_world: World, arguments: str | dict[str, str]
) -> None:
    await issue_code(empty_world, "GOOD-CODE")
    said = plain(await empty_world.typed("ada", "lapse-admin", arguments))
    assert said.startswith("✅ This workspace belongs to *Agency* now. You are its primary administrator.")
    assert plain(await empty_world.typed("ada", "lapsed")) == "There are no connections here yet."
    assert plain(await empty_world.typed("eve", "lapsed")) == STRANGER
    async with empty_world.storage.reading() as uow:
        [person] = await uow.people.administrators(empty_world.organization.id)
        [entry] = await uow.audit.latest(empty_world.organization.id, limit=5)
    assert person.role is Role.PRIMARY_ADMINISTRATOR
    assert (entry.action, entry.actor_id, entry.origin) == ("workspace.claimed", person.id, "chatter T1/U-ada")


async def test_a_code_works_once(empty_world: World) -> None:
    await issue_code(empty_world, "GOOD-CODE")
    await empty_world.typed("ada", "lapse-admin", "claim GOOD-CODE")
    second = await empty_world.typed("eve", "lapse-admin", "claim GOOD-CODE", place=UNCLAIMED)
    assert plain(second).startswith("This code is not valid.")
    assert plain(await empty_world.typed("ada", "lapse-admin", "claim GOOD-CODE")) == (
        "This workspace already belongs to *Agency*."
    )


async def test_the_next_claimant_is_an_administrator_and_a_known_one_stays_who_they_are(empty_world: World) -> None:
    await issue_code(empty_world, "ONE")
    await empty_world.typed("ada", "lapse-admin", "claim ONE")
    await issue_code(empty_world, "TWO")
    said = plain(await empty_world.typed("eve", "lapse-admin", "claim TWO", place=UNCLAIMED))
    assert "You are its administrator." in said
    await issue_code(empty_world, "THREE")
    third = type(HERE)(workspace="T5", workspace_name="Third", channel="C1", is_direct=False)
    said = plain(await empty_world.typed("ada", "lapse-admin", "claim THREE", place=third))
    assert "You are its primary administrator." in said


async def test_a_claim_that_is_refused_keeps_its_code(empty_world: World) -> None:
    """Somebody else won the workspace, or the claimant's account belongs to somebody who left."""
    left = Person(
        id=PersonId(new_id(empty_world.clock.now())),
        organization_id=empty_world.organization.id,
        name="Lee Left",
        email=None,
        role=Role.STAFF,
        left_at=empty_world.clock.now(),
    )
    async with empty_world.storage.transaction() as uow:
        await uow.people.add(left)
        await uow.people.link(
            Identity(
                id=IdentityId(new_id(empty_world.clock.now())),
                organization_id=empty_world.organization.id,
                person_id=left.id,
                platform=PLATFORM,
                tenant=TENANT,
                user="U-lee",
                linked_at=empty_world.clock.now(),
            )
        )
    await issue_code(empty_world, "GOOD-CODE")
    said = plain(await empty_world.typed("lee", "lapse-admin", "claim GOOD-CODE"))
    assert said.startswith("Your chat account belongs to somebody who has left here")
    async with empty_world.storage.reading() as uow:
        assert await uow.people.administrators(empty_world.organization.id) == []
        assert await uow.organizations.workspaces(empty_world.organization.id) == []
    request = CommandRequest(
        name="lapse-admin", arguments=Words(text="claim GOOD-CODE"), user=empty_world.user("ada"), place=HERE
    )
    assert "You are its primary administrator." in plain(await claim(empty_world.services, request))
    await issue_code(empty_world, "NEXT-CODE")
    late = replace(request, arguments=Words(text="claim NEXT-CODE"))
    with pytest.raises(CommandError):  # it was unclaimed when the dispatcher looked
        await claim(empty_world.services, late)
    said = plain(await empty_world.typed("eve", "lapse-admin", "claim NEXT-CODE", place=UNCLAIMED))
    assert "You are its administrator." in said


@pytest.mark.parametrize("typed", ["claim WRONG", "claim", "", "clam X", "claim \x00\u202e" + "x" * 3000])
async def test_a_wrong_code_claims_nothing(empty_world: World, typed: str) -> None:
    await issue_code(empty_world, "GOOD-CODE")
    await empty_world.typed("ada", "lapse-admin", typed)
    assert plain(await empty_world.typed("ada", "lapsed")).startswith("This workspace is not set up yet.")


async def test_a_code_ends_after_its_time(empty_world: World) -> None:
    await issue_code(empty_world, "GOOD-CODE")
    empty_world.clock.advance(timedelta(minutes=16))
    assert plain(await empty_world.typed("ada", "lapse-admin", "claim GOOD-CODE")).startswith("This code is not valid.")


@pytest.mark.behaviour("C-9")
def test_the_catalogue_fits_every_platform() -> None:
    """Discord is the strictest: short names, descriptions of 100 characters, no bare command beside subcommands."""
    for command in COMMANDS:
        assert command.name == command.name.lower()
        assert len(command.name) <= 32
        assert 0 < len(command.description) <= 100
        assert len(command.usage) <= 100
        assert not (command.options and command.subcommands)
        for option in (*command.options, *(o for sub in command.subcommands for o in sub.options)):
            assert 0 < len(option.description) <= 100
            assert len(option.choices) <= 25
            assert all(len(choice.label) <= 100 for choice in option.choices)
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
    assert [usage.name for usage in USAGES] == list(COMMANDS_BY_NAME)


@pytest.mark.behaviour("C-10")
async def test_help_shows_what_can_be_typed_and_whom_to_ask(world: World) -> None:
    by_words, by_options = (
        await world.typed("sam", "lapsed", "help"),
        await world.typed("sam", "lapsed", {"show": "help"}),
    )
    assert "/lapsed who 7012345678901234567: who connected" in plain(by_words)
    for typed in ("/lapsed linkedin: ", "/lapsed why linkedin: ", "/subscribe-lapses here linkedin: "):
        assert typed in plain(by_words), "a network that is set up here, the first by name"
    assert "NETWORK" not in plain(by_words) + plain(by_options)
    assert "/lapsed show:who account:7012345678901234567: who connected" in plain(by_options)
    assert "Stuck? Ask support@example.com, weekdays 9 to 17." in plain(by_words)
    assert list(buttons(by_words)) == ["This helped", "It didn't"]


@pytest.mark.behaviour("C-10")
async def test_whether_help_helped_is_counted(world: World) -> None:
    assert plain(await world.pressed("sam", feedback_action("help", helped=True))) == "Thank you, noted."
    said = plain(await world.pressed("sam", feedback_action("why", helped=False)))
    assert said == "Noted, and sorry.\nStuck? Ask support@example.com, weekdays 9 to 17."
    async with world.storage.reading() as uow:
        entries = await uow.audit.latest(world.organization.id, limit=5)
    assert {(entry.action, entry.subject, entry.detail["helped"]) for entry in entries} == {
        ("help.rated", "help", "yes"),
        ("help.rated", "why", "no"),
    }


@pytest.mark.behaviour("C-10")
async def test_why_explains_in_general_and_for_one_network(world: World) -> None:
    general = plain(await world.typed("sam", "lapsed", "why"))
    assert "Some networks ask for a new login on a schedule: LinkedIn every 60 days." in general
    linkedin = plain(await world.typed("sam", "lapsed", "why li"))
    assert "LinkedIn asks everybody to log in again every 60 days, whatever they do." in linkedin
    assert "leave these switched on: Read reports." in linkedin
    assert "🔒 Lapsed: *LinkedIn · Acme EU*" in linkedin
    assert plain(await world.typed("sam", "lapsed", "why tictok")).startswith(
        "I don't know “tictok”. Did you mean *tiktok*?"
    )
    for said in (general, linkedin):
        assert not {"token", "scope", "OAuth"} & set(said.replace(".", " ").split())


async def test_what_changes_something_is_carried_out_once_in_all_processes(world: World) -> None:
    """Somebody sends a signed request again within its five minutes, and the balancer hands it to another process."""
    note = Submission(
        token=note_action(world.lapses["Acme DE"]).encode(),
        values={"note": ("their finance desk pays on Mondays",)},
        user=world.user("raj"),
        place=HERE,
        key="7.7.same",
    )
    processes = [Dispatcher(world.services) for _ in range(3)]
    said = [await process.submission(note) for process in processes]
    told = [plain(each) for each in said if isinstance(each, Message)]
    assert told[1:] == ["This very request came before. It was not carried out again."] * 2
    async with world.storage.reading() as uow:
        notes = await uow.lapses.notes(world.organization.id, [world.lapses["Acme DE"]])
    assert len(notes) == 1
    subscribing = CommandRequest(
        name="subscribe-lapses", arguments=Words(text="tiktok"), user=world.user("raj"), place=HERE, key="8.8.same"
    )
    first, again = [plain(await process.command(subscribing)) for process in processes[:2]]
    assert again == "This very request came before. It was not carried out again." != first


async def test_what_only_reads_is_answered_again_and_nothing_is_remembered_of_it(world: World) -> None:
    """So that `/lapsed` costs no more than what it reads."""
    lapsed = CommandRequest(name="lapsed", arguments=Words(text=""), user=world.user("raj"), place=HERE, key="1.1.same")
    details = ActionRequest(
        token=details_action(world.connections["Acme DE"]).encode(), user=world.user("raj"), place=HERE, key="2.2.same"
    )
    one, other = Dispatcher(world.services), Dispatcher(world.services)
    for process in (one, other):
        assert "Acme DE" in plain(await process.command(lapsed))
    assert plain(await one.action(details)) == plain(await other.action(details))
    queues, until = world.storage.queues, world.clock.now() + timedelta(minutes=1)
    for key in ("1.1.same", "2.2.same"):
        assert await queues.take_request(f"{PLATFORM} {key}", until=until), "it was remembered"


async def test_pressing_the_same_button_again_is_another_request(world: World) -> None:
    """Each press bears a key of its own; a platform that lets nobody answer one twice gives none."""
    token = feedback_action("lapsed", helped=True).encode()
    for key in ("1", "2", "", ""):
        pressed = ActionRequest(token=token, user=world.user("raj"), place=HERE, key=key)
        assert "came before" not in plain(await world.dispatcher.action(pressed))
