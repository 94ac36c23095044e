"""One line under a message in a channel: what somebody did about its lapse (N-10)."""

from bot.notices.data import BY, TEXT, WHAT
from bot.notices.letter import Letter
from bot.notices.phrases import account, subject
from commands.messages import Bold, Line, Mark, Message, Span, line, text
from commands.model import Person
from commands.ports.events import EventKind
from commands.wording import named, shown

_LENGTH = 600  # characters of what somebody wrote
_UNKNOWN = "Somebody"


def note(letter: Letter) -> Message:
    """Say it in one line, which names the account at its end: it may be read alone."""
    data = letter.notice.data
    who: Span | str = _who(letter)
    about: Line = line(" · ", Bold(_about(letter)))
    words = shown(data.get(TEXT, ""), _LENGTH)
    match data.get(WHAT):
        case EventKind.CLAIMED if data.get(BY):
            said = line(f"{Mark.CLAIMED} ", Bold(named(data[BY])), " gave this to ", who, ", who is on it now")
        case EventKind.CLAIMED:
            said = line(f"{Mark.CLAIMED} ", who, " is on it")
        case EventKind.RELEASED:
            said = line(
                f"{Mark.CLAIMED} Nobody is on it any more", *(line(": ", who, " gave it back") if letter.whom else ())
            )
        case EventKind.ATTEMPT_OPENED:
            said = line(f"{Mark.RECONNECTING} ", who, " is reconnecting it now")
        case EventKind.ATTEMPT_FAILED:
            said = line(f"{Mark.URGENT} ", who, " tried to reconnect, without success", f": {words}" if words else "")
        case _:
            said = line(who, f" wrote: “{words}”")
    return Message((text(*said, *about),))


def _who(letter: Letter) -> Span | str:
    person: Person | None = next(iter(letter.whom), None)
    return letter.mention(person.id, person.name) if person is not None else _UNKNOWN


def _about(letter: Letter) -> str:
    if len(letter.entries) == 1:
        spans = account(letter.entries[0].spec, letter.entries[0].view)
        return next(span.text for span in spans if isinstance(span, Bold))
    return subject(letter)
