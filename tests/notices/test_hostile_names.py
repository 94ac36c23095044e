"""Whatever people, accounts, clients and workspaces are called, notices stay short, inert text."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.notices import data as names
from bot.notices.example_facts import (
    ANA,
    FACEBOOK,
    LINKEDIN,
    RAJ,
    account,
    claimed,
    ended,
    ending,
    entry,
    letter,
    noted,
)
from bot.notices.letter import Account, Entry, Letter
from bot.notices.wording import PARTS, write
from commands.ids import PersonId
from commands.messages import Button, Message, Plain
from commands.model import ConnectionView, LapseEnd, Person, Verdict
from commands.plain import PlainStyle, plain_text
from commands.ports.connections import Hanging
from commands.ports.events import EventKind
from commands.ports.notices import NoticeKind, Part
from tests.support.buttons import all_buttons

HOSTILE = st.text(min_size=1, max_size=2000) | st.sampled_from(
    [
        "<!channel>",
        "@everyone",
        "[x](http://e)",
        "<https://evil|Reconnect>",
        "a\u202eb",
        "a\x00b",
        "\ud800",
        "*_~`",
        " ",
    ]
)
UNFIT = re.compile("[\x00-\x09\x0b-\x1f\u202a-\u202e\ud800-\udfff]")
NAMED = PlainStyle(bold="", code="")


def renamed(one: Entry, called: str) -> Entry:
    """The same with every name that comes from outside."""
    return replace(one, view=_view(one, called))


def _view(one: Account, called: str) -> ConnectionView:
    connection = replace(one.view.connection, account_name=called, account_id=called)
    person = replace(ANA, name=called, email=called)
    return replace(
        one.view,
        connection=connection,
        client_name=called,
        connector=person,
        owner=person,
        claimant_name=called,
        restorer_name=called,
    )


def people(called: str) -> Mapping[PersonId, Person]:
    return {person.id: replace(person, name=called) for person in (ANA, RAJ)}


def data(called: str) -> dict[str, str]:
    return {
        names.BY: called,
        names.TEXT: called,
        names.REASON: called,
        names.WORKSPACE: called,
        names.PLATFORM: called,
        names.WHOM: names.ids_text([ANA.id]),
        names.DRILL: names.ids_text([ANA.id]),
        names.WHAT: EventKind.NOTED.value,
        names.ASKED: "2",
        names.REACHED: "1",
        names.NETWORKS: "facebook",
    }


def anything(kind: NoticeKind, part: Part, called: str, one: Entry) -> Letter:
    works = account(1, LINKEDIN, called, account_id=called)
    works = Account(view=_view(works, called), spec=LINKEDIN)
    login = ending(LINKEDIN, 1, [works])
    grant = replace(login.authorization, subject_name=called)
    made = letter(
        part,
        [renamed(noted(claimed(one), called), called)],
        kind=kind,
        data=data(called),
        accounts=(works,),
        logins=(replace(login, authorization=grant),),
        hanging=(Hanging(authorization=grant, clients=((called, 3),)),),
        page_url="https://lapses.example/p/0123456789ABCDEFGHIJKL",
    )
    clients = dict.fromkeys(made.clients, called)
    return replace(made, people=people(called), clients=clients, platform="otherchat")


@pytest.mark.behaviour("N-17")
@pytest.mark.parametrize("kind", list(NoticeKind))
@settings(deadline=None)
@given(called=HOSTILE)
def test_whatever_anything_is_called_it_stays_short_inert_text(kind: NoticeKind, called: str) -> None:
    lapsed = entry(1, FACEBOOK, called, account_id=called, cause=Verdict.REVOKED)
    for part in sorted(PARTS[kind]):
        message = write(anything(kind, part, called, lapsed))
        _is_inert(message)


@pytest.mark.behaviour("N-17")
@settings(deadline=None)
@given(called=HOSTILE)
def test_a_message_that_turned_green_stays_inert_too(called: str) -> None:
    lapsed = entry(1, FACEBOOK, called, account_id=called, cause=Verdict.REVOKED)
    for over in (ended(lapsed, LapseEnd.RECONNECTED), ended(lapsed, LapseEnd.RETIRED, RAJ)):
        _is_inert(write(letter(Part.CHANNEL, [renamed(over, called)])))


def _is_inert(message: Message) -> None:
    text = plain_text(message, NAMED)
    assert len(text) < 3000
    assert not UNFIT.search(text)
    for button in all_buttons(message):
        assert 0 < len(button.label) <= 120
        assert isinstance(button, Button) or button.url.startswith("https://lapses.example/")


@pytest.mark.behaviour("N-17")
def test_a_mass_mention_in_a_name_stays_words() -> None:
    message = write(letter(Part.CHANNEL, [entry(1, FACEBOOK, "@everyone", account_id="1", cause=Verdict.REVOKED)]))
    spans = [span for part in message.parts if hasattr(part, "line") for span in part.line]
    assert not any(isinstance(span, Plain) and "@everyone" in span.text for span in spans)
