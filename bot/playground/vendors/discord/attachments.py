"""Files of messages: what may be uploaded, and what becomes of `attachment://` addresses.

Source: docs.discord.com, reference, "Uploading Files", and resources/message.
"""

from __future__ import annotations

import json
from typing import Any

from bot.playground.vendors.discord.component_rules import walk
from bot.playground.vendors.discord.wire import ApiError, FormErrors, Payload, Upload

MOST_FILES, LARGEST_FILE, LONGEST_DESCRIPTION = 10, 10 * 1024 * 1024, 1024
SCHEME = "attachment://"
PNG = b"\x89PNG\r\n\x1a\n"


def check_files(body: Payload, uploads: list[Upload], before: list[Payload], errors: FormErrors) -> None:
    """Note what is wrong with a body's files; `before` are those that the message has. Beyond 10 MiB is an ApiError."""
    if any(len(upload.data) > LARGEST_FILE for upload in uploads):
        raise ApiError(413, 40005, "Request entity too large")
    listed = body.get("attachments")
    if listed is not None and not _is_list_of_objects(listed):
        errors.add("attachments", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    known = {str(upload.number) for upload in uploads} | {str(one["id"]) for one in before}
    for index, one in enumerate(listed or []):
        if str(one.get("id")) not in known:
            errors.add(f"attachments.{index}.id", "BASE_TYPE_CHOICES", "There is no such file.")
        if one.get("description") is not None:
            errors.longer(f"attachments.{index}.description", one["description"], LONGEST_DESCRIPTION)
    if len(kept(body, before)) + len(taken(body, uploads)) > MOST_FILES:
        errors.add("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_FILES} or fewer in length.")
    names = {name for _, name, _ in taken(body, uploads)} | {str(one["filename"]) for one in kept(body, before)}
    for component in walk(body.get("components") or []):
        for path, media in _media(component):
            address = str(media.get("url", ""))
            if address.startswith(SCHEME) and address.removeprefix(SCHEME) not in names:
                errors.add(
                    f"components.{path}",
                    "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                    "The referenced attachment was not found",
                )


def kept(body: Payload, before: list[Payload]) -> list[Payload]:
    """The files that a message keeps: all, or those that an edit lists, with their new descriptions."""
    if "attachments" not in body:
        return before
    listed = {str(one.get("id")): one for one in body["attachments"] or []}
    changed = ("description",)
    return [
        {**one, **{name: listed[one["id"]][name] for name in changed if name in listed[one["id"]]}}
        for one in before
        if one["id"] in listed
    ]


def taken(body: Payload, uploads: list[Upload]) -> list[tuple[Upload, str, str | None]]:
    """The uploaded files that go into the message, with their names and descriptions: only listed ones, if any are."""
    if "attachments" not in body:
        return [(upload, upload.filename, None) for upload in uploads]
    listed = {str(one.get("id")): one for one in body["attachments"] or []}
    found = [(upload, listed[str(upload.number)]) for upload in uploads if str(upload.number) in listed]
    return [(upload, str(one.get("filename") or upload.filename), one.get("description")) for upload, one in found]


def measured(data: bytes) -> Payload:
    """Width and height of a PNG; nothing for what is none, whatever its name says."""
    if not data.startswith(PNG) or len(data) < 24:
        return {}
    return {"width": int.from_bytes(data[16:20]), "height": int.from_bytes(data[20:24])}


def with_addresses(value: Any, files: list[Payload]) -> Any:
    """A payload with each `attachment://name` replaced by the file's address; media items learn what it is."""
    by_address = {SCHEME + str(one["filename"]): one for one in files}
    if isinstance(value, dict):
        changed = {key: with_addresses(one, files) for key, one in value.items()}
        found = by_address.get(str(value.get("url")))
        if found is not None:
            told = ("width", "height", "content_type", "proxy_url")
            changed |= {name: found[name] for name in told if name in found} | {"attachment_id": found["id"]}
        return changed
    if isinstance(value, list):
        return [with_addresses(one, files) for one in value]
    return by_address[value]["url"] if isinstance(value, str) and value in by_address else value


def loose(attachments: list[Payload], embeds: list[Payload], components: list[Payload]) -> list[Payload]:
    """The files that no embed and no component shows; only they are a message's attachments to whoever reads it."""
    shown = json.dumps([embeds, components])
    return [one for one in attachments if json.dumps(one["url"]) not in shown]


def _media(component: Payload) -> list[tuple[str, Payload]]:
    items = component.get("items")
    places: list[tuple[str, object]] = [(name, component.get(name)) for name in ("media", "file")]
    if isinstance(items, list):
        places += [("items.media", one.get("media")) for one in items if isinstance(one, dict)]
    return [(name, one) for name, one in places if isinstance(one, dict)]


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)
