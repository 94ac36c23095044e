"""The forms that all of Meta's Graph API share: errors, proofs, cursors, picked fields."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping

from aiohttp import web

from .wire import json_answer
from .world import App


def graph_error(
    code: int,
    message: str,
    *,
    subcode: int | None = None,
    kind: str = "OAuthException",
    status: int = 400,
    transient: bool = False,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """An error in the Graph API's form; `kind` is its `type`, on which no client should rely."""
    body: dict[str, object] = {"message": message, "type": kind, "code": code}
    if subcode is not None:
        body["error_subcode"] = subcode
    if transient:
        body["is_transient"] = True
    return json_answer({"error": {**body, "fbtrace_id": secrets.token_urlsafe(8)}}, status, headers)


def app_proof(app: App, value: str) -> str:
    """Meta's `appsecret_proof` of an access token."""
    return hmac.new(app.secret.encode(), value.encode(), hashlib.sha256).hexdigest()


def signed_request(app: App, payload: Mapping[str, object]) -> str:
    """The `signed_request` form that Meta posts to an app: `<signature>.<payload>`, both base64url without padding."""
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=")
    signature = hmac.new(app.secret.encode(), body, hashlib.sha256).digest()
    return f"{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}.{body.decode()}"


def presented_token(request: web.Request) -> str:
    """The access token of a request, from its header or its query."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value if scheme == "Bearer" else request.query.get("access_token", "")


def picked(request: web.Request, body: Mapping[str, object], default: str) -> dict[str, object]:
    """The fields asked for; the id always."""
    names = request.query.get("fields", default).split(",")
    return {name: value for name, value in body.items() if name in names or name == "id"}


def cursor_at(position: int) -> str:
    """The opaque cursor of a place in a list."""
    return base64.urlsafe_b64encode(f"after:{position}".encode()).decode()


def position_of(cursor: str) -> int | None:
    """The place that a cursor stands for, or None."""
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except ValueError:
        return None
    number = text.removeprefix("after:")
    return int(number) if number.isdecimal() else None
