"""`auth.*`, `team.*`, `users.*` and `conversations.*`: what the app may learn of a workspace."""

from bot.playground.vendors.slack.calls import Call
from bot.playground.vendors.slack.config import UserConfig
from bot.playground.vendors.slack.state import Conversation, Workspace
from bot.playground.vendors.slack.wire import Json, RefusedError

_PAGE = 100


async def auth_test(call: Call) -> Json:
    """`auth.test`."""
    workspace, bot = call.workspace.config, call.workspace.config.bot_user_id
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "user": call.state.app.name,
        "team_id": workspace.team_id,
        "user_id": bot,
        "bot_id": "B" + call.state.app.app_id[1:],
        "is_enterprise_install": False,
    }


async def team_info(call: Call) -> Json:
    """`team.info`."""
    config = call.workspace.config
    return {"team": {"id": config.team_id, "name": config.name, "domain": config.domain}}


def user_object(workspace: Workspace, user: UserConfig, scopes: tuple[str, ...]) -> Json:
    """A user object. The address is there only with the scope `users:read.email`."""
    profile: Json = {"real_name": user.real_name, "display_name": user.name}
    if "users:read.email" in scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": workspace.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "tz": user.tz,
        "profile": profile,
        "is_bot": user.is_bot,
        "is_admin": user.is_admin,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_app_user": False,
    }


async def users_info(call: Call) -> Json:
    """`users.info`."""
    return {"user": user_object(call.workspace, call.workspace.user(call.args.required("user")), call.scopes)}


async def lookup_by_email(call: Call) -> Json:
    """`users.lookupByEmail`: deactivated people are not found."""
    address = call.args.required("email").casefold()
    for user in call.workspace.users.values():
        if user.email.casefold() == address and not user.deleted:
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
    try:
        start, size = int(call.args.text("cursor") or 0), int(call.args.text("limit") or _PAGE)
    except ValueError as problem:
        raise RefusedError("invalid_cursor") from problem
    if not 1 <= size <= 1000:
        raise RefusedError("invalid_limit")
    following = str(start + size) if start + size < len(members) else ""
    return {"members": members[start : start + size], "response_metadata": {"next_cursor": following}}
