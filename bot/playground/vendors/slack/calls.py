"""One call of the Web API as its methods see it: who calls, with which arguments, in which encoding they came."""

import base64
import json
from dataclasses import dataclass, field

from aiohttp import web

from bot.playground.vendors.slack.state import Conversation, SlackState, Workspace
from bot.playground.vendors.slack.tokens import BotToken
from bot.playground.vendors.slack.wire import Json, RefusedError

_TRUE = {"true", "1", "t", "yes"}
MAX_BODY = 2 * 1024 * 1024


@dataclass(slots=True)
class Arguments:
    """Arguments of a call. Forms carry JSON inside strings; JSON bodies carry it either way, and Slack takes both."""

    values: Json
    basic: tuple[str, str] | None = None
    """Client id and secret from HTTP Basic, for the two OAuth methods."""
    form_token: str | None = None
    warnings: list[str] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        """A string, or None when it is absent; numbers are taken as their digits."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, (dict, list)):
            raise RefusedError("invalid_arguments", f"[ERROR] must be a string [json-pointer:/{name}]")
        return str(value)

    def required(self, name: str) -> str:
        """A string that has to be there."""
        if value := self.text(name):
            return value
        raise RefusedError("invalid_arguments", f"[ERROR] missing required field: {name} [json-pointer:/{name}]")

    def flag(self, name: str) -> bool:
        """A boolean, as JSON or as a form's word."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else str(value).lower() in _TRUE

    def json(self, name: str, error: str = "invalid_arguments") -> object:
        """A structure, or None when it is absent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as problem:
            raise RefusedError(error, f"[ERROR] must be valid JSON [json-pointer:/{name}]") from problem

    @property
    def client(self) -> tuple[str, str]:
        """Client id and secret, from Basic or from the form."""
        return self.basic or (self.text("client_id") or "", self.text("client_secret") or "")


@dataclass(slots=True)
class Call:
    """A call whose token was accepted: `workspace` is the token's own, or the one of its organization that is meant."""

    state: SlackState
    workspace: Workspace
    args: Arguments
    scopes: tuple[str, ...]

    def conversation(self, name: str = "channel") -> Conversation:
        """The conversation that the argument names, seen with the bot's eyes."""
        found = self.workspace.conversations.get(self.args.required(name))
        if found is None or (found.config.is_private and not found.im_user and not found.config.bot_is_member):
            raise RefusedError("channel_not_found")
        return found


def workspace_of(state: SlackState, token: BotToken, args: Arguments) -> Workspace:
    """The workspace that a call is about.

    A token of an organization acts where `team_id` says, else where the channel, the person or the trigger belongs;
    refused with `team_access_not_granted` where its administrators did not add the app.
    """
    if not token.is_org:
        return state.workspace(token.team_id)
    granted = state.tokens.granted[token.team_id]
    own = [each for each in state.workspaces.values() if each.enterprise and each.enterprise.id == token.team_id]
    if named := args.text("team_id"):
        own = [each for each in own if each.id == named]
        if not own:
            raise RefusedError("team_not_found")
    elif (trigger := args.text("trigger_id")) and (team := state.tickets.team_of_trigger(trigger)):
        own = [each for each in own if each.id == team]
    elif place := args.text("channel") or args.text("user") or args.text("user_id"):
        own = [each for each in own if place in each.users or place in each.conversations] or own
    reached = [each for each in own if each.id in granted]
    if not reached:
        raise RefusedError("team_access_not_granted")
    return reached[0]


async def read_arguments(request: web.Request) -> Arguments:
    """Parse query and body; refused with the errors that Slack names for each way to get it wrong.

    slack_sdk puts some methods' arguments into the query of a POST, so both are read; a token there is no token.
    """
    found = await _read_body(request)
    found.basic = _basic(request)
    found.values = {k: v for k, v in request.query.items() if k != "token"} | found.values
    return found


async def _read_body(request: web.Request) -> Arguments:
    raw = await request.read() if request.method == "POST" else b""
    if not raw:
        return Arguments({})
    if request.content_type == "application/json":
        return _from_json(raw, request.charset)
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return await _from_form(request)
    raise RefusedError("invalid_post_type")


def _from_json(raw: bytes, charset: str | None) -> Arguments:
    try:
        values = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise RefusedError("invalid_charset") from problem
    except (ValueError, RecursionError) as problem:
        raise RefusedError("invalid_json") from problem
    if not isinstance(values, dict):
        raise RefusedError("json_not_object")
    values.pop("token", None)  # Slack takes a token in JSON from the header alone
    return Arguments(values, warnings=[] if charset else ["missing_charset"])


async def _from_form(request: web.Request) -> Arguments:
    values: Json = {}
    for name, value in (await request.post()).items():
        if name in values:
            raise RefusedError("invalid_form_data")
        values[name] = value
    token = values.pop("token", None)
    return Arguments(values, form_token=token if isinstance(token, str) else None)


def _basic(request: web.Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return name, secret
