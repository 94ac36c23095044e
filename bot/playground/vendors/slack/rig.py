"""The test rig's side, under `_play/`: faults, logs, clock, membership, uninstalling, events sent twice or forged."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

from aiohttp import web

from bot.playground.vendors.slack.config import AppConfig, ChannelConfig, LimitConfig, UserConfig
from bot.playground.vendors.slack.faults import Fault, FaultKind
from bot.playground.vendors.slack.methods_people import user_object
from bot.playground.vendors.slack.outbound import Outbound
from bot.playground.vendors.slack.play import Action, control
from bot.playground.vendors.slack.sockets import SocketMode
from bot.playground.vendors.slack.state import Conversation, SlackState
from bot.playground.vendors.slack.tokens import TokenState
from bot.playground.vendors.slack.wire import Json, RefusedError, new_id


def _only(values: Json, kind: type, *left_out: str) -> Json:
    """The values that are fields of a configuration class, lists as tuples; refused when another one is named."""
    known = {each.name for each in fields(kind)}
    chosen = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k not in left_out}
    if unknown := set(chosen) - known:
        raise RefusedError("invalid_arguments", *sorted(unknown))
    return chosen


class Rig:
    """What a test changes or asks that no person at Slack could."""

    def __init__(self, state: SlackState, outbound: Outbound, sockets: SocketMode) -> None:
        self._state = state
        self._outbound = outbound
        self._sockets = sockets

    def routes(self) -> list[web.RouteDef]:
        """The routes, without prefix."""
        posts: dict[str, Action] = {
            "faults": self.fault,
            "faults/clear": self.clear,
            "faults/release": self.release,
            "clock": self.clock,
            "limits": self.limits,
            "app": self.app,
            "users": self.user,
            "channels": self.channel,
            "channels/delete": self.delete_channel,
            "org-teams": self.org_teams,
            "uninstall": self.uninstall,
            "revoke": self.revoke,
            "event": self.event,
            "url-verification": self.url_verification,
            "forge": self.forge,
            "socket/disconnect": self.disconnect,
        }
        lists: dict[str, Callable[[], list[Json]]] = {
            "accepted": lambda: self._state.accepted,
            "replies": lambda: self._state.replies,
            "problems": lambda: self._state.problems,
        }
        return [
            *(web.post(f"/_play/{name}", control(action)) for name, action in posts.items()),
            *(web.get(f"/_play/{name}", _lister(read)) for name, read in lists.items()),
        ]

    async def fault(self, values: Json) -> Json:
        """Let the next calls of a method fail; the fields are those of `faults.Fault`."""
        try:
            kind = FaultKind(values["kind"])
        except ValueError as problem:
            raise RefusedError("unknown_fault") from problem
        self._state.faults.add(Fault(**(_only(values, Fault) | {"kind": kind})))
        return {"error": None}

    async def clear(self, _values: Json) -> Json:
        """No more faults."""
        self._state.faults.clear()
        return {"error": None}

    async def release(self, _values: Json) -> Json:
        """Answer the calls that hang."""
        self._state.faults.release()
        return {"error": None}

    async def clock(self, values: Json) -> Json:
        """Move the clock by which codes, tokens, triggers, response addresses and limits are judged."""
        self._state.skew += float(values["advance"])
        return {"error": None, "skew": self._state.skew}

    async def limits(self, values: Json) -> Json:
        """Change rate limits; the fields are those of `LimitConfig`."""
        self._state.limits.limits = replace(self._state.limits.limits, **_only(values, LimitConfig))
        return {"error": None}

    async def app(self, values: Json) -> Json:
        """Change the app's settings; the fields are those of `AppConfig`."""
        self._state.set_app(**_only(values, AppConfig))
        return {"error": None}

    async def user(self, values: Json) -> Json:
        """Change or add a person (`team`, `id`, then fields of `UserConfig`); tells the app with `user_change`."""
        space = self._state.workspace(values["team"])
        changes = _only(values, UserConfig, "team")
        old = space.users.get(changes["id"])
        user = space.users[changes["id"]] = replace(old, **changes) if old else UserConfig(**changes)
        self._state.changes.add("user", team=space.id, user=user.id)
        if old:
            whole = user_object(space, user, self._state.app.scopes)
            self._outbound.event(space.id, {"type": "user_change", "user": whole, "event_ts": space.next_ts()})
        return {"error": None}

    async def channel(self, values: Json) -> Json:
        """Change or add a channel (`team`, `id`, then fields of `ChannelConfig`); the app is told what Slack tells."""
        space = self._state.workspace(values["team"])
        changes = _only(values, ChannelConfig, "team")
        old = space.conversations.get(changes["id"])
        config = replace(old.config, **changes) if old else ChannelConfig(**changes)
        if old:
            for event in channel_events(old.config, config, space.config.bot_user_id):
                self._outbound.event(space.id, event | {"event_ts": space.next_ts()})
        space.conversations[config.id] = Conversation(id=config.id, config=config)
        self._state.changes.add("channel", team=space.id, channel=config.id)
        return {"error": None}

    async def delete_channel(self, values: Json) -> Json:
        """Delete a channel (`team`, `id`) with all that was said in it."""
        space = self._state.workspace(values["team"])
        gone = space.conversations.pop(values["id"], None)
        if gone is None:
            raise RefusedError("channel_not_found")
        space.messages = [each for each in space.messages if each.channel_id != gone.id]
        kind = "group_deleted" if gone.config.is_private else "channel_deleted"
        self._outbound.event(space.id, {"type": kind, "channel": gone.id, "event_ts": space.next_ts()})
        self._state.changes.add("channel", team=space.id, channel=gone.id)
        return {"error": None}

    async def org_teams(self, values: Json) -> Json:
        """Add the app to workspaces of an organization, or take it away (`enterprise`, `teams`, `added`)."""
        org, teams = self._state.enterprise(values["enterprise"]), [str(each) for each in values["teams"]]
        for each in teams:
            own = self._state.workspace(each).enterprise
            if own is None or own.id != org.id:
                raise RefusedError("team_not_found")
        added = bool(values.get("added", True))
        granted = self._state.tokens.granted[org.id]
        granted.update(teams) if added else granted.difference_update(teams)
        kind = "team_access_granted" if added else "team_access_revoked"
        self._tell(org.id, {"type": kind, "team_ids": teams})
        return {"error": None}

    def _tell(self, owner: str, event: Json) -> None:
        """Send an event of a workspace's or an organization's installation, if the app subscribed to it."""
        if event["type"] in self._state.app.events:
            self._outbound.event_payload(self._outbound.wrap(owner, event, new_id("Ev")))

    async def uninstall(self, values: Json) -> Json:
        """Uninstall the app from a workspace or organization: both lifecycle events, in the `order` given.

        Slack promises no order, and may send one twice: name it twice.
        """
        owner: str = values["team"]
        if owner in self._state.enterprises:
            bot = self._state.enterprise(owner).bot_user_id
        else:
            bot = self._state.workspace(owner).config.bot_user_id
        bodies: dict[str, Json] = {
            "app_uninstalled": {"type": "app_uninstalled"},
            "tokens_revoked": {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}},
        }
        for name in values.get("order", ["tokens_revoked", "app_uninstalled"]):
            self._tell(owner, bodies[name])
        self._state.tokens.revoke(owner, TokenState.UNINSTALLED)
        self._state.changes.add("uninstalled", team=owner)
        return {"error": None}

    async def revoke(self, values: Json) -> Json:
        """End a workspace's tokens without a word, as an administrator may."""
        self._state.tokens.revoke(values["team"], TokenState.REVOKED)
        return {"error": None}

    async def event(self, values: Json) -> Json:
        """Send any event (`team`, `event`, perhaps `event_id` to send the same one again)."""
        event_id = values.get("event_id") or new_id("Ev")
        self._outbound.event_payload(self._outbound.wrap(values["team"], values["event"], event_id))
        return {"error": None, "event_id": event_id}

    async def url_verification(self, _values: Json) -> Json:
        """Send a challenge to the events address; says whether it came back."""
        return {"verified": await self._outbound.verify_url()}

    async def forge(self, values: Json) -> Json:
        """POST a `body` to the address of `kind` with another `signature` or `timestamp`; returns how it went."""
        headers = {"Content-Type": values.get("content_type", "application/x-www-form-urlencoded")}
        ack = await self._outbound.deliver_raw(
            values["kind"],
            values["body"].encode(),
            headers,
            signature=values.get("signature"),
            timestamp=values.get("timestamp"),
        )
        return {"error": ack.error, "body": ack.body}

    async def disconnect(self, values: Json) -> Json:
        """Send `disconnect` on every socket; all but `warning` close it as well."""
        await self._sockets.disconnect(values.get("reason", "refresh_requested"))
        return {"error": None}


def channel_events(old: ChannelConfig, new: ChannelConfig, bot: str) -> list[Json]:
    """What Slack tells an app of a change of a channel that it is in."""
    kind = "group" if new.is_private else "channel"
    found: list[Json] = []
    if new.name != old.name:
        found.append({"type": f"{kind}_rename", "channel": {"id": new.id, "name": new.name, "created": 1_700_000_000}})
    if new.is_archived != old.is_archived:
        found.append({"type": f"{kind}_{'archive' if new.is_archived else 'unarchive'}", "channel": new.id})
    if old.bot_is_member and not new.bot_is_member:
        found.append({"type": f"{kind}_left", "channel": new.id})
    if new.bot_is_member and not old.bot_is_member:
        found.append({"type": "member_joined_channel", "channel": new.id, "user": bot})
    return found


def _lister(read: Callable[[], list[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(read())

    return handle
