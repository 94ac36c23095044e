"""Spans of a line, in the two forms in which Slack takes them: rich text, where nothing is markup, and mrkdwn.

Rich text carries whatever it is given; mrkdwn is written only where Slack has nothing else: beside a button, in small
print, and as the text of a notification.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias, assert_never

from commands.messages import Bold, Code, Line, Mention, Moment, MomentStyle, Plain, Span, WebLink
from platform_adapters.chat.slack.text import clean, cut, escaped, inert, inert_label, on_one_line, size, web_address

Json: TypeAlias = dict[str, Any]  # Block Kit, on its way out

PLATFORM = "slack"
_FORMATS = {
    MomentStyle.TIME: "{date_short_pretty} at {time}",
    MomentStyle.DAY: "{date_pretty}",
    MomentStyle.AGO: "{ago}",
}
_USER_ID = re.compile(r"[UW][A-Z0-9]{1,30}")
_LONGEST_NAME = 300  # characters of a person's name or a link's label
_LATEST = 253402300799  # seconds; the end of the year 9999


def rich(line: Line, limit: int, tenant: str | None) -> list[Json]:
    """Write the elements of a rich text section, in which at most `limit` characters stand."""
    return [_element(span, tenant) for span in shortened(line, limit, _size_in_rich)]


def mrkdwn(line: Line, limit: int, tenant: str | None) -> str:
    """Write mrkdwn of at most `limit` characters in which only our own spans are markup."""
    spans = shortened(line, limit, lambda span: size(_marked(span, tenant)) + 1)
    written = ""
    for index, span in enumerate(spans):
        after = _words(spans[index + 1])[:1] if index + 1 < len(spans) else ""
        beside_words = written[-1:].isalnum() or after.isalnum()
        # Slack takes `*` for a mark only where no word touches it.
        written += inert(span.text) if isinstance(span, Bold) and beside_words else _marked(span, tenant)
    return written


def plain(line: Line) -> str:
    """Write the words alone, for those who hear the message or see only its notification."""
    return "".join(_words(_cleaned(span)) for span in line)


def shortened(line: Line, limit: int, measure: Callable[[Span], int]) -> list[Span]:
    """Clean the spans and keep what fits into `limit` as `measure` counts; the one that does not is cut with "…"."""
    kept: list[Span] = []
    for span in (_cleaned(span) for span in line):
        if not _words(span):
            continue
        cost = measure(span)
        if cost > limit:
            return [*kept, *_cut(span, limit, measure)]
        kept.append(span)
        limit -= cost
    return kept


def _cut(span: Span, limit: int, measure: Callable[[Span], int]) -> list[Span]:
    room = limit
    while room > 0:
        short = _with_words(span, cut(_words(span), room))
        if measure(short) <= limit:
            return [short]
        room -= max(1, measure(short) - limit) if measure(short) < 2 * limit else room // 2 + 1
    return [Plain("…")] if limit >= len("…") + 1 else []


def _cleaned(span: Span) -> Span:
    """Without what cannot be shown. Only plain words may run over several lines."""
    match span:
        case Plain(text):
            cleaned = clean(text)
            return span if cleaned == text else Plain(cleaned)
        case Bold(text) | Code(text):
            cleaned = on_one_line(text)
            return span if cleaned == text else replace(span, text=cleaned)
        case Mention(name):
            cleaned = cut(on_one_line(name), _LONGEST_NAME)
            return span if cleaned == name else replace(span, name=cleaned)
        case WebLink(label, url):
            address = web_address(url)
            words = cut(on_one_line(label), _LONGEST_NAME)
            return WebLink(words or cut(address, _LONGEST_NAME), address) if address else Plain(words)
        case Moment():
            return span
        case _:
            assert_never(span)


def _words(span: Span) -> str:
    match span:
        case Plain(text) | Bold(text) | Code(text):
            return text
        case Mention(name):
            return name
        case WebLink(label):
            return label
        case Moment():
            return _fallback(span)
        case _:
            assert_never(span)


def _with_words(span: Span, words: str) -> Span:
    match span:
        case Plain() | Bold() | Code():
            return replace(span, text=words)
        case WebLink():
            return replace(span, label=words)
        case Mention() | Moment():
            return Plain(words)
        case _:
            assert_never(span)


def _size_in_rich(span: Span) -> int:
    return size(_words(span)) + (size(span.url) if isinstance(span, WebLink) else 0)


def _element(span: Span, tenant: str | None) -> Json:
    match span:
        case Plain(text):
            return {"type": "text", "text": text}
        case Bold(text):
            return {"type": "text", "text": text, "style": {"bold": True}}
        case Code(text):
            return {"type": "text", "text": text, "style": {"code": True}}
        case Mention(name):
            user = _user(span, tenant)
            return {"type": "user", "user_id": user} if user else {"type": "text", "text": name}
        case WebLink(label, url):
            return {"type": "link", "url": url, "text": label}
        case Moment(at, style):
            fallback = _fallback(span)
            return {"type": "date", "timestamp": _seconds(at), "format": _FORMATS[style], "fallback": fallback}
        case _:
            assert_never(span)


def _marked(span: Span, tenant: str | None) -> str:
    match span:
        case Plain(text):
            return inert(text)
        case Bold(text):
            return f"*{inert(text)}*"
        case Code(text):
            return f"`{escaped(text.replace('`', 'ˋ'))}`"
        case Mention(name):
            user = _user(span, tenant)
            return f"<@{user}>" if user else inert(name)
        case WebLink(label, url):
            return f"<{escaped(url)}|{inert_label(label)}>"
        case Moment(at, style):
            return f"<!date^{_seconds(at)}^{_FORMATS[style]}|{_fallback(span)}>"
        case _:
            assert_never(span)


def _user(mention: Mention, tenant: str | None) -> str | None:
    """The person's account in the reader's workspace; an account elsewhere would show as an unknown id."""
    for handle in mention.handles:
        if handle.platform == PLATFORM and handle.tenant == tenant and _USER_ID.fullmatch(handle.user):
            return handle.user
    return None


def _seconds(at: datetime) -> int:
    return max(0, min(int(at.timestamp()), _LATEST))


def _fallback(moment: Moment) -> str:
    """What a client that cannot reckon with time zones shows."""
    day = moment.at.date().isoformat()
    return f"{day} (UTC)" if moment.style is MomentStyle.DAY else f"{day} {moment.at.time().isoformat('minutes')} UTC"
