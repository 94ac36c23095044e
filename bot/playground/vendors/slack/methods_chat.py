"""`chat.*`: post, update, delete, ephemeral, permalink; with the errors that docs.slack.dev lists for them."""

from bot.playground.vendors.slack.blocks import check_message_blocks, check_metadata
from bot.playground.vendors.slack.calls import Call
from bot.playground.vendors.slack.state import Conversation, Message
from bot.playground.vendors.slack.wire import Json, RefusedError, cut_text

_KEPT = ("parse", "link_names", "mrkdwn", "unfurl_links", "unfurl_media", "client_msg_id", "reply_broadcast")
_UPDATE_TEXT = 4000
_METADATA_BYTES = 16_000


def content(args: Json, *, need: bool = True) -> Json:
    """Text, blocks, attachments and the rest of a message's content, checked; `args` are already decoded values."""
    found: Json = {}
    if args.get("markdown_text") is not None:
        if args.get("text") or args.get("blocks"):
            raise RefusedError("markdown_text_conflict")
        found["blocks"] = check_message_blocks([{"type": "markdown", "text": args["markdown_text"]}])
        found["text"] = args["markdown_text"]
    if (text := args.get("text")) is not None:
        found["text"] = cut_text(str(text))
    if (blocks := args.get("blocks")) is not None:
        found["blocks"] = check_message_blocks(blocks)
    if (attachments := args.get("attachments")) is not None:
        found["attachments"] = _attachments(attachments)
    if (metadata := args.get("metadata")) is not None:
        found["metadata"] = check_metadata(metadata)
        if len(str(metadata)) > _METADATA_BYTES:
            raise RefusedError("metadata_too_large")
    if need and not any(found.get(k) for k in ("text", "blocks", "attachments")):
        raise RefusedError("no_text")
    return found


def _attachments(attachments: object) -> list[Json]:
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        raise RefusedError("invalid_attachments")
    if len(attachments) > 100:
        raise RefusedError("too_many_attachments")
    return [
        {**each, "blocks": check_message_blocks(each["blocks"])} if "blocks" in each else each for each in attachments
    ]


def _decoded(call: Call) -> Json:
    args = call.args
    return {
        "text": args.text("text"),
        "markdown_text": args.text("markdown_text"),
        "blocks": args.json("blocks", "invalid_blocks_format"),
        "attachments": args.json("attachments", "invalid_attachments"),
        "metadata": args.json("metadata", "invalid_metadata_format"),
    }


async def _pictured(call: Call, *, need: bool = True) -> Json:
    """The content of a call, its pictures fetched."""
    found = content(_decoded(call), need=need)
    await call.state.images.check(found.get("blocks"), call.state.app.image_addresses)
    return found


def _target(call: Call) -> Conversation:
    """Where a post goes: a channel that the bot may write to, or the direct messages with a person (`U…`, `W…`)."""
    channel = call.args.required("channel")
    if channel[0] in "UW":
        user = call.workspace.users.get(channel)
        if user is None or user.deleted or user.home_team:  # nobody outside is written to without an invitation
            raise RefusedError("channel_not_found")
        if user.is_bot:
            raise RefusedError("cannot_dm_bot")
        return call.workspace.direct(channel)
    target = call.conversation()
    if target.config.is_archived:
        raise RefusedError("is_archived")
    if not target.config.bot_is_member and "chat:write.public" not in call.scopes:
        raise RefusedError("not_in_channel")
    if target.im_user and call.workspace.user(target.im_user).deleted:
        raise RefusedError("channel_not_found")
    return target


def _authorship(call: Call) -> None:
    if any(call.args.text(name) for name in ("username", "icon_url", "icon_emoji")):
        raise RefusedError("missing_scope", needed="chat:write.customize", provided=",".join(call.scopes))


def _thread(call: Call, channel_id: str) -> str | None:
    thread = call.args.text("thread_ts")
    if thread is None:
        return None
    parent = call.workspace.find(channel_id, thread)
    if parent is None or parent.only_for or parent.thread_ts not in (None, thread):
        raise RefusedError("cannot_reply_to_message")
    return thread


async def post_message(call: Call) -> Json:
    """`chat.postMessage`."""
    target = _target(call)
    _authorship(call)
    found = await _pictured(call)
    message = Message(
        ts=call.workspace.next_ts(),
        channel_id=target.id,
        author=call.workspace.config.bot_user_id,
        from_app=True,
        thread_ts=_thread(call, target.id),
        options={name: call.args.values[name] for name in _KEPT if name in call.args.values},
        **found,
    )
    call.state.add_message(call.workspace, message)
    return {"channel": target.id, "ts": message.ts, "message": call.state.message_wire(call.workspace, message)}


async def post_ephemeral(call: Call) -> Json:
    """`chat.postEphemeral`."""
    target = _target(call)
    _authorship(call)
    user = call.args.required("user")
    if user not in target.members:
        raise RefusedError("user_not_in_channel")
    message = Message(
        ts=call.workspace.next_ts(),
        channel_id=target.id,
        author=call.workspace.config.bot_user_id,
        from_app=True,
        only_for=user,
        thread_ts=_thread(call, target.id),
        options={name: call.args.values[name] for name in _KEPT if name in call.args.values},
        **await _pictured(call),
    )
    call.state.add_message(call.workspace, message)
    return {"message_ts": message.ts}


def _own(call: Call, cannot: str) -> Message:
    message = call.workspace.find(call.conversation().id, call.args.required("ts"))
    if message is None or message.only_for:
        raise RefusedError("message_not_found")
    if not message.from_app:
        raise RefusedError(cannot)
    return message


async def update(call: Call) -> Json:
    """`chat.update`. Blocks and attachments that are not sent stay as they were; an empty list takes them away."""
    message = _own(call, "cant_update_message")
    if call.conversation().config.is_archived:
        raise RefusedError("is_archived")
    if len(call.args.text("text") or "") > _UPDATE_TEXT:
        raise RefusedError("msg_too_long")
    found = await _pictured(call, need=False)
    if not found:
        raise RefusedError("no_text")
    for name, value in found.items():
        setattr(message, name, value)
    message.edited_ts = call.workspace.next_ts()
    call.state.told("message_changed", call.workspace, message)
    wire = call.state.message_wire(call.workspace, message)
    return {"channel": message.channel_id, "ts": message.ts, "text": message.text, "message": wire}


async def delete(call: Call) -> Json:
    """`chat.delete`."""
    message = _own(call, "cant_delete_message")
    call.workspace.messages.remove(message)
    call.state.told("message_deleted", call.workspace, message)
    return {"channel": message.channel_id, "ts": message.ts}


async def get_permalink(call: Call) -> Json:
    """`chat.getPermalink`."""
    message = call.workspace.find(call.conversation().id, call.args.required("message_ts"))
    if message is None:
        raise RefusedError("message_not_found")
    where = f"{message.channel_id}/p{message.ts.replace('.', '')}"
    return {"channel": message.channel_id, "permalink": f"{call.state.base_url}/archives/{where}"}
