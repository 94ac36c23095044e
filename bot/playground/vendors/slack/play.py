"""The people's side, under `_play/`: what each person sees and does. JSON in, JSON out; the playground's page uses it.

Every POST must be `application/json`, so that a form on a foreign page cannot drive it.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from bot.playground.vendors.slack.consent import COOKIE, ConsentPages, set_cookie
from bot.playground.vendors.slack.html import message_to_html, view_to_html
from bot.playground.vendors.slack.interactions import Actor, Interactions
from bot.playground.vendors.slack.render import Names, live_parts, message_to_text
from bot.playground.vendors.slack.sockets import SocketMode
from bot.playground.vendors.slack.state import SLACKBOT, Conversation, Message, SlackState, View, Workspace
from bot.playground.vendors.slack.wire import Json, RefusedError

CSS_PATH = Path(__file__).with_name("slack.css")
FORMS_PATH = Path(__file__).with_name("forms.js")
_LONGEST_POLL = 30.0
Action: TypeAlias = Callable[[Json], Awaitable[Json]]


async def read_json(request: web.Request) -> Json:
    """The body of a control call."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    try:
        body = await request.json()
    except ValueError as problem:
        raise web.HTTPBadRequest(text="not JSON") from problem
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="not an object")
    return body


def control(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that answers 400 with `{"error": …}` where the action is refused or an argument is missing."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await action(await read_json(request)))
        except RefusedError as refused:
            return web.json_response({"error": refused.error, **refused.detail}, status=400)
        except KeyError as missing:
            return web.json_response({"error": f"missing {missing.args[0]}"}, status=400)

    return handle


def in_threads(messages: list[Message]) -> list[Message]:
    """The messages with the replies to each right after it."""
    replies: dict[tuple[str, str], list[Message]] = {}
    for each in messages:
        if each.thread_ts not in (None, each.ts):
            replies.setdefault((each.channel_id, each.thread_ts or ""), []).append(each)
    there = {(each.channel_id, each.ts) for each in messages}
    ordered = []
    for each in messages:
        if each.thread_ts in (None, each.ts):
            ordered += [each, *replies.get((each.channel_id, each.ts), [])]
        elif (each.channel_id, each.thread_ts) not in there:  # what it answered was deleted
            ordered.append(each)
    return ordered


class People:
    """What people see and do."""

    def __init__(self, state: SlackState, interactions: Interactions, sockets: SocketMode, pages: ConsentPages) -> None:
        self._state = state
        self._interactions = interactions
        self._sockets = sockets
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """The routes, without prefix."""
        posts: dict[str, Action] = {
            "type": self.type_text,
            "press": self.press,
            "press-view": self.press_view,
            "submit": self.submit,
            "close": self.close,
            "home": self.open_home,
        }
        return [
            web.get("/_play/state", self.overview),
            web.get("/_play/history", self.history),
            web.get("/_play/view", self.view),
            web.get("/_play/home", self.home),
            web.get("/_play/changes", self.changes),
            web.get("/_play/slack.css", self.css),
            web.get("/_play/forms.js", self.forms),
            web.post("/_play/sign-in", self.sign_in),
            web.post("/_play/sign-out", self.sign_out),
            *(web.post(f"/_play/{name}", control(action)) for name, action in posts.items()),
        ]

    async def css(self, _request: web.Request) -> web.FileResponse:
        """The style sheet for `html`."""
        return web.FileResponse(CSS_PATH)

    async def forms(self, _request: web.Request) -> web.FileResponse:
        """The script that reads what stands in a form of `html`, for a page that submits it."""
        return web.FileResponse(FORMS_PATH)

    async def overview(self, request: web.Request) -> web.Response:
        """Workspaces with people and conversations, who is signed in at this browser, open sockets, revision."""
        who = self._pages.who(request)
        answer: Json = {
            "app": {
                "id": self._state.app.app_id,
                "name": self._state.app.name,
                "commands": list(self._state.app.commands),
            },
            "workspaces": [self._workspace(each) for each in self._state.workspaces.values()],
            "signed_in": {"team": who[0].id, "user": who[1].id} if who else None,
            "sockets": self._sockets.connections,
            "revision": self._state.changes.revision,
        }
        return web.json_response(answer)

    def _workspace(self, space: Workspace) -> Json:
        users = [
            {
                "id": u.id,
                "name": u.name,
                "real_name": u.real_name,
                "email": u.email,
                "tz": u.tz,
                "is_bot": u.is_bot,
                "is_restricted": u.is_restricted or u.is_ultra_restricted,
                "home_team": u.home_team,
                "deleted": u.deleted,
                "dm": "D" + u.id[1:],
            }
            for u in space.users.values()
        ]
        channels = [
            {
                "id": c.id,
                "name": c.config.name,
                "members": list(c.members),
                "is_private": c.config.is_private,
                "is_ext_shared": c.config.is_ext_shared,
                "is_archived": c.config.is_archived,
                "bot_is_member": c.config.bot_is_member,
            }
            for c in space.conversations.values()
            if not c.im_user
        ]
        about = {"team": space.id, "name": space.config.name, "domain": space.config.domain}
        installed = self._state.tokens.installed(space.id)
        return about | {
            "installed": installed,
            "bot_user": space.config.bot_user_id,
            "users": users,
            "channels": channels,
        }

    def _place(self, values: Json) -> Actor:
        """The person and the conversation of a call; `channel` is an id or `dm`. Refused to those not in it."""
        space = self._state.workspace(values["team"])
        user = space.user(values["user"])
        if user.deleted:
            raise RefusedError("user_disabled")
        channel: str = values["channel"]
        conversation: Conversation | None
        if channel in ("dm", "D" + user.id[1:]):
            conversation = space.direct(user.id)
        else:
            conversation = space.conversations.get(channel)
        if conversation is None or user.id not in conversation.members:
            raise RefusedError("channel_not_found")
        return Actor(workspace=space, user=user, conversation=conversation)

    def names(self, space: Workspace, tz: str = "UTC") -> Names:
        """Names by id, for rendering; `tz` is the reader's zone."""
        users = {u.id: u.name for u in space.users.values()} | {space.config.bot_user_id: self._state.app.name}
        channels = {c.id: c.config.name for c in space.conversations.values() if not c.im_user}
        return Names(users=users, channels=channels, tz=tz)

    async def history(self, request: web.Request) -> web.Response:
        """A conversation as one person sees it: `team`, `channel` (or `dm`), `user`."""
        try:
            who = self._place(dict(request.query))
        except KeyError as missing:
            return web.json_response({"error": f"missing {missing.args[0]}"}, status=400)
        except RefusedError as refused:
            return web.json_response({"error": refused.error}, status=400)
        seen = [
            self._seen(who, each)
            for each in in_threads(who.workspace.messages)
            if each.channel_id == who.conversation.id and who.workspace.sees(who.user.id, each)
        ]
        revision = self._state.changes.revision
        return web.json_response({"channel": who.conversation.id, "messages": seen, "revision": revision})

    def _seen(self, who: Actor, message: Message) -> Json:
        space = who.workspace
        wire = self._state.message_wire(space, message)
        author = space.users.get(message.author)
        name = author.real_name if author else self._state.app.name
        if message.author == SLACKBOT:
            name = "Slackbot"
        names = self.names(space, who.user.tz)
        options = {**wire, "options": message.options}
        about: Json = {
            "author": name,
            "from_app": message.from_app,
            "ephemeral": message.only_for is not None,
            "is_edited": message.edited_ts is not None,
            "options": message.options,
        }
        live = [{"kind": part.kind, "target": part.target, "label": part.label} for part in live_parts(options)]
        rendered = message_to_text(options, names)
        page = message_to_html(options | about, names)
        return wire | about | {"live": live, "rendered": rendered, "html": page}

    async def type_text(self, values: Json) -> Json:
        """Send what a person typed: a message, or a slash command when it begins with `/`.

        `thread_ts` makes it a reply to that message; Slack takes no commands there.
        """
        who = self._place(values)
        text: str = values["text"]
        thread: str | None = values.get("thread_ts")
        if text.startswith("/") and thread is not None:
            raise RefusedError("command_not_supported_in_threads")
        if thread is not None and who.workspace.find(who.conversation.id, thread) is None:
            raise RefusedError("thread_not_found")
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            return await self._interactions.command(who, command, rest.strip())
        if who.conversation.config.is_archived:
            raise RefusedError("is_archived")
        message = Message(
            ts=who.workspace.next_ts(), channel_id=who.conversation.id, author=who.user.id, text=text, thread_ts=thread
        )
        self._state.add_message(who.workspace, message)
        return {"error": None, "ts": message.ts}

    async def press(self, values: Json) -> Json:
        """Press a button (`action_id`, perhaps `block_id`) or choose (`value`) in the message `ts`."""
        who = self._place(values)
        block_id, chosen = values.get("block_id"), values.get("value")
        return await self._interactions.press(who, values["ts"], values["action_id"], block_id, chosen)

    def _view(self, values: Json) -> tuple[Workspace, View]:
        space = self._state.workspace(values["team"])
        view = space.views.get(values["view_id"])
        if view is None or view.user_id != values["user"]:
            raise RefusedError("not_found")
        return space, view

    async def press_view(self, values: Json) -> Json:
        """The same in the modal or Home `view_id`; `values` is what its fields hold (see `submit`)."""
        _, view = self._view(values)
        return await self._interactions.press_in_view(view, values, values.get("values", {}))

    async def submit(self, values: Json) -> Json:
        """Submit the modal `view_id` with `values` = `{block_id: {action_id: chosen}}`; returns `errors` by block."""
        space, view = self._view(values)
        return await self._interactions.submit(space, view, values["values"])

    async def close(self, values: Json) -> Json:
        """Close the modal `view_id`."""
        await self._interactions.close(*self._view(values))
        return {"error": None}

    async def open_home(self, values: Json) -> Json:
        """Open the app's Home (or another `tab`)."""
        space = self._state.workspace(values["team"])
        event_id = self._interactions.open_home(space, space.user(values["user"]), values.get("tab", "home"))
        return {"error": None, "event_id": event_id}

    async def view(self, request: web.Request) -> web.Response:
        """The modal on top for `team` and `user`."""
        return self._shown(request, lambda space, user: (space.modals.get(user) or [""])[-1])

    async def home(self, request: web.Request) -> web.Response:
        """App Home as published for `team` and `user`."""
        return self._shown(request, lambda space, user: space.homes.get(user, ""))

    def _shown(self, request: web.Request, choose: Callable[[Workspace, str], str]) -> web.Response:
        try:
            space = self._state.workspace(request.query.get("team", ""))
            user = space.user(request.query.get("user", ""))
        except RefusedError as refused:
            return web.json_response({"error": refused.error}, status=400)
        view = space.views.get(choose(space, user.id))
        if view is None:
            return web.json_response({"view": None, "html": ""})
        names = self.names(space, user.tz)
        page = view_to_html(view.wire, names, filled=view.filled, errors=view.errors)
        return web.json_response({"view": view.wire, "html": page, "errors": view.errors})

    async def sign_in(self, request: web.Request) -> web.Response:
        """Say who is at the authorize pages: for every browser, or with `browser: true` for the caller's alone."""
        values = await read_json(request)
        try:
            space = self._state.workspace(values.get("team", ""))
            user = space.user(values.get("user", ""))
        except RefusedError as refused:
            return web.json_response({"error": refused.error}, status=400)
        response = web.json_response({"error": None})
        if values.get("browser"):
            set_cookie(response, space.id, user.id, self._state.base_url)
        else:
            self._state.signed_in = (space.id, user.id)
            self._state.changes.add("signed_in", team=space.id, user=user.id)
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """Nobody is signed in, at this browser and for all others without a cookie."""
        await read_json(request)
        self._state.signed_in = None
        response = web.json_response({"error": None})
        if COOKIE in request.cookies:
            set_cookie(response, "", "", self._state.base_url)
        self._state.changes.add("signed_in", team=None, user=None)
        return response

    async def changes(self, request: web.Request) -> web.StreamResponse:
        """What changed after revision `after`: waits for it (`timeout`, 30 s at most), or streams with SSE's Accept."""
        try:
            after = int(request.headers.get("Last-Event-ID") or request.query.get("after", "0"))
            seconds = min(float(request.query.get("timeout", "25")), _LONGEST_POLL)
        except ValueError:
            return web.json_response({"error": "after and timeout are numbers"}, status=400)
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await self._stream(request, after)
        found = await self._state.changes.wait(after, seconds)
        return web.json_response({"revision": self._state.changes.revision, "changes": found})

    async def _stream(self, request: web.Request, after: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        try:
            while not self._state.changes.closed:
                found = await self._state.changes.wait(after, _LONGEST_POLL)
                for change in found:
                    after = change["revision"]
                    await response.write(f"id: {after}\ndata: {json.dumps(change)}\n\n".encode())
                if not found:
                    await response.write(b": still here\n\n")
        except ConnectionError:
            pass  # the page was closed
        return response
