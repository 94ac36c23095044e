"""Discord's rules for a message body: lengths, embeds, flags, nonce. Source: docs.discord.com, resources/message."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.playground.vendors.discord.attachments import check_files
from bot.playground.vendors.discord.component_rules import TEXT, ComponentRules, walk
from bot.playground.vendors.discord.mentions import validate_allowed_mentions
from bot.playground.vendors.discord.wire import ApiError, FormErrors, Payload, Upload
from bot.playground.vendors.discord.world import Flag, Message

SETTABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.COMPONENTS_V2
SETTABLE_IN_ANSWER = SETTABLE | Flag.EPHEMERAL
EMBED_LIMITS = {"title": 256, "description": 4096, "url": 2048}
MOST_EMBED_TEXT = 6000


def check_message(
    body: Payload, *, old: Message | None = None, prefix: str = "", uploads: Sequence[Upload] = ()
) -> None:
    """Refuse a body that Discord refuses. `old` is the message an edit starts from; `prefix` names the outer field."""
    errors = FormErrors()
    flags = body.get("flags") or 0
    if not isinstance(flags, int):
        errors.add("flags", "NUMBER_TYPE_COERCE", "Value is not int.")
        flags = 0
    v2 = bool((flags | (old.flags if old else 0)) & Flag.COMPONENTS_V2)
    if body.get("content") is not None:
        errors.longer("content", body["content"], 2000)
    _embeds(body.get("embeds"), errors)
    if body.get("components") is not None:
        ComponentRules(errors).message(body["components"], v2=v2)
    validate_allowed_mentions(body.get("allowed_mentions"), errors)
    _nonce(body, errors)
    check_files(body, list(uploads), old.attachments if old else [], errors)
    if v2:
        for name in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(name):
                errors.add(
                    name,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
        if old is not None and not old.flags & Flag.COMPONENTS_V2 and (old.content or old.embeds):
            cleared = ("content" in body or not old.content) and ("embeds" in body or not old.embeds)
            if not cleared:
                errors.add(
                    "flags", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Clear content and embeds first."
                )
    if prefix and errors.tree:
        errors.tree = {prefix: errors.tree}
    errors.raise_any()
    _not_empty(body, old, len(uploads))


def _not_empty(body: Payload, old: Message | None, files: int) -> None:
    def left(name: str, before: object) -> object:
        return body.get(name, before)

    something = (
        left("content", old.content if old else ""),
        left("embeds", old.embeds if old else []),
        left("components", old.components if old else []),
        left("attachments", old.attachments if old else []),
        files,
        body.get("poll"),
        body.get("sticker_ids"),
    )
    if not any(something):
        raise ApiError(400, 50006, "Cannot send an empty message")


def _nonce(body: Payload, errors: FormErrors) -> None:
    nonce = body.get("nonce")
    if isinstance(nonce, bool) or not isinstance(nonce, str | int | None):
        errors.add("nonce", "NONCE_TYPE_INVALID", "Nonce must be a string or an integer.")
    elif isinstance(nonce, str):
        errors.longer("nonce", nonce, 25)


def _embeds(embeds: object, errors: FormErrors) -> None:
    if embeds is None:
        return
    if not isinstance(embeds, list):
        errors.add("embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(embeds) > 10:
        errors.add("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    total = 0
    for index, embed in enumerate(embeds):
        if not isinstance(embed, dict):
            errors.add(f"embeds.{index}", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            continue
        total += _embed(embed, f"embeds.{index}", errors)
    if total > MOST_EMBED_TEXT:
        errors.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MOST_EMBED_TEXT}")


def _embed(embed: Payload, path: str, errors: FormErrors) -> int:
    """Check one embed; answers how much of the sum over all embeds it takes."""
    counted = 0
    for name, limit in EMBED_LIMITS.items():
        if embed.get(name) is not None:
            errors.longer(f"{path}.{name}", embed[name], limit)
            counted += len(str(embed[name])) if name != "url" else 0
    if embed.get("url") is not None and urlsplit(str(embed["url"])).scheme not in ("http", "https"):
        errors.add(f"{path}.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be one of ('http', 'https').")
    fields = embed.get("fields") or []
    if len(fields) > 25:
        errors.add(f"{path}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for index, one in enumerate(fields):
        for name, limit in (("name", 256), ("value", 1024)):
            errors.longer(f"{path}.fields.{index}.{name}", one.get(name), limit, least=1)
            counted += len(str(one.get(name, "")))
    for name, part, limit in (("footer", "text", 2048), ("author", "name", 256)):
        if embed.get(name):
            errors.longer(f"{path}.{name}.{part}", embed[name].get(part), limit)
            counted += len(str(embed[name].get(part, "")))
    colour = embed.get("color")
    if colour is not None and not (isinstance(colour, int) and 0 <= colour <= 0xFFFFFF):
        errors.add(f"{path}.color", "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
    return counted


def pingable_text(body: Payload) -> str:
    """All text of a body that can ping: the content, and the text displays of a V2 message. Embeds never ping."""
    parts = [str(body.get("content") or "")]
    parts += [str(one.get("content", "")) for one in walk(body.get("components") or []) if one.get("type") == TEXT]
    return "\n".join(parts)


def settable_flags(body: Payload, *, answer: bool) -> int:
    flags: int = body.get("flags") or 0
    return flags & (SETTABLE_IN_ANSWER if answer else SETTABLE)
