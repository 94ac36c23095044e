"""The words of a fire drill: a lapse that is only played. Every message begins with DRILL (X-12)."""

from datetime import timedelta

from bot.notices.buttons import arranged
from bot.notices.data import (
    ANSWERED,
    ASKED,
    CHANNELS,
    CLIENT,
    DRILL,
    FASTEST,
    MEDIAN,
    REACHED,
    SLOWEST,
    Score,
    ids_in,
    number_in,
    scores_in,
)
from bot.notices.letter import Letter
from bot.notices.phrases import PEOPLE_NAMED, ROWS, account, people
from commands.actions import drill_answer_action
from commands.ids import ClientId, DrillId
from commands.messages import (
    Bold,
    Button,
    Facts,
    Heading,
    Line,
    LinkButton,
    Mark,
    Message,
    Note,
    Part,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    line,
    text,
)
from commands.model import Person
from commands.ports.notices import Part as ReaderPart
from commands.wording import duration, number_of, shown

_BEGIN = "DRILL"


def drill(letter: Letter) -> Message:
    """Play a lapse, and ask whoever reads it to say that they do."""
    played: Line = line(f"a lapse at {_client(letter)}")
    if letter.accounts:
        played = account(letter.accounts[0].spec, letter.accounts[0].view)
    button = Button("I got this", drill_answer_action(_id(letter)), Style.PRIMARY)
    link = [LinkButton("Open the link", letter.page_url)] if letter.page_url else []
    return Message(
        (
            Heading(line(f"{_BEGIN} · {Mark.LAPSED} Lapsed: ", *played)),
            text("This is only a drill: nothing is broken, and there is nothing to reconnect."),
            text(_ask(letter)),
            *arranged([button, *link], ()),
            Note(line("A real message says here what happened, what is lost meanwhile and what mends it.")),
        ),
        Tone.HELD,
    )


def _ask(letter: Letter) -> str:
    if not letter.presses:
        return "Please open the link and press its button as soon as you read this, as you would act on a real lapse."
    if letter.part is ReaderPart.CHANNEL:
        return "Whoever reads this: please press the button at once, as you would act on a real lapse."
    return "Please press the button as soon as you read this, as you would act on a real lapse."


def drill_escalated(letter: Letter) -> Message:
    """Tell administrators who did not say that they heard."""
    asked, answered = number_in(letter.notice, ASKED), number_in(letter.notice, ANSWERED)
    silent = asked - answered
    head = f"{_BEGIN} · {Mark.URGENT} Not confirmed: "
    return Message(
        (
            Heading(line(head, Bold(f"{silent} of {_people_count(asked)}"), f" · {_client(letter)}")),
            text("An hour has passed. In a real lapse somebody would have to look after these people now."),
            *_who_not(letter),
            Note(line("This is only a drill: nothing is broken. A report follows at its end.")),
        ),
        Tone.HELD,
    )


def drill_report(letter: Letter) -> Message:
    """Say who was reached, in what time, who could not be, and how ready each client is."""
    notice = letter.notice
    asked, reached, answered = (number_in(notice, name) for name in (ASKED, REACHED, ANSWERED))
    mark = Mark.GOOD if answered == asked else Mark.URGENT
    head = line(
        f"{_BEGIN} · {mark} Report: ", Bold(f"{answered} of {_people_count(asked)} confirmed"), f" · {_client(letter)}"
    )
    channels = number_in(notice, CHANNELS)
    items: list[tuple[str, Line]] = [
        (
            "Reached",
            line(f"{reached} of {_people_count(asked)}", f", {number_of(channels, 'channel')}" if channels else ""),
        ),
        *([("Confirmed after", _times(letter))] if answered else []),
    ]
    parts: list[Part] = [Heading(head), Facts(tuple(items)), *_who_not(letter)]
    scores = [score for score in scores_in(notice) if score.client_id in letter.clients]
    if scores:
        parts.append(text("Readiness: of each client's connections, those for which two or more people confirmed."))
        rows = tuple(_score(letter, score) for score in scores[:ROWS])
        parts.append(Rows(rows, max(0, len(scores) - ROWS)))
    parts.append(Note(line("This was only a drill: nothing was broken.")))
    return Message(tuple(parts), Tone.NEUTRAL)


def _times(letter: Letter) -> Line:
    fastest, median, slowest = (_span(letter, name) for name in (FASTEST, MEDIAN, SLOWEST))
    return line(f"{fastest} at best, {median} as a rule, {slowest} at worst")


def _span(letter: Letter, name: str) -> str:
    return duration(timedelta(seconds=number_in(letter.notice, name)))


def _who_not(letter: Letter) -> list[Text]:
    """Those who read it and did not say so, and those whom nothing reached."""
    asked, reached, answered = (number_in(letter.notice, name) for name in (ASKED, REACHED, ANSWERED))
    return [
        *_named(letter, "Reached, but did not confirm: ", letter.whom, reached - answered),
        *_named(letter, "Could not be reached: ", letter.unreached, asked - reached),
    ]


def _named(letter: Letter, lead: str, some: tuple[Person, ...], number: int) -> list[Text]:
    """Names as far as they fit; the number counts all."""
    if not some:
        return [text(f"{lead}{_people_count(number)}.")] if number > 0 else []
    more = max(number, len(some)) - min(len(some), PEOPLE_NAMED)
    tail = f" and {more} more" if more > 0 and len(some) <= PEOPLE_NAMED else ""
    return [text(lead, *people(letter, some), f"{tail}.")]


def _people_count(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _score(letter: Letter, score: Score) -> Row:
    mark = Mark.GOOD if score.ready == score.total else Mark.URGENT
    share = f"{100 * score.ready // score.total}% ready" if score.total else "nothing to lapse"
    name = shown(letter.clients[score.client_id])
    return Row(mark, line(Bold(name)), line(f"{share} · {score.ready} of {number_of(score.total, 'connection')}"))


def _client(letter: Letter) -> str:
    ids = ids_in(letter.notice, CLIENT)
    name = letter.clients.get(ClientId(ids[0])) if ids else None
    return f"client {shown(name)}" if name is not None else "all clients"


def _id(letter: Letter) -> DrillId:
    (one,) = ids_in(letter.notice, DRILL)[:1]
    return DrillId(one)
