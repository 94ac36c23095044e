"""Every command, button and form of the catalogue is answered alike from both forms and from both platforms (C-9).

A platform with words sends a typed line, one with options named values. Each case is asked both ways, of two copies of
one database, and the two documents have to be the same. An entry of the catalogue without a case fails.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from commands.catalogue import ACTIONS, ACTIONS_BY_NAME, COMMANDS, COMMANDS_BY_NAME
from commands.ids import IdentityId, WorkspaceId, new_id
from commands.messages import ActionRef, FieldErrors, Form, Message
from commands.model import Channel, Drill, Identity, Subscription, Workspace
from commands.parsing import network_names, parse_account, parse_lapsed, parse_network
from commands.parsing_subscriptions import parse_subscription
from commands.ports.chat import (
    Acknowledgement,
    ActionRequest,
    CommandRequest,
    HomeRequest,
    Options,
    Place,
    Submission,
    Words,
)
from commands.usage import CONNECT, RECONNECT, SUBSCRIBE, UNSUBSCRIBE, USAGES
from tests.commands.parity_cases import CASES, CHANNEL_SUBSCRIPTION, DRILL, FILLED_IN, MISTYPED, PRESSES, Case
from tests.commands.world import (
    ELSEWHERE,
    HERE,
    OTHER_PLATFORM,
    OTHER_TENANT,
    PLATFORM,
    TENANT,
    World,
)
from tests.support.sqlite import copied, url_of

PARSERS: dict[str, Callable[[World, Words | Options], object]] = {
    "lapsed": lambda world, form: parse_lapsed(form, network_names(world.services.networks)),
    "reconnect": lambda world, form: parse_account(form, network_names(world.services.networks), RECONNECT),
    "connect": lambda world, form: parse_network(form, network_names(world.services.networks), CONNECT),
    "subscribe-lapses": lambda world, form: parse_subscription(
        form, network_names(world.services.networks), world.clients, SUBSCRIBE
    ),
    "unsubscribe-lapses": lambda world, form: parse_subscription(
        form, network_names(world.services.networks), world.clients, UNSUBSCRIBE
    ),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One platform's way to ask."""

    world: World
    place: Place

    async def command(self, name: str, arguments: Words | Options) -> Message | Form:
        request = CommandRequest(name=name, arguments=arguments, user=self.world.user("ada"), place=self.place)
        acknowledged = self.world.dispatcher.command_acknowledgement(name, arguments)
        if acknowledged is Acknowledgement.FORM:
            return await self.world.dispatcher.form(request)
        return await self.world.dispatcher.command(request)

    async def press(self, action: ActionRef) -> Message | Form:
        token = action.encode()
        request = ActionRequest(token=token, user=self.world.user("ada"), place=self.place)
        if self.world.dispatcher.acknowledgement(token) is Acknowledgement.FORM:
            return await self.world.dispatcher.form(request)
        return await self.world.dispatcher.action(request)

    async def send_off(self, action: ActionRef, values: dict[str, tuple[str, ...]]) -> Message | FieldErrors:
        submission = Submission(token=action.encode(), values=values, user=self.world.user("ada"), place=self.place)
        return await self.world.dispatcher.submission(submission)


@pytest.fixture(scope="module")
def agency(agency: tuple[World, Path], databases: Path) -> tuple[World, Path]:
    """The agency on both platforms, filled once and closed."""
    filled, file = agency
    mine = shutil.copyfile(file, databases / "parity.sqlite")
    return asyncio.run(_on_both(filled, mine)), mine


async def _on_both(filled: World, file: Path) -> World:
    async with filled.again(url_of(file)) as world:
        now = world.clock.now()
        async with world.storage.transaction() as uow:
            workspace = Workspace(
                id=WorkspaceId(new_id(now)),
                organization_id=world.organization.id,
                platform=OTHER_PLATFORM,
                external_id="S1",
                name="Agency",
            )
            await uow.organizations.add_workspace(workspace)
            for name, person in world.people.items():
                identity = Identity(
                    id=IdentityId(new_id(now)),
                    organization_id=world.organization.id,
                    person_id=person.id,
                    platform=OTHER_PLATFORM,
                    tenant=OTHER_TENANT,
                    user=f"U-{name}",
                    linked_at=now,
                )
                await uow.people.link(identity)
            await uow.drills.add(
                Drill(
                    id=DRILL,
                    organization_id=world.organization.id,
                    client_id=None,
                    started_by=world.people["ada"].id,
                    started_at=now,
                    ends_at=now + timedelta(hours=4),
                )
            )
            await uow.subscriptions.add(
                Subscription(
                    id=CHANNEL_SUBSCRIPTION,
                    organization_id=world.organization.id,
                    person_id=world.people["raj"].id,
                    channel=Channel(platform=PLATFORM, tenant=TENANT, external_id="C77"),
                    network=None,
                    client_id=None,
                    created_at=now,
                )
            )
        return world


@asynccontextmanager
async def _both(agency: tuple[World, Path]) -> AsyncIterator[tuple[Side, Side]]:
    """The agency twice, from either platform."""
    world, file = agency
    with copied(file) as one, copied(file) as other:
        async with (
            world.again(one) as words,
            world.again(other, platform=OTHER_PLATFORM, tenant=OTHER_TENANT) as options,
        ):
            yield Side(words, HERE), Side(options, ELSEWHERE)


_SECRETS = re.compile(r"/(r|p|link|calendar)/[0-9A-Za-z]{22}")
_EXAMPLES = {
    example.options: example.words
    for usage in (*USAGES, *(usage.here({"linkedin"}) for usage in USAGES))
    for example in (*usage.examples, *usage.hints)
}


def _document(answer: object) -> str:
    """The document to compare: addresses without their random part, examples in one form."""
    written = _SECRETS.sub(r"/\1/…", repr(answer))
    for options, words in sorted(_EXAMPLES.items(), key=lambda pair: -len(pair[0])):
        written = written.replace(repr(options), repr(words))
    return written


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
async def test_words_and_options_are_the_same_request_and_are_answered_alike(
    agency: tuple[World, Path], case: Case
) -> None:
    name, words, options = case
    typed, chosen = Words(text=words), Options(values=options)
    async with _both(agency) as (left, right):
        parse = PARSERS.get(name)
        if parse is not None and MISTYPED not in words:
            parsed = [parse(agency[0], form) for form in (typed, chosen)]
            assert _request(parsed[0]) == _request(parsed[1])
        answers = [await left.command(name, typed), await right.command(name, chosen)]
        assert "Something went wrong" not in repr(answers)
        assert _document(answers[0]) == _document(answers[1])


def _request(parsed: object) -> object:
    """What was asked: words that name an account are the same as the option for one."""
    words = getattr(parsed, "words", None)
    return replace(parsed, account=words, words=None) if words else parsed  # type: ignore[type-var]  # only the queries that have the two fields come here


@pytest.mark.behaviour("C-9")
@pytest.mark.parametrize("name", sorted(ACTIONS_BY_NAME))
async def test_a_press_is_answered_alike_on_both_platforms(agency: tuple[World, Path], name: str) -> None:
    action = PRESSES[name](agency[0])
    async with _both(agency) as (left, right):
        answers = [await side.press(action) for side in (left, right)]
        assert "Something went wrong" not in repr(answers)
        assert "out of date" not in repr(answers)
        assert _document(answers[0]) == _document(answers[1])
        assert isinstance(answers[0], Form) == (ACTIONS_BY_NAME[name].form is not None)
        for values in FILLED_IN.get(name, ()):
            said = [await side.send_off(action, values) for side in (left, right)]
            assert "Something went wrong" not in repr(said)
            assert _document(said[0]) == _document(said[1])


@pytest.mark.behaviour("C-9", "C-11")
async def test_the_home_is_the_list_on_both_platforms(agency: tuple[World, Path]) -> None:
    async with _both(agency) as (left, right):
        home = HomeRequest(user=left.world.user("ada"), place=replace(HERE, channel="", is_direct=True))
        drawn = await left.world.dispatcher.home(home)
        assert _document(drawn) == _document(await right.command("lapsed", Options(values={})))


@pytest.mark.behaviour("C-9")
async def test_a_bare_command_opens_the_same_form_on_both_platforms(agency: tuple[World, Path]) -> None:
    with_form = [command.name for command in COMMANDS if command.form is not None]
    assert with_form == ["subscribe-lapses"]
    async with _both(agency) as (left, right):
        for name in with_form:
            forms = [await left.command(name, Words(text=" ")), await right.command(name, Options(values={}))]
            assert isinstance(forms[0], Form)
            assert _document(forms[0]) == _document(forms[1])


@pytest.mark.behaviour("C-9")
def test_every_entry_of_the_catalogue_has_a_case() -> None:
    """Commands, subcommands, options and their choices; actions and forms."""
    for command in COMMANDS:
        asked = [options for name, _, options in CASES if name == command.name]
        assert asked, command.name
        for option in command.options:
            given = {options[option.name] for options in asked if option.name in options}
            assert given, f"/{command.name} {option.name}"
            assert {choice.value for choice in option.choices} <= given, f"/{command.name} {option.name}"
        done = {options.get("subcommand") for options in asked}
        assert {subcommand.name for subcommand in command.subcommands} <= done, command.name
    assert set(PRESSES) == set(ACTIONS_BY_NAME)
    assert set(FILLED_IN) == {action.name for action in ACTIONS if action.form is not None}
    assert set(PARSERS) | {"lapse-admin"} == set(COMMANDS_BY_NAME)
