"""The Message document: an answer, a notice or a page's sentence, before any platform has drawn it.

Inline text is typed spans, so that an account named `<!channel>` or `@everyone` cannot become a mention: escaping is
the renderer's. A renderer splits, pages or shortens to its platform's limits and says how much it left out; it adds no
sentence.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mark(StrEnum):
    """A state's mark. Its word always stands beside it."""

    LAPSED = "🔒"
    EXPIRING = "🕒"
    GOOD = "✅"
    CLAIMED = "👤"
    HELD = "⏸"
    URGENT = "❗"
    UNCONNECTED = "🔌"
    RECONNECTING = "🔄"
    RETIRED = "🗄"


class Tone(StrEnum):
    """The colour of a message, where a platform has one."""

    NEUTRAL = "neutral"
    ACTION = "action"
    GOOD = "good"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Plain:
    """Words shown just as they are; nothing in them is markup, whatever it looks like."""

    text: str


@dataclass(frozen=True, slots=True)
class Bold:
    """Like Plain, in bold."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something to copy or to type: an id, a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Handle:
    """A chat account of a person."""

    platform: str
    tenant: str
    user: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person. Drawn as a link to their account where the reader's platform has one of `handles`, else as the name."""

    name: str
    handles: tuple[Handle, ...] = ()


class MomentStyle(StrEnum):
    """How a time is drawn, always in the reader's zone."""

    TIME = "time"
    """The time, with the day where it is not today."""
    DAY = "day"
    AGO = "ago"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time (aware UTC)."""

    at: datetime
    style: MomentStyle = MomentStyle.TIME


@dataclass(frozen=True, slots=True)
class WebLink:
    """A link inside text, to a page of ours or of a network's help."""

    label: str
    url: str


Span = Plain | Bold | Code | Mention | Moment | WebLink
Line = tuple[Span, ...]


class Style(StrEnum):
    """How strongly a button asks."""

    NORMAL = "normal"
    PRIMARY = "primary"
    DANGER = "danger"


ACTION_LIMIT = 100
"""Characters of an encoded action: the shortest that any platform carries (Discord's custom_id)."""


@dataclass(frozen=True, slots=True)
class ActionRef:
    """What a press does: the name of an action of the catalogue, and its arguments. It carries no authority."""

    name: str
    arguments: tuple[str, ...] = ()

    def encode(self) -> str:
        """Write it as `name:argument:argument`. Raises ValueError beyond 100 characters, or for a colon inside a
        part.
        """
        parts = (self.name, *self.arguments)
        token = ":".join(parts)
        if len(token) > ACTION_LIMIT or any(":" in part for part in parts):
            raise ValueError(f"an action of {len(token)} characters, or with a colon in a part, cannot be carried")
        return token

    @staticmethod
    def decode(token: str) -> "ActionRef":
        """Read what `encode` wrote."""
        name, *arguments = token.split(":")
        return ActionRef(name, tuple(arguments))


@dataclass(frozen=True, slots=True)
class Button:
    """A press that comes back to us."""

    label: str
    action: ActionRef
    style: Style = Style.NORMAL


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A press that opens a page of ours. The address is short and carries no authority."""

    label: str
    url: str
    style: Style = Style.NORMAL


AnyButton = Button | LinkButton


@dataclass(frozen=True, slots=True)
class Heading:
    """The first line; it stands alone in a phone's notification."""

    line: Line


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    line: Line


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with values."""

    items: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One account of a list: mark, name, a line of detail, and its own button and details."""

    mark: Mark
    title: Line
    detail: Line = ()
    button: AnyButton | None = None
    details: Button | None = None
    """The way to the row's details, drawn small; None where the row's button is all there is."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of accounts. `more` says how many there are beyond these."""

    rows: tuple[Row, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Buttons:
    """At most two buttons (N-17); the rest in a menu."""

    primary: tuple[AnyButton, ...]
    menu: tuple[Button, ...] = ()

    def __post_init__(self) -> None:
        if len(self.primary) > 2:
            raise ValueError("a message has at most two primary buttons; the rest belong in the menu")


@dataclass(frozen=True, slots=True)
class Note:
    """Small print."""

    line: Line


@dataclass(frozen=True, slots=True)
class Paging:
    """Page turning under a list: "11–20 of 62"."""

    label: str
    previous: ActionRef | None = None
    following: ActionRef | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart's legend, with a value for each of the chart's categories."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars: for each category (a week, a span of time) the values of each series, one upon the other."""

    title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    value_label: str
    """What a value counts: "lapses"."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Charts drawn as one picture, one below the other."""

    charts: tuple[Chart, ...]
    description: str
    """What the picture shows, for those who cannot see it. The figures stand as text beside it, in parts of their
    own.
    """


Part = Heading | Text | Facts | Rows | Buttons | Note | Paging | Picture


@dataclass(frozen=True, slots=True)
class Message:
    """A document for one reader. The first part says what it is about."""

    parts: tuple[Part, ...]
    tone: Tone = Tone.NEUTRAL
    subject: str = ""
    """The subject, where messages have one (email); empty: the first line."""
    unsubscribe_url: str = ""
    """Where one POST ends the opt-in that this message comes from (RFC 8058); empty where there is none to end."""


@dataclass(frozen=True, slots=True)
class FormChoice:
    """One of the values of a choice."""

    value: str
    """At most 100 characters."""
    label: str


FORM_CHOICES = 25
"""Values of one choice: the most that every platform shows (Discord's select)."""
FORM_FIELDS = 5
"""Fields of one form: the most that every platform shows (Discord's modal)."""
FORM_TITLE = 24
"""Characters of a form's title and of its buttons: the shortest of the platforms (Slack's modal)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    """Words to be typed."""

    name: str
    label: str
    """At most 45 characters (Discord)."""
    hint: str = ""
    value: str = ""
    required: bool = True
    long: bool = False
    """Several lines."""
    most: int = 500
    """Characters that are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceField:
    """One or several of a few values, between 1 and 25."""

    name: str
    label: str
    choices: tuple[FormChoice, ...]
    chosen: tuple[str, ...] = ()
    many: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonField:
    """A user of the platform is to be chosen; arrives as `@ID`."""

    name: str
    label: str
    required: bool = True


Field = TextField | ChoiceField | PersonField


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A dialogue to fill in. Sending it off is a submission of `action`."""

    title: str
    action: ActionRef
    fields: tuple[Field, ...]
    send_label: str = "Save"
    intro: Line = ()
    """What the form is about, above its fields; a platform without room for it leaves it out."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.fields) <= FORM_FIELDS or max(len(self.title), len(self.send_label)) > FORM_TITLE:
            raise ValueError("a form has 1 to 5 fields, and a title and button of at most 24 characters")
        if any(isinstance(one, ChoiceField) and not 1 <= len(one.choices) <= FORM_CHOICES for one in self.fields):
            raise ValueError("a choice has 1 to 25 values")


@dataclass(frozen=True, slots=True)
class FieldErrors:
    """What was sent off cannot be taken: a sentence for each field, by the field's name. Nothing is lost of the
    rest.
    """

    by_field: tuple[tuple[str, str], ...]


def line(*spans: Span | str) -> Line:
    """Build a line; bare strings become Plain."""
    return tuple(Plain(span) if isinstance(span, str) else span for span in spans)


def text(*spans: Span | str) -> Text:
    """Build a paragraph; bare strings become Plain."""
    return Text(line(*spans))


def say(*spans: Span | str, tone: Tone = Tone.NEUTRAL) -> Message:
    """Build a message of one paragraph."""
    return Message((text(*spans),), tone)
