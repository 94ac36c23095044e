"""A Message as Block Kit: one Slack message or view that is never over a limit, and says how many rows it leaves out.

Limits: docs.slack.dev/reference/block-kit/blocks and slack_sdk's models. Everything that people wrote stands in rich
text or plain text, where nothing is markup, or in mrkdwn made inert (see `text`). A tone is not drawn: Slack has
colours only for attachments, which it calls secondary, folds away, and sets in smaller print; the state's mark does it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

from commands.messages import (
    AnyButton,
    Bold,
    Button,
    Buttons,
    Facts,
    Heading,
    Line,
    Message,
    Note,
    Paging,
    Part,
    Picture,
    Plain,
    Row,
    Rows,
    Style,
    Text,
)
from platform_adapters.chat.slack.spans import Json, mrkdwn, plain, rich
from platform_adapters.chat.slack.text import boundary, cut, inert, on_one_line, web_address

PRESS, MENU, OPEN = "press", "menu", "open"
"""How `action_id` begins: a button of ours, a menu of ours, a link (which Slack reports, and nobody acts on)."""

_BLOCKS = 50
# Slack refuses the blocks of a message together as `msg_blocks_too_long` from somewhere between 11,300 and 13,300
# characters (bolt-js #2509, #2867), and does not say what it counts. Counted here is all of their JSON.
_WEIGHT = 11_000
_VIEW_BLOCKS, _VIEW_WEIGHT = 100, 100_000  # a view may have some 250 kB in all, with its state
_PER_SPAN = 150  # characters of JSON around the words of the longest kind of span, a date
_PARAGRAPH = 3000
_ROW_TITLE, _ROW_DETAIL, _HEADING, _NOTE, _LABEL_IN_FACTS = 300, 500, 600, 1500, 150
_BUTTON_LABEL = 75
_MENU_OPTIONS = 5
_BUTTONS_IN_BLOCK = 25
_FALLBACK = 3900  # chat.update refuses more than 4,000
_MOST_LISTS = 10  # in one message; ours have one
_SHORTEST_PARAGRAPH = 80  # characters; less is not worth a cut
_ALTERNATIVE = 2000  # characters of what stands for a picture

PictureUrl = Callable[[Picture], str | None]
"""Where Slack finds a picture; None: nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What Slack is sent. `text` is what a notification shows and a screen reader reads."""

    text: str
    blocks: list[Json]


def render(message: Message, tenant: str | None, picture_url: PictureUrl) -> Rendered:
    """Draw a message for readers of the workspace `tenant`; pictures that are nowhere are left out, as their figures
    stand beside them. Raises ValueError for an action that cannot be carried.
    """
    blocks, shown = _drawn_within(message, tenant, picture_url, _BLOCKS, _WEIGHT)
    return Rendered(text=_fallback(shown), blocks=blocks)


def render_view(message: Message, tenant: str | None, picture_url: PictureUrl) -> list[Json]:
    """Draw the same for a modal or App Home, which hold more. Raises ValueError as `render` does."""
    blocks, _ = _drawn_within(message, tenant, picture_url, _VIEW_BLOCKS, _VIEW_WEIGHT)
    return blocks or [_small("…")]  # Slack takes no view without a block


def _drawn_within(
    message: Message, tenant: str | None, picture_url: PictureUrl, most_blocks: int, most_weight: int
) -> tuple[list[Json], Message]:
    """The blocks, and the message without the pictures that are nowhere."""
    found = {index: _figure(part, picture_url) for index, part in enumerate(message.parts) if isinstance(part, Picture)}
    figures = {id(message.parts[index]): block for index, block in found.items() if block is not None}
    parts = tuple(part for index, part in enumerate(message.parts) if found.get(index, part) is not None)
    message = replace(message, parts=parts)
    lists = sum(isinstance(part, Rows) for part in parts)
    room = partial(_Page, tenant, figures=figures, lists=lists, blocks=most_blocks, weight=most_weight)
    whole = room(weighs=False)
    blocks = [block for part in parts for block in whole.draw(part)]
    if whole.is_cut or _weight(blocks) > most_weight:
        blocks = _fitted(message, room(weighs=True))
    return blocks, message


def _figure(picture: Picture, picture_url: PictureUrl) -> Json | None:
    """The block of a picture. Slack wants words for those who cannot see it."""
    url = web_address(picture_url(picture) or "")
    words = cut(on_one_line(picture.description), _ALTERNATIVE)
    return {"type": "image", "image_url": url, "alt_text": words or "…"} if url else None


def _fitted(message: Message, page: "_Page") -> list[Json]:
    """What is pressed has its place first, then the words, then rows: as many as there is room for."""
    order = sorted(range(len(message.parts)), key=lambda index: (_urgency(message.parts[index], index), index))
    drawn = {index: page.draw(message.parts[index]) for index in order}
    blocks = [block for index in range(len(message.parts)) for block in drawn[index]]
    return [*blocks, *([_small("…")] if page.is_cut else [])]


def _urgency(part: Part, index: int) -> int:
    match part:
        case Rows():
            return 2
        case Buttons() | Paging():
            return 0
        case _:
            return 0 if index == 0 else 1


class _Page:
    """One Slack message, while it fills. Weighing takes time, and is only done where the whole was found too much."""

    def __init__(
        self, tenant: str | None, *, figures: Mapping[int, Json], lists: int, blocks: int, weight: int, weighs: bool
    ) -> None:
        self._tenant = tenant
        self._figures = figures
        self._weighs = weighs
        self._most = weight
        self._lists_left = min(lists, _MOST_LISTS)
        # For each list a block is kept that says "and N more", and one that says that something was cut off.
        kept = self._lists_left + 1
        self._blocks_left = blocks - kept
        self._weight_left = weight - kept * _weight([_small("and 1,000,000 more")])
        self.is_cut = False
        """Something was left out that no number tells."""

    def draw(self, part: Part) -> list[Json]:  # noqa: PLR0911  # one for each kind of part
        """Draw a part as far as there is room."""
        match part:
            case Heading(line):
                return self._paragraph(line, _HEADING)
            case Text(line):
                return self._paragraph(line, self._most)
            case Facts(items):
                return self._paragraph(_facts(items), self._most)
            case Rows(rows, more):
                return self._rows(rows, more)
            case Note(line):
                return self._take([_small(mrkdwn(line, _NOTE, self._tenant))] if plain(line).strip() else [])
            case Buttons(primary, menu):
                return self._take(_buttons(primary, menu))
            case Paging():
                return self._take(_paging(part))
            case Picture():
                return self._take([self._figures[id(part)]])

    def _take(self, blocks: list[Json]) -> list[Json]:
        """The blocks, if there is room for all of them."""
        weight = _weight(blocks) if self._weighs else 0
        if len(blocks) > self._blocks_left or weight > self._weight_left:
            self.is_cut = True
            return []
        self._blocks_left -= len(blocks)
        self._weight_left -= weight
        return blocks

    def _paragraph(self, line: Line, longest: int) -> list[Json]:
        """Words, over several blocks where one cannot hold them, cut where the message cannot."""
        limit = min(longest, self._weight_left - _PER_SPAN * (len(line) + 4))
        if limit < _SHORTEST_PARAGRAPH:
            self.is_cut = True
            return []
        taken: list[Json] = []
        for elements in _pieces(rich(line, limit, self._tenant)):
            block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
            taken += self._take([block])
        return taken

    def _rows(self, rows: Sequence[Row], more: int) -> list[Json]:
        taken: list[Json] = []
        was_cut = self.is_cut
        for index, row in enumerate(rows):
            drawn = self._take(self._row(row))
            if not drawn:
                more += len(rows) - index
                break
            taken += drawn
        if more > 0 and self._lists_left:
            self._lists_left -= 1
            self.is_cut = was_cut  # for rows the number says it
            taken.append(_small(f"and {more:,} more"))
        return taken

    def _row(self, row: Row) -> list[Json]:
        """With one thing to press, it stands beside the words; with two, both stand under them, in reach of a thumb."""
        pressable = _drawn([each for each in (row.button, row.details) if each is not None])
        title = (Plain(f"{row.mark} "), *row.title)
        if len(pressable) > 1:
            words: Line = (*title, *((Plain("\n"), *row.detail) if row.detail else ()))
            elements = rich(words, _ROW_TITLE + _ROW_DETAIL, self._tenant)
            section: Json = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
            return [section, {"type": "actions", "elements": pressable}]
        text = mrkdwn(title, _ROW_TITLE, self._tenant)
        if row.detail:
            text += "\n" + mrkdwn(row.detail, _ROW_DETAIL, self._tenant)
        section = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        return [section | {"accessory": pressable[0]} if pressable else section]


def _facts(items: Sequence[tuple[str, Line]]) -> Line:
    """Labels and values, one below the other: columns would fall apart on a phone."""
    lines = [(Bold(cut(on_one_line(label), _LABEL_IN_FACTS)), Plain(" "), *value) for label, value in items]
    return tuple(span for index, each in enumerate(lines) for span in ((Plain("\n"), *each) if index else each))


def _pieces(elements: list[Json]) -> Iterator[list[Json]]:
    """Elements in groups of at most 3,000 characters; a long text is divided at a space where there is one."""
    group: list[Json] = []
    room = _PARAGRAPH
    for element in elements:
        rest = element
        while len(rest.get("text", "")) > room:
            if rest["type"] != "text" or room < _SHORTEST_PARAGRAPH:
                if group:
                    yield group
                group, room = [], _PARAGRAPH
                continue
            at = max(rest["text"].rfind(" ", room // 2, room), rest["text"].rfind("\n", room // 2, room))
            at = at if at > 0 else boundary(rest["text"], room)
            yield [*group, {**rest, "text": rest["text"][:at]}]
            group, room, rest = [], _PARAGRAPH, {**rest, "text": rest["text"][at:]}
        group.append(rest)
        room -= len(rest.get("text", ""))
    if group:
        yield group


def _small(text: str) -> Json:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _buttons(primary: Sequence[AnyButton], menu: Sequence[Button]) -> list[Json]:
    """The buttons and one overflow menu, or several even ones where it is too long for one; a single entry is a
    button.
    """
    if len(menu) == 1:
        primary, menu = [*primary, *menu], []
    elements = _drawn(primary)
    menus = ceil(len(menu) / _MENU_OPTIONS)
    for index in range(menus):
        entries = menu[len(menu) * index // menus : len(menu) * (index + 1) // menus]
        options = [{"text": _label(each.label), "value": each.action.encode()} for each in entries]
        elements.append({"type": "overflow", "action_id": f"{MENU}-{index}", "options": options})
    elements = elements[:_BUTTONS_IN_BLOCK]
    return [{"type": "actions", "elements": elements}] if elements else []


def _drawn(buttons: Sequence[AnyButton]) -> list[Json]:
    """Elements with ids of their own; only the first primary one of a set is drawn so, as Slack asks."""
    elements: list[Json] = []
    has_primary = False
    for index, button in enumerate(buttons):
        is_second = has_primary and button.style is Style.PRIMARY
        element = _button(replace(button, style=Style.NORMAL) if is_second else button, index)
        if element is not None:
            elements.append(element)
            has_primary = has_primary or button.style is Style.PRIMARY
    return elements


def _button(button: AnyButton, index: int) -> Json | None:
    """One button. A link that Slack would refuse is left out, since the whole message would be refused with it."""
    element: Json = {"type": "button", "text": _label(button.label)}
    if button.style is not Style.NORMAL:
        element["style"] = button.style.value
    if isinstance(button, Button):
        return element | {"action_id": f"{PRESS}-{index}", "value": button.action.encode()}
    url = web_address(button.url)
    return element | {"action_id": f"{OPEN}-{index}", "url": url} if url else None


def _label(text: str) -> Json:
    return {"type": "plain_text", "text": cut(on_one_line(text), _BUTTON_LABEL) or "…", "emoji": False}


def _paging(paging: Paging) -> list[Json]:
    buttons = [
        *([Button("‹ Previous", paging.previous)] if paging.previous else []),
        *([Button("Next ›", paging.following)] if paging.following else []),
    ]
    label = cut(on_one_line(paging.label), _BUTTON_LABEL)
    words = [_small(inert(label))] if label else []
    return [*words, *([{"type": "actions", "elements": _drawn(buttons)}] if buttons else [])]


def _weight(blocks: list[Json]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False))


def _fallback(message: Message) -> str:
    """All words without the buttons, which are read out by themselves."""
    words = "\n".join(filter(None, (_spoken(part).strip() for part in message.parts)))
    room = _FALLBACK
    while len(text := inert(cut(words, room))) > _FALLBACK:
        room = room * 2 // 3
    return text or "…"


def _spoken(part: Part) -> str:
    match part:
        case Heading(line) | Text(line) | Note(line):
            return plain(line)
        case Facts(items):
            return "\n".join(f"{on_one_line(label)}: {plain(value)}" for label, value in items)
        case Rows(rows, more):
            lines = [
                f"{row.mark} {plain(row.title)}" + (f" · {plain(row.detail)}" if row.detail else "") for row in rows
            ]
            return "\n".join([*lines, *([f"and {more:,} more"] if more else [])])
        case Paging(label):
            return on_one_line(label)
        case Picture(description=description):
            return on_one_line(description)
        case Buttons():
            return ""
