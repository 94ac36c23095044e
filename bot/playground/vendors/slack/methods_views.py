"""`views.*`: modals by trigger id, at most three on top of each other, and App Home."""

import hashlib
import json

from bot.playground.vendors.slack.blocks import check_view
from bot.playground.vendors.slack.calls import Call
from bot.playground.vendors.slack.state import SlackState, View, Workspace
from bot.playground.vendors.slack.wire import Json, RefusedError, new_id

MAX_STACK = 3


def _dress(state: SlackState, workspace: Workspace, view_id: str, sent: Json, under: list[str]) -> Json:
    """The view as the API returns it; `under` are the ids of the modals beneath it, the lowest first."""
    wire: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "clear_on_close": False,
        "notify_on_close": False,
        "close": None,
        "submit": None,
        "title": None,
        **sent,
        "id": view_id,
        "team_id": workspace.id,
        "app_installed_team_id": state.tokens.serving(workspace.id) or workspace.id,
        "app_id": state.app.app_id,
        "bot_id": "B" + state.app.app_id[1:],
        "root_view_id": under[0] if under else view_id,
        "previous_view_id": under[-1] if under else None,
        "state": {"values": {}},
    }
    digest = hashlib.sha256(json.dumps(sent, sort_keys=True).encode() + new_id("").encode()).hexdigest()
    return wire | {"hash": f"{int(state.now())}.{digest[:8]}"}


def _own_external_id(workspace: Workspace, sent: Json, view_id: str | None) -> None:
    external = sent.get("external_id")
    if external and any(v.wire["external_id"] == external and v.id != view_id for v in workspace.views.values()):
        raise RefusedError("duplicate_external_id")


def put_modal(state: SlackState, workspace: Workspace, user_id: str, sent: Json, *, push: bool) -> View:
    """Open a modal, on top of the others where `push` says so. `sent` is checked already."""
    if sent["type"] != "modal":
        raise RefusedError("invalid_arguments", "[ERROR] must be a modal [json-pointer:/view/type]")
    stack = workspace.modals.get(user_id, []) if push else []
    if len(stack) >= MAX_STACK:
        raise RefusedError("push_limit_reached")
    _own_external_id(workspace, sent, None)
    view_id = new_id("V")
    wire = _dress(state, workspace, view_id, sent, stack)
    view = workspace.views[view_id] = View(id=view_id, user_id=user_id, wire=wire)
    workspace.modals[user_id] = [*stack, view_id]
    state.changes.add("view", team=workspace.id, user=user_id, view=view_id)
    return view


def replace_view(state: SlackState, workspace: Workspace, view: View, sent: Json) -> View:
    """Show other content in a view that stays the same view."""
    _own_external_id(workspace, sent, view.id)
    if sent["type"] != view.wire["type"]:
        raise RefusedError("invalid_arguments", "[ERROR] a view keeps its type [json-pointer:/view/type]")
    stack = workspace.modals.get(view.user_id, [])
    under = stack[: stack.index(view.id)] if view.id in stack else []
    view.wire = _dress(state, workspace, view.id, sent, under)
    view.filled, view.errors = {}, {}
    state.changes.add("view", team=workspace.id, user=view.user_id, view=view.id)
    return view


def drop_modals(state: SlackState, workspace: Workspace, user_id: str, *, only_top: bool) -> None:
    """Close a person's modals, or the top one."""
    stack = workspace.modals.get(user_id, [])
    for view_id in stack[-1:] if only_top else stack:
        workspace.views.pop(view_id, None)
    workspace.modals[user_id] = stack[:-1] if only_top else []
    state.changes.add("view", team=workspace.id, user=user_id, view=None)


async def _sent(call: Call) -> Json:
    """The view of a call, checked, its pictures fetched."""
    sent = check_view(call.args.json("view"))
    await call.state.images.check(sent["blocks"], call.state.app.image_addresses, "invalid_arguments")
    return sent


async def views_open(call: Call) -> Json:
    """`views.open`."""
    return await _open(call, push=False)


async def views_push(call: Call) -> Json:
    """`views.push`."""
    return await _open(call, push=True)


async def _open(call: Call, *, push: bool) -> Json:
    sent = await _sent(call)
    user_id = call.state.tickets.use_trigger(call.args.required("trigger_id"), call.workspace.id)
    return {"view": put_modal(call.state, call.workspace, user_id, sent, push=push).wire}


async def views_update(call: Call) -> Json:
    """`views.update`, by `view_id` or `external_id`; `hash` guards against a race."""
    sent = await _sent(call)
    view_id, external = call.args.text("view_id"), call.args.text("external_id")
    if bool(view_id) == bool(external):
        raise RefusedError(
            "invalid_arguments", "[ERROR] one of view_id, external_id is required [json-pointer:/view_id]"
        )
    found = [
        v for v in call.workspace.views.values() if v.id == view_id or (external and v.wire["external_id"] == external)
    ]
    if not found:
        raise RefusedError("not_found")
    _same_hash(call, found[0])
    return {"view": replace_view(call.state, call.workspace, found[0], sent).wire}


async def views_publish(call: Call) -> Json:
    """`views.publish`: App Home of one person."""
    sent = await _sent(call)
    if sent["type"] != "home":
        raise RefusedError("invalid_arguments", "[ERROR] must be a home view [json-pointer:/view/type]")
    user = call.workspace.user(call.args.required("user_id"))
    if user.deleted or user.is_bot:
        raise RefusedError("not_enabled" if user.is_bot else "user_not_found")
    home = call.workspace.views.get(call.workspace.homes.get(user.id, ""))
    if home is not None:
        _same_hash(call, home)
        return {"view": replace_view(call.state, call.workspace, home, sent).wire}
    _own_external_id(call.workspace, sent, None)
    view_id = new_id("V")
    wire = _dress(call.state, call.workspace, view_id, sent, [])
    call.workspace.views[view_id] = View(id=view_id, user_id=user.id, wire=wire)
    call.workspace.homes[user.id] = view_id
    call.state.changes.add("view", team=call.workspace.id, user=user.id, view=view_id)
    return {"view": wire}


def _same_hash(call: Call, view: View) -> None:
    if (expected := call.args.text("hash")) and expected != view.wire["hash"]:
        raise RefusedError("hash_conflict")
