"""`response_url` addresses: up to five answers in thirty minutes, to the person or to the channel, new or in place."""

import json

from aiohttp import web

from bot.playground.vendors.slack.methods_chat import content
from bot.playground.vendors.slack.state import Message, SlackState, Workspace
from bot.playground.vendors.slack.tickets import ResponseTicket
from bot.playground.vendors.slack.wire import Json, RefusedError

_KNOWN = {
    "text",
    "blocks",
    "attachments",
    "response_type",
    "replace_original",
    "delete_original",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
    "metadata",
    "mrkdwn",
    "parse",
    "link_names",
}


async def apply_response(state: SlackState, ticket: ResponseTicket, body: Json) -> None:
    """Carry out one answer; refused with Slack's error when it is not a good one."""
    if unknown := set(body) - _KNOWN:
        raise RefusedError(
            "invalid_payload", *(f"[ERROR] additional property not allowed: {name}" for name in sorted(unknown))
        )
    kind = body.get("response_type") or "ephemeral"
    if kind not in ("ephemeral", "in_channel"):
        raise RefusedError("invalid_response_type")
    workspace = state.workspace(ticket.team_id)
    original = workspace.find(ticket.channel_id, ticket.message_ts) if ticket.message_ts else None
    if body.get("delete_original") is True:
        if set(body) != {"delete_original"}:  # Slack's page calls it the sole attribute
            raise RefusedError("invalid_payload")
        _delete(state, workspace, original)
        return
    found = content(body)
    await state.images.check(found.get("blocks"), state.app.image_addresses)
    if body.get("replace_original") is True and ticket.message_ts is not None:
        if original is None:
            raise RefusedError("message_not_found")
        if original.only_for and kind == "in_channel" and "response_type" in body:
            raise RefusedError("cannot_change_response_type")
        _replace(state, workspace, original, found)
        return
    _add(state, workspace, ticket, found, public=kind == "in_channel", body=body)


def _add(
    state: SlackState, workspace: Workspace, ticket: ResponseTicket, found: Json, *, public: bool, body: Json
) -> None:
    if public and ticket.typed:
        typed = Message(ts=workspace.next_ts(), channel_id=ticket.channel_id, author=ticket.user_id, text=ticket.typed)
        state.add_message(workspace, typed)
        ticket.typed = None
    message = Message(
        ts=workspace.next_ts(),
        channel_id=ticket.channel_id,
        author=workspace.config.bot_user_id,
        from_app=True,
        only_for=None if public else ticket.user_id,
        thread_ts=body.get("thread_ts"),
        options={k: body[k] for k in ("unfurl_links", "unfurl_media", "mrkdwn", "parse", "link_names") if k in body},
        **found,
    )
    state.add_message(workspace, message)
    if ticket.message_ts is None:  # later answers to the same command may replace the first
        ticket.message_ts = message.ts


def _replace(state: SlackState, workspace: Workspace, original: Message, found: Json) -> None:
    original.text = found.get("text", "")
    original.blocks = found.get("blocks", [])
    original.attachments = found.get("attachments", [])
    if not original.only_for:
        original.edited_ts = workspace.next_ts()
    state.told("message_changed", workspace, original)


def _delete(state: SlackState, workspace: Workspace, original: Message | None) -> None:
    if original is None:
        raise RefusedError("message_not_found")
    workspace.messages.remove(original)
    state.told("message_deleted", workspace, original)


class ResponseUrls:
    """Serves `/commands/{team}/{secret}` and `/actions/{team}/{secret}`."""

    def __init__(self, state: SlackState) -> None:
        self._state = state

    async def handle(self, request: web.Request) -> web.Response:
        """One answer. Like Slack's: `ok` as text, or an error with 4xx."""
        fault = self._state.faults.take("response_url", request.match_info["team"])
        if fault is not None and not fault.takes_effect:
            return web.Response(text=fault.error, status=fault.status)
        record: Json = {"method": "response_url", "team": request.match_info["team"]}
        try:
            body = json.loads(await request.read())
            if not isinstance(body, dict):
                raise RefusedError("invalid_payload")
            ticket = self._state.tickets.use_response_url(request.match_info["secret"])
            await apply_response(self._state, ticket, body)
        except (ValueError, RecursionError):
            return self._refused(record, "invalid_payload", 400)
        except RefusedError as refused:
            status = 404 if refused.error in ("invalid_url", "expired_url", "used_url") else 400
            return self._refused(record, refused.error, status)
        self._state.accepted.append(record | {"args": body, "answer": {"ok": True}})
        self._state.replies.append(record | {"status": 200, "ok": True, "error": None})
        self._state.changes.add("call", method="response_url", ok=True, error=None)
        return web.Response(text="ok")

    def _refused(self, record: Json, error: str, status: int) -> web.Response:
        self._state.replies.append(record | {"status": status, "ok": False, "error": error})
        self._state.changes.add("call", method="response_url", ok=False, error=error)
        return web.json_response({"ok": False, "error": error}, status=status)
