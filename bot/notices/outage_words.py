"""The words for a network that fails by itself: one calm line, the same line in green, and a note under it (X-3)."""

from bot.notices.letter import Failing, Letter
from commands.drawing import missing_data
from commands.messages import Bold, Code, Heading, Line, Mark, Message, Moment, Note, Text, Tone, line, text
from commands.ports.notices import Part
from commands.wording import duration, number_of


def outage(letter: Letter) -> Message:
    """Say that the network is failing, not the reader's connections; and, when it is over, that it is."""
    failing = letter.failing
    if failing is None:  # the network is not set up here any more
        return Message((text("Nothing to do."),), Tone.GOOD)
    if failing.outage.over_at is not None:
        return _over(failing)
    if not failing.outage.holds(letter.now):
        return _held_no_longer(failing)
    if failing.outage.ended_at is not None:
        return _answering(failing)
    whose = "Nothing here is broken" if letter.part is Part.CHANNEL else "Nothing of yours is broken"
    return Message(
        (
            Heading(line(f"{Mark.HELD} Held: ", Bold(failing.name), f" is failing{_for_how_many(failing)}")),
            text(
                *_since(failing),
                f"{whose}; please do not reconnect. We look again every few minutes, and say here when it is over. "
                "Until then nobody is told of a lapse because of this.",
            ),
            text(f"Not read meanwhile: {missing_data(failing.spec)}."),
        ),
        Tone.HELD,
    )


def outage_over(letter: Letter) -> Message:
    """One line under the message in a channel."""
    failing = letter.failing
    name = failing.name if failing is not None else "The network"
    tail = f". {_needing(failing)}" if failing is not None and failing.lapsed else ""
    return Message((text(f"{Mark.GOOD} Over: ", Bold(name), f" works again{tail}"),))


def _answering(failing: Failing) -> Message:
    since = failing.outage.ended_at or failing.outage.opened_at
    return Message(
        (
            Heading(line(f"{Mark.HELD} Held: ", Bold(failing.name), " answers again")),
            text(
                "Since ",
                Moment(since),
                ". We are looking at one connection after another, and say here when it is over. Nothing to do.",
            ),
        ),
        Tone.HELD,
    )


def _held_no_longer(failing: Failing) -> Message:
    """It has lasted too long to be put down to the network alone."""
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Still failing: ", Bold(failing.name), _for_how_many(failing))),
            text(
                *_since(failing),
                f"What lasts this long may not be {failing.name}'s fault alone. An account that it refuses without a "
                "reason is reported as lapsed from now on; where it does not answer at all, there is nothing to mend.",
            ),
        ),
        Tone.HELD,
    )


def _over(failing: Failing) -> Message:
    begun = failing.outage.opened_at
    until = failing.outage.ended_at or begun
    tail = "" if failing.lapsed else " Nothing to do."
    between = line("Some data could not be read between ", Moment(begun), " and ", Moment(until))
    needing = Text(line(f"{Mark.URGENT} {_needing(failing)}: ", Code("/lapsed"), " lists what to do."))
    still = f"{number_of(failing.failing, 'connection')} could not be read yet; we keep looking."
    return Message(
        (
            Heading(line(f"{Mark.GOOD} Over: ", Bold(failing.name), f" works again, after {duration(until - begun)}")),
            text(*between, f"; what is missing may take a while to appear.{tail}"),
            *([needing] if failing.lapsed else []),
            *([Note(line(still))] if failing.failing else []),
        ),
        Tone.GOOD,
    )


def _for_how_many(failing: Failing) -> str:
    """As far as the reader may see. Not all have been asked, so that the network is not pressed: the number grows."""
    if not failing.failing:
        return ""
    if failing.failing >= failing.total > 1:
        return f" for all {failing.total:,} connections"
    return f" for {failing.failing:,} of {number_of(failing.total, 'connection')}"


def _since(failing: Failing) -> Line:
    return line("It began ", Moment(failing.outage.opened_at), ". ")


def _needing(failing: Failing) -> str:
    verb = "needs" if failing.lapsed == 1 else "need"
    return f"{number_of(failing.lapsed, 'connection')} {verb} connecting after all"
