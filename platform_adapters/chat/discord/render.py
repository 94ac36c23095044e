"""Draws a Message as Discord's Components V2: one container, in the colour of its tone.

Chosen over text with embeds because only there does a row stand beside its own button; the price is one budget for the
whole message, 40 components and 4,000 characters, which this file keeps. Nothing here knows the library, which would
check none of it. Limits: docs.discord.com, components/reference; the 4,000 are as observed.
"""

import math
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, assert_never

from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Buttons,
    Facts,
    Heading,
    Line,
    LinkButton,
    Message,
    Note,
    Paging,
    Part,
    Picture,
    Row,
    Rows,
    Style,
    Text,
    Tone,
    line,
)
from platform_adapters.chat.discord.markup import ELLIPSIS, markdown, masked_link, safe_url, shorten, size, words

Component = dict[str, Any]
"""One component as it goes over the wire."""

_ROW, _BUTTON, _SELECT, _SECTION, _TEXT, _GALLERY, _CONTAINER = 1, 2, 3, 9, 10, 12, 17
_LINK_STYLE = 5
_STYLES = {Style.PRIMARY: 1, Style.NORMAL: 2, Style.DANGER: 4}
_COLOURS: Mapping[Tone, int] = MappingProxyType({Tone.ACTION: 0xDA373C, Tone.GOOD: 0x23A55A, Tone.HELD: 0xF0B232})

MOST_COMPONENTS, MOST_TEXT = 40, 4000
_MOST_LINES = MOST_TEXT // 8  # more never fit, and drawing them only to find that out takes long
MOST_PICTURES, LONGEST_DESCRIPTION = 10, 1024
_SECTION_TAKES = 3  # itself, its text and its button
LONGEST_LABEL, LONGEST_OPTION, LONGEST_URL, LONGEST_TOKEN = 80, 100, 512, 100
BUTTONS_IN_ROW, OPTIONS_IN_SELECT = 5, 25
_SPAN_LIMITS = ((2000, 2000), (600, 160), (300, 80), (300, 40))
"""Of a span in text and of one in a row, ever narrower; names are at most 80 before they come here."""
_MOST_GAINED = _SPAN_LIMITS[0][0] / _SPAN_LIMITS[-1][0]
"""How many times shorter a text can become by cutting its spans."""
_AGAIN = re.compile(r"~\d+$")  # no name, id or search of an action has a tilde


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """How much of a message is drawn."""

    spans: int = 0
    """Which of `_SPAN_LIMITS`."""
    sections: int
    """How many rows have their button beside them; the buttons of the rest go into the menu."""
    lines: int
    """How many headings, paragraphs, facts, rows and notes."""
    controls: int
    """How many parts of buttons and page turning."""


def render(message: Message, without: Container[int] = ()) -> list[Component]:
    """Draw a message so that it keeps every limit. What does not fit is shortened, then counted: "… and 14 more".

    Its n-th picture is shown as the file `file_name(n)`, which goes with it, unless n is in `without`. Raises
    ValueError for an action too long to be carried.
    """
    fit = _Fit(
        sections=MOST_COMPONENTS // _SECTION_TAKES,
        lines=min(sum(_lines_of(part) for part in message.parts), _MOST_LINES),
        controls=sum(isinstance(part, Buttons | Paging) for part in message.parts),
    )
    while True:
        drawing = _Drawing(fit, without)
        for part in message.parts:
            drawing.add(part)
        components = drawing.components(_COLOURS.get(message.tone))
        text, count = _text_size(components), sum(1 for _ in _walk(components))
        if text <= MOST_TEXT and count <= MOST_COMPONENTS:
            return components
        fit = _narrower(fit, text=text, count=count)


def file_name(number: int) -> str:
    """Name the file of a message's n-th picture."""
    return f"chart-{number + 1}.png"


def token_of(data: Mapping[str, Any]) -> str:
    """Read a press's token from an interaction: a menu's is the value chosen, a button's its custom id."""
    values = data.get("values")
    if data.get("component_type") == _SELECT and isinstance(values, list) and values:
        return str(values[0])
    return _AGAIN.sub("", str(data.get("custom_id", "")))


def _narrower(fit: _Fit, *, text: int, count: int) -> _Fit:
    """The next smaller way to draw: text is cut before lines go, buttons move into the menu before lines go."""
    if text > MOST_TEXT and fit.spans + 1 < len(_SPAN_LIMITS):
        is_far = text > MOST_TEXT * _MOST_GAINED
        return replace(fit, spans=len(_SPAN_LIMITS) - 1 if is_far else fit.spans + 1)
    if text <= MOST_TEXT and fit.sections:
        return replace(fit, sections=fit.sections - 1)
    if fit.lines > 1:
        share = min(MOST_TEXT / text if text else 1.0, MOST_COMPONENTS / count)
        return replace(fit, lines=min(fit.lines - 1, math.ceil(fit.lines * share)))
    return replace(fit, controls=fit.controls - 1)


def _lines_of(part: Part) -> int:
    match part:
        case Rows(rows):
            return len(rows)
        case Facts(items):
            return len(items)
        case Buttons() | Paging():
            return 0
        case Heading() | Text() | Note() | Picture():
            return 1
        case _:
            assert_never(part)


@dataclass(slots=True)
class _Drawing:
    """One try at a message."""

    fit: _Fit
    without: Container[int] = ()
    blocks: list[Component] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    buttons: list[Component] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    """Labels of the menu's items, by token."""
    tokens: set[str] = field(default_factory=set)
    pictures: int = 0
    sections: int = 0
    lines: int = 0
    controls: int = 0
    left_out: int = 0

    def add(self, part: Part) -> None:
        match part:
            case Heading(spans) | Text(spans):
                self._write(self._line(spans))
            case Note(spans):
                self._write(self._small(spans))
            case Facts(items):
                for label, value in items:
                    self._write(self._line(line(Bold(label), ": ", *value)))
            case Rows(rows, more):
                self._rows(rows, more)
            case Buttons(primary, menu):
                self._controls(primary, menu)
            case Paging():
                self._paging(part)
            case Picture():
                self._picture(part)
            case _:
                assert_never(part)

    def components(self, colour: int | None) -> list[Component]:
        """Close the container: text above, then buttons, then the menus."""
        self._say_left_out()
        self._flush()
        for start in range(0, len(self.buttons), BUTTONS_IN_ROW):
            self.blocks.append({"type": _ROW, "components": self.buttons[start : start + BUTTONS_IN_ROW]})
        options = [{"label": label, "value": token} for token, label in self.options.items()]
        for start in range(0, len(options), OPTIONS_IN_SELECT):
            menu = {
                "type": _SELECT,
                "custom_id": f"menu~{start // OPTIONS_IN_SELECT + 1}",
                "placeholder": "More",
                "options": options[start : start + OPTIONS_IN_SELECT],
            }
            self.blocks.append({"type": _ROW, "components": [menu]})
        container: Component = {"type": _CONTAINER, "components": self.blocks or [_text(ELLIPSIS)]}
        if colour is not None:
            container["accent_color"] = colour
        return [container]

    def _write(self, text: str) -> None:
        """Add a line of text; past what is drawn, only count it."""
        if self._is_past():
            return
        if text:
            self.text.append(text)

    def _is_past(self) -> bool:
        self.lines += 1
        past = self.lines > self.fit.lines
        self.left_out += past
        return past

    def _flush(self) -> None:
        if self.text:
            self.blocks.append(_text("\n".join(self.text)))
            self.text = []

    def _has_room_for(self, controls: int) -> bool:
        self.controls += 1
        has_room = self.controls <= self.fit.controls
        self.left_out += 0 if has_room else controls
        return has_room

    def _say_left_out(self) -> None:
        """Say how much is missing, where a list ends or, once something was cut off, at the end of all."""
        if self.left_out:
            self.text.append(f"{ELLIPSIS} and {self.left_out:,} more")
            self.left_out = 0

    def _line(self, spans: Line) -> str:
        limit = _SPAN_LIMITS[self.fit.spans][0]
        return markdown(spans, span_limit=limit, line_limit=3 * limit)

    def _small(self, spans: Line) -> str:
        written = self._line(spans)
        return f"-# {written}" if written else ""

    def _rows(self, rows: tuple[Row, ...], more: int) -> None:
        for row in rows:
            self._row(row)
        self.left_out += more
        if self.lines <= self.fit.lines:
            self._say_left_out()

    def _row(self, row: Row) -> None:
        if self._is_past():
            return
        limit = _SPAN_LIMITS[self.fit.spans][1]
        written = f"{row.mark} {markdown(row.title, span_limit=limit, line_limit=4 * limit)}"
        detail = markdown(row.detail, span_limit=limit, line_limit=5 * limit)
        written += f"\n-# {detail}" if detail else ""
        self.sections += 1
        accessory = None
        if self.sections <= self.fit.sections:
            accessory = self._button(row.button or row.details)
        if accessory is None:
            written += self._spelled_out(row)
            self.text.append(written)
        else:
            self._flush()
            self.blocks.append({"type": _SECTION, "components": [_text(written)], "accessory": accessory})
        if row.details is not None and (row.button is not None or accessory is None):
            self._option(row.details, row)

    def _spelled_out(self, row: Row) -> str:
        """What becomes of a row's button that does not stand beside it: an item of the menu, or a link in the text."""
        if isinstance(row.button, Button):
            self._option(row.button, row)
        elif row.button is not None:
            return f"\n{_link(row.button)}"
        return ""

    def _controls(self, primary: tuple[AnyButton, ...], menu: tuple[Button, ...]) -> None:
        if not self._has_room_for(len(primary) + len(menu)):
            return
        for button in primary:
            drawn = self._button(button)
            if drawn is not None:
                self.buttons.append(drawn)
            elif isinstance(button, LinkButton):
                self.text.append(_link(button))
        for item in menu:
            self._option(item)

    def _paging(self, paging: Paging) -> None:
        if not self._has_room_for(1):
            return
        self.text.append(self._small(line(paging.label)) or f"-# {ELLIPSIS}")
        for label, action in (("‹ Previous", paging.previous), ("Next ›", paging.following)):
            drawn = self._button(Button(label, action)) if action is not None else None
            if drawn is not None:
                self.buttons.append(drawn)

    def _picture(self, picture: Picture) -> None:
        number = self.pictures
        self.pictures += 1
        if number in self.without or self._is_past():
            return
        if number >= MOST_PICTURES:
            self.left_out += 1
            return
        self._flush()
        shown: Component = {"media": {"url": f"attachment://{file_name(number)}"}}
        description = shorten(picture.description, LONGEST_DESCRIPTION)
        if description:
            shown["description"] = description
        self.blocks.append({"type": _GALLERY, "items": [shown]})

    def _button(self, button: AnyButton | None) -> Component | None:
        """Draw a button; None for a link that no button can carry, and for one more of the same than fit."""
        if button is None:
            return None
        label = shorten(button.label, LONGEST_LABEL) or ELLIPSIS
        if isinstance(button, LinkButton):
            url = safe_url(button.url)
            if url is None or size(url) > LONGEST_URL:
                return None
            return {"type": _BUTTON, "style": _LINK_STYLE, "label": label, "url": url}
        token = self._unused(button.action.encode())
        if token is None:
            return None
        return {"type": _BUTTON, "style": _STYLES[button.style], "label": label, "custom_id": token}

    def _unused(self, token: str) -> str | None:
        """A custom id for the token: Discord wants each once in a message. `token_of` takes the ending off again."""
        custom_id, number = token, 1
        while custom_id in self.tokens:
            number += 1
            custom_id = f"{token}~{number}"
        if len(custom_id) > LONGEST_TOKEN:
            return None
        self.tokens.add(custom_id)
        return custom_id

    def _option(self, button: Button, row: Row | None = None) -> None:
        label = shorten(button.label, LONGEST_OPTION)
        if row is not None:
            label = f"{label}: {words(row.title, LONGEST_OPTION)}"
        self.options.setdefault(button.action.encode(), shorten(label, LONGEST_OPTION) or ELLIPSIS)


def _link(button: LinkButton) -> str:
    """Write a link in the text, for an address that no button can carry."""
    return masked_link(shorten(button.label, LONGEST_LABEL) or ELLIPSIS, button.url)


def _text(content: str) -> Component:
    return {"type": _TEXT, "content": content}


def _walk(components: list[Component]) -> Iterator[Component]:
    for component in components:
        yield component
        yield from _walk(component.get("components", []))
        if "accessory" in component:
            yield component["accessory"]


def files_of(components: list[Component]) -> set[str]:
    """The names of the files that are shown."""
    items = [item for one in _walk(components) if one["type"] == _GALLERY for item in one["items"]]
    return {str(item["media"]["url"]).removeprefix("attachment://") for item in items}


def _text_size(components: list[Component]) -> int:
    return sum(size(component["content"]) for component in _walk(components) if component["type"] == _TEXT)
