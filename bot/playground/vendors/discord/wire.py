"""JSON over HTTP as Discord speaks it: payloads, refusals, and the exact Content-Type that its clients insist on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Payload = dict[str, Any]
"""A JSON object of Discord's API. This package exists to read and write them raw, hence the one loose type."""
FILE_FIELD = re.compile(r"files\[(\d{1,9})\]")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart request; `number` is the n of its field `files[n]`."""

    number: int
    filename: str
    content_type: str
    data: bytes


class ApiError(Exception):
    """A refusal in Discord's form: HTTP status, JSON error code, message, and per-field errors where it has them."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: Payload | None = None,
        extra: Payload | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.extra = extra or {}
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        body: Payload = {"message": self.message, "code": self.code, **self.extra}
        if self.errors:
            body["errors"] = self.errors
        return reply(body, status=self.status, headers=self.headers)


@dataclass(slots=True)
class FormErrors:
    """Collects what is wrong with a body, in the nested form of code 50035."""

    tree: Payload = field(default_factory=dict)

    def add(self, path: str, code: str, message: str) -> None:
        """Note one fault at a dotted path such as `components.0.url`."""
        node = self.tree
        for part in path.split("."):
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def longer(self, path: str, value: object, limit: int, *, least: int = 0) -> None:
        """Note a string outside its length, counted in code points as Discord counts; or a value that is none."""
        if not isinstance(value, str):
            self.add(path, "BASE_TYPE_STRING", "This field must be a string.")
        elif not least <= len(value) <= limit:
            if least:
                self.add(
                    path,
                    "BASE_TYPE_BAD_LENGTH",
                    f"Must be between {least} and {limit} in length.",
                )
            else:
                self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def raise_any(self) -> None:
        if self.tree:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self.tree)


def invalid_form(path: str, code: str, message: str) -> ApiError:
    """One fault in a body as code 50035."""
    errors = FormErrors()
    errors.add(path, code, message)
    return ApiError(400, 50035, "Invalid Form Body", errors=errors.tree)


def reply(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer. discord.py parses it only when the Content-Type is `application/json` and nothing more."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def no_content() -> web.Response:
    return web.Response(status=204)


def snowflake(value: object, path: str) -> int:
    """A snowflake from the wire, or 50035."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise invalid_form(path, "NUMBER_TYPE_COERCE", f'Value "{text[:40]}" is not snowflake.')
    return int(text)


def path_id(request: web.Request, name: str) -> int:
    return snowflake(request.match_info[name], name)


def _parse(text: str) -> object:
    try:
        data: object = json.loads(text, parse_constant=_no_constant)
        # An escaped lone surrogate passes json.loads but is no text; encoding finds it.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from None
    return data


def _no_constant(name: str) -> object:
    raise ValueError(name)


async def read_json(request: web.Request) -> object:
    """The JSON body of a request; refused unless it is declared as such, as Discord does."""
    if request.content_type != "application/json":
        raise invalid_form(
            "_",
            "CONTENT_TYPE_INVALID",
            'Expected "Content-Type" header to be one of {application/json}.',
        )
    try:
        return _parse(await request.text())
    except UnicodeDecodeError:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from None


async def read_object(request: web.Request) -> Payload:
    data = await read_json(request)
    if not isinstance(data, dict):
        raise invalid_form("_", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    return data


async def read_message_body(request: web.Request) -> tuple[Payload, list[Upload]]:
    """A message body: plain JSON, or multipart with `payload_json` and `files[n]`."""
    if request.content_type != "multipart/form-data":
        return await read_object(request), []
    form = await request.post()
    payload: Payload = {}
    uploads: list[Upload] = []
    for name, value in form.items():
        if name == "payload_json" and isinstance(value, str):
            parsed = _parse(value)
            payload = parsed if isinstance(parsed, dict) else {}
        elif isinstance(value, web.FileField):
            number = FILE_FIELD.fullmatch(name)
            if number is None or any(one.number == int(number[1]) for one in uploads):
                raise invalid_form(name[:40], "BASE_TYPE_CHOICES", "Files are named files[n], each with another n.")
            uploads.append(Upload(int(number[1]), value.filename, value.content_type, value.file.read()))
    return payload, uploads
