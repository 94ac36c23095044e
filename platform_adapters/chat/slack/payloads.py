"""What Slack sends, read as neutral requests with the place for their answer.

Fields that are missing or of another type make a request that nobody answers, never an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from commands.ports.chat import ActionRequest, ChatUser, CommandRequest, HomeRequest, Place, Submission, Words
from platform_adapters.chat.slack.forms import CALLBACK, Origin, read_values
from platform_adapters.chat.slack.installations import Access
from platform_adapters.chat.slack.signature import Json
from platform_adapters.chat.slack.spans import PLATFORM

COMMAND, ACTIONS, SUBMISSION, EVENT = "command", "block_actions", "view_submission", "event_callback"
HOME_OPENED = "app_home_opened"
_IN_BRACKETS = re.compile(r"<([^<>]*)>")

R = TypeVar("R", CommandRequest, ActionRequest, Submission, HomeRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Where an answer goes. The address is as good as a password: it is not logged."""

    tenant: str
    channel: str = ""
    user: str
    response_url: str = ""
    trigger: str = ""
    """Good for one form, within three seconds of the press."""
    is_private: bool = False
    """The message that was pressed is one that only this person sees."""
    modal: str = ""
    """The modal that was pressed in."""
    is_home: bool = False
    """It was pressed in the person's App Home."""

    @property
    def origin(self) -> Origin:
        """What a form that is opened from here needs to have its answer shown."""
        return Origin(channel=self.channel, response_url=self.response_url, modal=self.modal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[R]):
    """A request, where its answer goes, and the workspaces that it may be from, the likeliest first."""

    request: R
    reply_to: ReplyTo
    teams: tuple[str, ...]
    organization: str
    """The organization whose installation took it in; empty for a workspace's own."""

    def within(self, access: Access) -> "Asked[R]":
        """The same, now that it is known whose installation took it in.

        A person of another workspace stays that workspace's, and reads here as an outsider, but for people of the same
        organization, whose ids are the organization's.
        """
        place, user = self.request.place, self.request.user
        is_own = access.is_own(user.tenant)
        if is_own:
            user = replace(user, tenant=access.team_id)
        place = replace(
            place,
            workspace=access.team_id,
            workspace_name=access.team_name or place.workspace_name,
            is_shared=place.is_shared if is_own else True,
        )
        return replace(
            self,
            request=replace(self.request, user=user, place=place),
            reply_to=replace(self.reply_to, tenant=access.team_id),
        )


def kind_of(payload: Json) -> str | None:
    """Which of the kinds that we listen to it is; None for all others, and for what Bolt could not route."""
    if isinstance(payload.get("command"), str):
        return COMMAND
    kind = payload.get("type")
    if kind == EVENT and text(part(payload, "event"), "type"):
        return EVENT
    if kind == SUBMISSION:
        view = part(payload, "view")
        is_ours = text(view, "callback_id") == CALLBACK and text(view, "type") == "modal"
        return SUBMISSION if is_ours else None
    actions = payload.get("actions")
    if kind == ACTIONS and isinstance(actions, list) and actions and isinstance(actions[0], Mapping):
        return ACTIONS if text(actions[0], "action_id") and "block_id" in actions[0] else None
    return None


def read_command(body: Json) -> Asked[CommandRequest] | None:
    """Read a slash command."""
    name, user, team = text(body, "command").removeprefix("/"), text(body, "user_id"), text(body, "team_id")
    channel = text(body, "channel_id")
    if not (name and user and team):
        return None
    is_direct = _is_direct(channel, text(body, "channel_name"))
    place = Place(
        workspace=team,
        workspace_name=text(body, "team_domain"),
        channel=channel,
        is_direct=is_direct,
        is_shared=False if is_direct else None,
    )
    who = ChatUser(platform=PLATFORM, tenant=team, external_id=user, name=text(body, "user_name"))
    return Asked(
        request=CommandRequest(
            name=name,
            arguments=Words(text=unescaped(text(body, "text"))),
            user=who,
            place=place,
            key=text(body, "trigger_id"),
        ),
        reply_to=ReplyTo(
            tenant=team,
            channel=channel,
            user=user,
            response_url=text(body, "response_url"),
            trigger=text(body, "trigger_id"),
        ),
        teams=(team,),
        organization=text(body, "enterprise_id") if body.get("is_enterprise_install") in (True, "true") else "",
    )


def read_action(body: Json) -> Asked[ActionRequest] | None:
    """Read a press or a choice. None for links, which Slack reports as well, and for what we did not draw."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    token = _token(action) if isinstance(action, Mapping) else ""
    who, teams = _user(body), _teams(body)
    if not (token and who.external_id and who.tenant and teams):
        return None
    channel, view = part(body, "channel"), part(body, "view")
    is_direct = bool(view) or _is_direct(text(channel, "id"), text(channel, "name"))
    place = Place(
        workspace=teams[0],
        workspace_name=text(part(body, "team"), "domain"),
        channel=text(channel, "id"),
        is_direct=is_direct,
        is_shared=False if is_direct else None,  # Slack is not asked: no button lets a channel hear
    )
    return Asked(
        request=ActionRequest(token=token, user=who, place=place, key=text(body, "trigger_id")),
        reply_to=ReplyTo(
            tenant=teams[0],
            channel=place.channel,
            user=who.external_id,
            response_url=text(body, "response_url"),
            trigger=text(body, "trigger_id"),
            is_private=part(body, "container").get("is_ephemeral") is True,
            modal=text(view, "id") if text(view, "type") == "modal" else "",
            is_home=text(view, "type") == "home",
        ),
        teams=teams,
        organization=_organization(body),
    )


def read_submission(body: Json) -> Asked[Submission] | None:
    """Read a form that was sent off."""
    view = part(body, "view")
    origin = Origin.read(text(view, "private_metadata"))
    who, teams = _user(body), _teams(body)
    if origin is None or not (who.external_id and who.tenant and teams):
        return None
    is_direct = _is_direct(origin.channel, "") or not origin.channel
    place = Place(
        workspace=teams[0],
        workspace_name=text(part(body, "team"), "domain"),
        channel=origin.channel,
        is_direct=is_direct,
        is_shared=False if is_direct else None,
    )
    return Asked(
        request=Submission(
            token=origin.token, values=read_values(view), user=who, place=place, key=text(body, "trigger_id")
        ),
        reply_to=ReplyTo(
            tenant=teams[0],
            channel=origin.channel,
            user=who.external_id,
            response_url=origin.response_url,
            modal=origin.modal,
            is_home=not origin.channel and not origin.modal,
        ),
        teams=teams,
        organization=_organization(body),
    )


def read_home(body: Json) -> Asked[HomeRequest] | None:
    """Read that somebody opened their App Home; None for its other tabs."""
    event = part(body, "event")
    user, team = text(event, "user"), text(body, "team_id")
    if text(event, "tab") != "home" or not user or not team:
        return None
    channel = text(event, "channel")
    who = ChatUser(platform=PLATFORM, tenant=team, external_id=user, name="")
    place = Place(workspace=team, workspace_name="", channel=channel, is_direct=True)
    return Asked(
        request=HomeRequest(user=who, place=place),
        reply_to=ReplyTo(tenant=team, channel=channel, user=user, is_home=True),
        teams=(team,),
        organization=organization_of(body),
    )


def organization_of(body: Json) -> str:
    """The organization whose installation an event is for; empty for a workspace's own."""
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    if not isinstance(first, Mapping) or first.get("is_enterprise_install") is not True:
        return ""
    return text(first, "enterprise_id")


def _organization(body: Json) -> str:
    return text(part(body, "enterprise"), "id") if body.get("is_enterprise_install") is True else ""


def _user(body: Json) -> ChatUser:
    person = part(body, "user")
    team = text(person, "team_id") or text(part(body, "team"), "id")
    name = text(person, "name") or text(person, "username")
    return ChatUser(platform=PLATFORM, tenant=team, external_id=text(person, "id"), name=name)


def _teams(body: Json) -> tuple[str, ...]:
    """The workspaces that a press may belong to. A message's own is the bot's there, whoever pressed; the team of the
    payload may be missing where the bot is installed for an organization.
    """
    named = (
        text(part(body, "message"), "team"),
        text(part(body, "team"), "id"),
        text(part(body, "view"), "team_id"),
        text(part(body, "user"), "team_id"),
    )
    return tuple(dict.fromkeys(each for each in named if each))


def _token(action: Json) -> str:
    if action.get("url"):
        return ""
    return text(action, "value") or text(part(action, "selected_option"), "value")


def _is_direct(channel: str, name: str) -> bool:
    return channel.startswith("D") or name == "directmessage"


def unescaped(typed: str) -> str:
    """What the person typed: `<@U1|ana>` becomes `@U1`, `<#C1|ads>` becomes `#C1`, links become their address."""
    typed = _IN_BRACKETS.sub(_out_of_brackets, typed)
    return typed.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _out_of_brackets(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    if target.startswith("mailto:"):
        return label or target.removeprefix("mailto:")
    if target.startswith("!"):
        return "@" + (label or target[1:]).lstrip("@")
    return target


def text(body: Json, name: str) -> str:
    """A field that is text; "" where it is not."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def part(body: Json, name: str) -> Json:
    """A field that is an object; an empty one where it is not."""
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}
