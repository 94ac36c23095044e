"""What a person does in the client becomes the payload that Slack sends; the app's ack becomes what they see."""

import re
from dataclasses import dataclass

from bot.playground.vendors.slack.blocks import check_view, find_element
from bot.playground.vendors.slack.choices import chosen_action, url_of
from bot.playground.vendors.slack.config import UserConfig
from bot.playground.vendors.slack.forms import missing_fields, state_values
from bot.playground.vendors.slack.methods_views import drop_modals, put_modal, replace_view
from bot.playground.vendors.slack.outbound import Ack, Outbound
from bot.playground.vendors.slack.responses import apply_response
from bot.playground.vendors.slack.state import Conversation, Message, SlackState, View, Workspace
from bot.playground.vendors.slack.tickets import ResponseTicket
from bot.playground.vendors.slack.wire import Json, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person in a place, checked: they are a member of it."""

    workspace: Workspace
    user: UserConfig
    conversation: Conversation


class Interactions:
    """Commands, presses, submissions and App Home."""

    def __init__(self, state: SlackState, outbound: Outbound) -> None:
        self._state = state
        self._outbound = outbound

    async def command(self, who: Actor, command: str, text: str) -> Json:
        """Type a slash command. Returns `{"error": …}`: None, or what went wrong as Slack words it."""
        registered = self._state.app.commands
        space, user, place = who.workspace, who.user, who.conversation
        if (registered and command not in registered) or not self._state.tokens.installed(space.id):
            self._state.slackbot_says(space, place.id, user.id, f"{command} is not a valid command.")
            return {"error": "invalid_command"}
        if user.home_team:
            return {"error": "user_is_external"}  # Slack Connect gives strangers no commands of other workspaces
        if place.config.is_archived:
            return {"error": "is_archived"}
        ticket = self._ticket(who, typed=f"{command} {text}".strip())
        payload: Json = {
            "token": self._state.app.verification_token,
            "team_id": space.id,
            "team_domain": space.config.domain,
            "channel_id": place.id,
            "channel_name": "privategroup" if place.config.is_private and not place.im_user else place.config.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": self._escaped(space, text) if self._state.app.should_escape else text,
            "api_app_id": self._state.app.app_id,
            **self._enterprise_of_command(space),
            "response_url": f"{self._state.base_url}/commands/{space.id}/{ticket[1]}",
            "trigger_id": self._state.tickets.new_trigger(space.id, user.id),
        }
        ack = await self._outbound.send("command", payload)
        error = ack.error or await self._answered(who, ack, ticket[0])
        if error:
            self._state.slackbot_says(space, place.id, user.id, f'{command} failed with the error "{error}"')
        return {"error": error}

    def _enterprise_of_command(self, space: Workspace) -> Json:
        serving = self._state.tokens.serving(space.id) or ""
        about: Json = {"is_enterprise_install": "true" if serving.startswith("E") else "false"}
        if space.enterprise:
            about |= {"enterprise_id": space.enterprise.id, "enterprise_name": space.enterprise.name}
        return about

    async def _answered(self, who: Actor, ack: Ack, ticket: ResponseTicket) -> str | None:
        """Show the answer that came with the ack of a command."""
        if not ack.body:
            return None
        body: Json = ack.body if isinstance(ack.body, dict) else {"text": str(ack.body)}
        try:
            await apply_response(self._state, ticket, body)
        except RefusedError as refused:
            self._state.problem("command_ack", refused.error, detail=refused.detail)
            return "invalid_command_response"
        return None

    def _escaped(self, workspace: Workspace, text: str) -> str:
        """With "Escape channels, users, and links" on: entities for `&<>`, and ids for the names that people typed."""
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        users = {u.name: u.id for u in workspace.users.values()}
        channels = {c.config.name: c for c in workspace.conversations.values() if not c.im_user}

        def user(match: re.Match[str]) -> str:
            found = users.get(match[1])
            return f"<@{found}>" if found else match[0]

        def channel(match: re.Match[str]) -> str:
            found = channels.get(match[1])
            if found is None:
                return match[0]
            return f"<#{found.id}|{'' if found.config.is_private else found.config.name}>"

        return re.sub(r"(?<!\S)#([\w-]+)", channel, re.sub(r"(?<!\S)@([\w.-]+)", user, text))

    def _ticket(
        self, who: Actor, *, message: Message | None = None, typed: str | None = None
    ) -> tuple[ResponseTicket, str]:
        ticket = ResponseTicket(
            team_id=who.workspace.id,
            channel_id=who.conversation.id,
            user_id=who.user.id,
            expires_at=0.0,
            message_ts=message.ts if message else None,
            typed=typed,
        )
        return ticket, self._state.tickets.new_response_url(ticket)

    def _common(self, workspace: Workspace, user: UserConfig, kind: str) -> Json:
        is_org = (self._state.tokens.serving(workspace.id) or "").startswith("E")
        enterprise = workspace.enterprise
        team: Json = {"id": workspace.id, "domain": workspace.config.domain}
        if enterprise:
            team |= {"enterprise_id": enterprise.id, "enterprise_name": enterprise.name}
        home = user.home_team or workspace.id
        return {
            "type": kind,
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": home},
            "api_app_id": self._state.app.app_id,
            "token": self._state.app.verification_token,
            "trigger_id": self._state.tickets.new_trigger(workspace.id, user.id),
            "team": team,
            "enterprise": {"id": enterprise.id, "name": enterprise.name} if enterprise else None,
            "is_enterprise_install": is_org,
        }

    def _common_of_view(self, space: Workspace, view: View, kind: str) -> Json:
        """The same for a view. Where the app is installed for an organization Slack may leave the team out."""
        common = self._common(space, space.user(view.user_id), kind)
        return common | {"team": None} if common["is_enterprise_install"] else common

    async def press(self, who: Actor, ts: str, action_id: str, block_id: str | None, chosen: object) -> Json:
        """Press a button, or choose in a menu, of a message. Returns the address that a link button opens."""
        space, place = who.workspace, who.conversation
        message = space.find(place.id, ts)
        if message is None or not space.sees(who.user.id, message):
            raise RefusedError("message_not_found")
        found = find_element(message.blocks, action_id, block_id)
        if found is None:
            raise RefusedError("action_not_found")
        action = chosen_action(*found, chosen)
        _, secret = self._ticket(who, message=message)
        payload = self._common(space, who.user, "block_actions") | {
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": place.id,
                "is_ephemeral": bool(message.only_for),
                **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            },
            "channel": {"id": place.id, "name": place.config.name},
            "state": {"values": {}},
            "response_url": f"{self._state.base_url}/actions/{space.id}/{secret}",
            "actions": [action],
        }
        if not message.only_for:  # Slack leaves the message out of actions on ephemeral ones
            payload["message"] = self._state.message_wire(space, message)
        ack = await self._outbound.send("interactivity", payload)
        return {"error": ack.error, "open_url": url_of(found[1], action)}

    async def press_in_view(self, view: View, pressed: Json, filled: Json) -> Json:
        """The same in a modal or in App Home; `pressed` names the element, `filled` is what the fields hold by now."""
        space = self._state.workspace(view.wire["team_id"])
        found = find_element(view.wire["blocks"], pressed["action_id"], pressed.get("block_id"))
        if found is None:
            raise RefusedError("action_not_found")
        action = chosen_action(*found, pressed.get("value"))
        state = {"values": state_values(view.wire["blocks"], filled)}
        payload = self._common_of_view(space, view, "block_actions") | {
            "container": {"type": "view", "view_id": view.id},
            "view": {**view.wire, "state": state},
            "actions": [action],
        }
        ack = await self._outbound.send("interactivity", payload)
        return {"error": ack.error, "open_url": url_of(found[1], action)}

    async def submit(self, space: Workspace, view: View, filled: Json) -> Json:
        """Submit a modal with `{block_id: {action_id: chosen}}`; returns the client's or the app's errors by block."""
        values = state_values(view.wire["blocks"], filled)
        view.filled = filled
        if missing := missing_fields(view.wire["blocks"], values):
            return self._refused_fields(space, view, missing)
        payload = self._common_of_view(space, view, "view_submission") | {
            "view": {**view.wire, "state": {"values": values}},
            "response_urls": [],
        }
        ack = await self._outbound.send("interactivity", payload)
        if ack.error:
            return {"error": ack.error, "errors": {}}
        try:
            return self._refused_fields(space, view, await self._submitted(space, view, ack.body))
        except RefusedError as refused:
            self._state.problem("view_submission", refused.error, detail=refused.detail)
            return {"error": "invalid_response", "errors": {}}

    def _refused_fields(self, space: Workspace, view: View, errors: dict[str, str]) -> Json:
        view.errors = errors
        if errors:
            self._state.changes.add("view", team=space.id, user=view.user_id, view=view.id)
        return {"error": None, "errors": errors}

    async def _checked(self, sent: object) -> Json:
        view = check_view(sent)
        await self._state.images.check(view["blocks"], self._state.app.image_addresses, "invalid_arguments")
        return view

    async def _submitted(self, space: Workspace, view: View, body: object) -> dict[str, str]:
        if not body:
            drop_modals(self._state, space, view.user_id, only_top=True)
            return {}
        if not isinstance(body, dict):
            raise RefusedError("invalid_response_action")
        match body.get("response_action"):
            case "errors":
                errors = body.get("errors")
                known = {block["block_id"] for block in view.wire["blocks"] if block["type"] == "input"}
                if not isinstance(errors, dict) or not errors or not set(errors) <= known:
                    raise RefusedError("invalid_error_block_id")
                if not all(isinstance(each, str) and each for each in errors.values()):
                    raise RefusedError("invalid_error_message")
                return errors
            case "update":
                replace_view(self._state, space, view, await self._checked(body.get("view")))
            case "push":
                put_modal(self._state, space, view.user_id, await self._checked(body.get("view")), push=True)
            case "clear":
                drop_modals(self._state, space, view.user_id, only_top=False)
            case _:
                raise RefusedError("invalid_response_action")
        return {}

    async def close(self, space: Workspace, view: View) -> None:
        """Close a modal with its cross; the app hears of it only if it asked for that."""
        drop_modals(self._state, space, view.user_id, only_top=True)
        if view.wire["notify_on_close"]:
            payload = self._common_of_view(space, view, "view_closed")
            payload.pop("trigger_id")
            await self._outbound.send("interactivity", payload | {"view": view.wire, "is_cleared": False})

    def open_home(self, space: Workspace, user: UserConfig, tab: str) -> str:
        """Look at the app's Home (`home`) or Messages (`messages`) tab; returns the event's id."""
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": space.direct(user.id).id,
            "tab": tab,
            "event_ts": space.next_ts(),
        }
        view = space.views.get(space.homes.get(user.id, ""))
        if tab == "home" and view is not None:
            event["view"] = view.wire
        return self._outbound.event(space.id, event)
