"""The words of notices that are not about an account's state: a link opened by somebody else, a person not reached."""

from datetime import datetime

from bot.notices.buttons import buttons
from bot.notices.letter import Letter
from bot.notices.phrases import account, losses, title
from commands.messages import Code, Heading, Line, Mark, Mention, Message, Moment, Text, Tone, line, text
from commands.model import ConnectionView
from commands.ports.network import NetworkSpec
from commands.wording import shown


def link_refused(spec: NetworkSpec, view: ConnectionView, *, at: datetime, by: str) -> Message:
    """Tell somebody that their link was opened by someone else. `by`: the name the other is signed in under, or ""."""
    who = f"somebody signed in as {shown(by)}" if by else "somebody else"
    return Message(
        (
            Heading(line(f"{Mark.URGENT} Link refused: ", *account(spec, view))),
            text(
                "Your Reconnect link was opened by ",
                who,
                " at ",
                Moment(at),
                ". They saw nothing; nothing changed.",
            ),
            text("It works for you alone. Whoever else should reconnect gets a link by typing ", Code("/lapsed"), "."),
        )
    )


def undelivered(letter: Letter, *, whom: Mention | None, reason: str) -> Message:
    """Tell an administrator that nobody heard. `whom` None: it was a channel. `reason`: a code."""
    head = line(f"{Mark.URGENT} Not delivered: ", *title(letter))
    why: Line = line(" (", Code(shown(reason)), ")") if reason else ()
    missed = whom if whom is not None else "A channel that asked for it"
    plea = ". Please tell them another way, or mend it yourself." if whom is not None else "."
    return Message(
        (
            Heading(head),
            text(missed, " could not be told in chat", *why, plea),
            Text(losses(letter)),
            *buttons(letter),
        ),
        Tone.ACTION,
    )
