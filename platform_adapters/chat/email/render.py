"""A message as email: plain text and HTML of the same words. What only a chat can carry, a press that comes back, is
left out; links stay.
"""

import re
import unicodedata
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from commands.messages import (
    Bold,
    Buttons,
    Code,
    Facts,
    Heading,
    Line,
    LinkButton,
    Mention,
    Message,
    Moment,
    Note,
    Paging,
    Part,
    Picture,
    Plain,
    Row,
    Rows,
    Span,
    Style,
    Text,
    Tone,
    WebLink,
    line,
)
from commands.plain import PlainStyle, plain_line, plain_text, utc
from commands.ports.clock import Clock

_SUBJECT = 150  # characters; longer ones are cut in every list of messages
_ROWS = 100  # rows of one list; mail readers cut messages beyond some 100 kB
_PLAIN = PlainStyle(bold="", code="")
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, what turns the direction of what follows, and halves of characters."""


class Renderer:
    """Writes emails of one sender."""

    def __init__(self, *, sender: Address, public_url: str, clock: Clock) -> None:
        self._sender = sender
        self._public_url = public_url
        self._clock = clock
        source = files(__package__).joinpath("frame.html").read_text("utf-8")
        environment = Environment(loader=DictLoader({"frame": source}), autoescape=True, undefined=StrictUndefined)
        self._frame = environment.get_template("frame")

    def render(self, message: Message, *, to: Address, message_id: str, reply_to_id: str | None) -> EmailMessage:
        """Write the email. `message_id`: its own, with brackets; `reply_to_id`: that of the one that it follows."""
        readable = without_presses(message)
        email = EmailMessage()
        email["From"] = self._sender
        email["To"] = to
        email["Subject"] = _subject(message)
        email["Message-ID"] = message_id
        email["Date"] = format_datetime(self._clock.now())
        email["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        if reply_to_id is not None:
            email["In-Reply-To"] = email["References"] = reply_to_id
        if message.unsubscribe_url:
            email["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
            email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
        email.set_content(_text(readable))
        email.add_alternative(self.html(readable), subtype="html")
        return email

    def html(self, message: Message) -> str:
        """The whole page of a message."""
        return self._frame.render(
            subject=_subject(message),
            tone=message.tone.value,
            accent=_ACCENTS[message.tone],
            body=Markup("\n").join(_part(part) for part in message.parts),
            unsubscribe_url=message.unsubscribe_url,
            public_url=self._public_url,
        )


def without_presses(message: Message) -> Message:
    """The message without buttons that would come back to us, and with rows no longer than a mail can be."""
    parts = (_without_presses(part) for part in message.parts)
    return replace(message, parts=tuple(part for part in parts if part is not None))


def _without_presses(part: Part) -> Part | None:
    match part:
        case Buttons(primary):
            links = tuple(button for button in primary if isinstance(button, LinkButton))
            return Buttons(links) if links else None
        case Rows(rows, more):
            kept = tuple(replace(row, button=_link(row), details=None) for row in rows[:_ROWS])
            return Rows(kept, more + len(rows) - len(kept))
        case Paging():
            return None
        case _:
            return part


def _link(row: Row) -> LinkButton | None:
    return row.button if isinstance(row.button, LinkButton) else None


def _subject(message: Message) -> str:
    first = message.parts[0] if message.parts else None
    words = message.subject or (plain_line(first.line, _PLAIN) if isinstance(first, Heading | Text) else "lapsebot")
    words = " ".join(_clean(words).split())
    return words if len(words) <= _SUBJECT else words[: _SUBJECT - 1].rstrip() + "…"


def _text(message: Message) -> str:
    """The plain text, its links written out."""
    spelled = tuple(one for part in message.parts for one in _spelled(part))
    paragraphs = [plain_text(Message((part,)), _PLAIN) for part in spelled]
    if message.unsubscribe_url:
        paragraphs.append(f"To stop hearing of this: {message.unsubscribe_url}")
    return _clean("\n\n".join(paragraphs)) + "\n"


def _spelled(part: Part) -> list[Part]:
    match part:
        case Buttons(primary):
            return [Text(line(f"{one.label}: {one.url}")) for one in primary if isinstance(one, LinkButton)]
        case Rows(rows, more):
            return [Rows(tuple(replace(row, detail=_with_address(row), button=None) for row in rows), more)]
        case _:
            return [part]


def _with_address(row: Row) -> Line:
    link = _link(row)
    return row.detail if link is None else (*row.detail, Plain(f" · {link.label}: {link.url}"))


_ACCENTS = {Tone.NEUTRAL: "#57606a", Tone.ACTION: "#a0111f", Tone.GOOD: "#116329", Tone.HELD: "#7a4b00"}


def _part(part: Part) -> Markup:  # noqa: PLR0911  # one for each kind of part
    match part:
        case Heading(spans):
            return Markup("<h1>{}</h1>").format(_line(spans))
        case Text(spans):
            return Markup("<p>{}</p>").format(_line(spans))
        case Note(spans):
            return Markup('<p class="note">{}</p>').format(_line(spans))
        case Facts(items):
            rows = (
                Markup("<tr><th>{}</th><td>{}</td></tr>").format(_clean(name), _line(value)) for name, value in items
            )
            return Markup("<table>{}</table>").format(Markup().join(rows))
        case Rows(rows, more):
            listed = Markup().join(_row(row) for row in rows)
            rest = Markup("<li>and {} more</li>").format(more) if more else Markup()
            return Markup("<ul>{}{}</ul>").format(listed, rest)
        case Buttons(primary):
            links = (_button(one) for one in primary if isinstance(one, LinkButton))
            return Markup('<p class="buttons">{}</p>').format(Markup(" ").join(links))
        case Picture():
            return Markup("<pre>{}</pre>").format(_clean(plain_text(Message((part,)), _PLAIN)))
        case Paging():
            return Markup()


def _row(row: Row) -> Markup:
    detail = Markup("<br><span>{}</span>").format(_line(row.detail)) if row.detail else Markup()
    link = _link(row)
    button = Markup("<br>{}").format(_button(link)) if link is not None else Markup()
    return Markup("<li>{} {}{}{}</li>").format(row.mark.value, _line(row.title), detail, button)


def _button(button: LinkButton) -> Markup:
    kind = "button first" if button.style is Style.PRIMARY else "button"
    return Markup('<a class="{}" href="{}">{}</a>').format(kind, button.url, _clean(button.label))


def _line(spans: Line) -> Markup:
    return Markup().join(_span(span) for span in spans)


def _span(span: Span) -> Markup:
    match span:
        case Plain(text):
            return escape(_clean(text))
        case Bold(text):
            return Markup("<strong>{}</strong>").format(_clean(text))
        case Code(text):
            return Markup("<code>{}</code>").format(_clean(text))
        case Mention(name):
            return escape(_clean(name))
        case WebLink(label, url):
            return Markup('<a href="{}">{}</a>').format(url, _clean(label))
        case Moment():
            return escape(utc(span))


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", _UNFIT.sub("", text))
