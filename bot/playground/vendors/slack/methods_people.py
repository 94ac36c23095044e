"""`auth.*`, `team.*`, `users.*` and `conversations.*`: what the app may learn of a workspace."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.playground.vendors.slack.calls import Arguments, Call
from bot.playground.vendors.slack.config import UserConfig
from bot.playground.vendors.slack.state import SLACKBOT, Conversation, SlackState, Workspace
from bot.playground.vendors.slack.tokens import BotToken
from bot.playground.vendors.slack.wire import Json, RefusedError

_PAGE = 100


def auth_test(state: SlackState, token: BotToken, _args: Arguments) -> Json:
    """`auth.test`. A token of an organization has the organization where others have their workspace."""
    answer: Json = {"user": state.app.name, "bot_id": "B" + state.app.app_id[1:], "is_enterprise_install": token.is_org}
    if token.is_org:
        org = state.enterprise(token.team_id)
        return answer | {
            "url": f"https://{org.domain}.enterprise.slack.com/",
            "team": org.name,
            "team_id": org.id,
            "enterprise_id": org.id,
            "user_id": org.bot_user_id,
        }
    workspace = state.workspace(token.team_id)
    if workspace.enterprise:
        answer["enterprise_id"] = workspace.enterprise.id
    return answer | {
        "url": f"https://{workspace.config.domain}.slack.com/",
        "team": workspace.config.name,
        "team_id": workspace.id,
        "user_id": workspace.config.bot_user_id,
    }


def auth_teams_list(state: SlackState, token: BotToken, args: Arguments) -> Json:
    """`auth.teams.list`: the workspaces that a token reaches, by pages."""
    teams = sorted(state.tokens.granted[token.team_id]) if token.is_org else [token.team_id]
    start, size = _page(args)
    following = str(start + size) if start + size < len(teams) else ""
    return {
        "teams": [{"id": each, "name": state.workspace(each).config.name} for each in teams[start : start + size]],
        "response_metadata": {"next_cursor": following},
    }


def _page(args: Arguments) -> tuple[int, int]:
    try:
        start, size = int(args.text("cursor") or 0), int(args.text("limit") or _PAGE)
    except ValueError as problem:
        raise RefusedError("invalid_cursor") from problem
    if not 1 <= size <= 1000:
        raise RefusedError("invalid_limit")
    return start, size


async def team_info(call: Call) -> Json:
    """`team.info`."""
    config = call.workspace.config
    return {"team": {"id": config.team_id, "name": config.name, "domain": config.domain}}


def user_object(workspace: Workspace, user: UserConfig, scopes: tuple[str, ...]) -> Json:
    """A user object. The address is there only with the scope `users:read.email`."""
    profile: Json = {"real_name": user.real_name, "display_name": user.name}
    if "users:read.email" in scopes:
        profile["email"] = user.email
    whole: Json = {
        "id": user.id,
        "team_id": user.home_team or workspace.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_app_user": False,
    }
    if user.home_team:  # of strangers Slack tells little
        return whole | {"is_stranger": True, "tz": user.tz, "is_restricted": False, "is_ultra_restricted": False}
    if user.deleted:  # Slack leaves zone and roles out once somebody is gone
        return whole
    if workspace.enterprise:
        whole["enterprise_user"] = {
            "id": user.id,
            "enterprise_id": workspace.enterprise.id,
            "enterprise_name": workspace.enterprise.name,
            "is_admin": user.is_org_admin,
            "is_owner": False,
            "teams": [workspace.id],
        }
    return whole | {
        "tz": user.tz,
        "tz_offset": int(datetime.now(ZoneInfo(user.tz)).utcoffset().total_seconds()),  # type: ignore[union-attr]  # an aware time has an offset
        "is_admin": user.is_admin,
        "is_restricted": user.is_restricted or user.is_ultra_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
    }


async def users_info(call: Call) -> Json:
    """`users.info`. Slackbot is a user whom Slack does not call a bot."""
    asked = call.args.required("user")
    if asked == SLACKBOT:
        slackbot = UserConfig(id=SLACKBOT, name="slackbot", real_name="Slackbot", email="", tz="America/Los_Angeles")
        return {"user": user_object(call.workspace, slackbot, ())}
    return {"user": user_object(call.workspace, call.workspace.user(asked), call.scopes)}


async def lookup_by_email(call: Call) -> Json:
    """`users.lookupByEmail`: deactivated people are not found."""
    address = call.args.required("email").casefold()
    for user in call.workspace.users.values():
        if user.email.casefold() == address and not user.deleted and not user.home_team:
            return {"user": user_object(call.workspace, user, call.scopes)}
    raise RefusedError("users_not_found")


async def conversations_open(call: Call) -> Json:
    """`conversations.open` with one person. Group messages are outside this stand-in and refused as bad arguments."""
    if call.args.text("channel"):
        conversation = call.conversation()
    else:
        users = [each for each in (call.args.text("users") or "").split(",") if each]
        if len(users) != 1:
            raise RefusedError(
                "invalid_arguments", "[ERROR] the stand-in opens one person's messages [json-pointer:/users]"
            )
        user = call.workspace.user(users[0])
        if user.deleted:
            raise RefusedError("user_disabled")
        if user.is_bot:
            raise RefusedError("cannot_dm_bot")
        conversation = call.workspace.direct(user.id)
    whole = call.args.flag("return_im")
    return {"channel": conversation_wire(conversation) if whole else {"id": conversation.id}}


def conversation_wire(conversation: Conversation) -> Json:
    """A conversation object."""
    config = conversation.config
    if conversation.im_user:
        return {
            "id": conversation.id,
            "is_im": True,
            "user": conversation.im_user,
            "is_archived": False,
            "is_open": True,
        }
    return {
        "id": config.id,
        "name": config.name,
        "is_channel": not config.is_private,
        "is_group": config.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": config.is_private,
        "is_archived": config.is_archived,
        "is_ext_shared": config.is_ext_shared,
        "is_shared": config.is_ext_shared,
        "is_member": config.bot_is_member,
        "num_members": len(config.members) + config.bot_is_member,
    }


def _readable(call: Call) -> Conversation:
    conversation = call.conversation()
    kind = "im" if conversation.im_user else "groups" if conversation.config.is_private else "channels"
    needed = f"{kind}:read"
    if needed not in call.scopes:
        raise RefusedError("missing_scope", needed=needed, provided=",".join(call.scopes))
    return conversation


async def conversations_info(call: Call) -> Json:
    """`conversations.info`."""
    return {"channel": conversation_wire(_readable(call))}


async def conversations_members(call: Call) -> Json:
    """`conversations.members`, by pages."""
    conversation = _readable(call)
    members = list(conversation.members)
    if conversation.im_user or conversation.config.bot_is_member:
        members.append(call.workspace.config.bot_user_id)
    start, size = _page(call.args)
    following = str(start + size) if start + size < len(members) else ""
    return {"members": members[start : start + size], "response_metadata": {"next_cursor": following}}
