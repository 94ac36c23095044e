"""Examples of notices as people see them: what a platform would be sent, drawn as its stand-in draws it."""

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from bot.playground.vendors.discord.markdown import Names as DiscordNames
from bot.playground.vendors.discord.render import message_html, message_text
from bot.playground.vendors.slack.html import blocks_to_html
from bot.playground.vendors.slack.render import message_to_text

Payload = Mapping[str, Any]
_VENDORS = Path(__file__).parent / "vendors"
_AT = 1795443120.0
"""23 November 2026, as in the examples; times are drawn as they would read then."""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 42rem; padding: 0 1rem; }}
h2 {{ font-size: 1rem; margin: 2rem 0 .5rem; }}
iframe {{ border: 1px solid #8888; border-radius: 8px; height: 32rem; width: 100%; }}
{style}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def text(platform: str, payload: Payload) -> str:
    """What a person reads; what is live in it is marked. A platform without a stand-in is shown as it is sent."""
    words = _TEXTS.get(platform)
    return words(payload) if words is not None else json.dumps(payload, indent=1, ensure_ascii=False)


def write(folder: Path, platform: str, pictures: Sequence[tuple[str, Payload]]) -> Path:
    """Write one page with all of them, and give its path."""
    draw = _PICTURES.get(platform, _as_sent)
    sheet = _VENDORS / platform / f"{platform}.css"
    body = "\n".join(f"<h2>{escape(name)}</h2>\n{draw(payload)}" for name, payload in pictures)
    style = sheet.read_text("utf-8") if sheet.is_file() else ""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{platform}.html"
    page.write_text(_PAGE.format(title=f"Notices in {platform.capitalize()}", style=style, body=body), "utf-8")
    return page


def _slack(payload: Payload) -> str:
    drawn = blocks_to_html(dict(payload))
    return (
        '<article class="s-message"><span class="s-avatar" aria-hidden="true">L</span>'
        f'<div class="s-content"><header><b class="s-author">lapsebot</b></header>{drawn}</div></article>'
    )


def _discord(payload: Payload) -> str:
    message = {
        "id": "1",
        "author": {"id": "5", "username": "lapsebot", "bot": True},
        "timestamp": "2026-11-23T14:12:00+00:00",
        **payload,
    }
    return f'<div class="discord">{message_html(message, DiscordNames(), now=_AT)}</div>'


def _email(payload: Payload) -> str:
    page = escape(str(payload["html"]), quote=True)
    return f'<p>{escape(str(payload["subject"]))}</p><iframe sandbox title="email" srcdoc="{page}"></iframe>'


def _as_sent(payload: Payload) -> str:
    return f"<pre>{escape(json.dumps(payload, indent=1, ensure_ascii=False))}</pre>"


def _email_text(payload: Payload) -> str:
    return f"Subject: {payload['subject']}\n\n{payload['text']}"


_PICTURES: Mapping[str, Callable[[Payload], str]] = {"slack": _slack, "discord": _discord, "email": _email}
_TEXTS: Mapping[str, Callable[[Payload], str]] = {
    "slack": lambda payload: message_to_text(dict(payload)),
    "discord": lambda payload: message_text(dict(payload), DiscordNames()),
    "email": _email_text,
}
