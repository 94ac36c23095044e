"""Which blocks Slack takes in a message, a modal and App Home, and what it answers when it does not take them."""

from bot.playground.vendors.slack import elements as el
from bot.playground.vendors.slack.rules import (
    Findings,
    Rule,
    boolean,
    both,
    by_type,
    exactly_one,
    integer,
    list_of,
    one_of,
    record,
    string,
    web_address,
)
from bot.playground.vendors.slack.wire import Json, RefusedError, new_id

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
# Undocumented; `msg_blocks_too_long` was seen between 11,300 and 13,300 characters (bolt-js #2509, #2867: "12,000 text
# characters with a buffer for block containers"). Counted here as text plus a little for each object that holds it.
TOTAL_TEXT = 12_000
PER_CONTAINER = 12
VIEW_BYTES = 250_000
_INTERACTIVE = {*el.BUTTONS, *el.MENUS, *el.MULTI_MENUS, *el.CHOICES, *el.INPUTS}


def _block(kind: str, required: dict[str, Rule], optional: dict[str, Rule] | None = None) -> Rule:
    return record(
        {"type": one_of(kind), **required},
        {"block_id": string(1, 255), **(optional or {})},
    )


def _one_primary(value: object, at: str, found: Findings) -> None:
    before = found.primaries
    el_list = value.get("elements") if isinstance(value, dict) else None
    list_of(el.in_actions, 1, 25)(el_list, f"{at}/elements", found)
    if found.primaries - before > 1:
        found.wrong("only one element may have the style primary", f"{at}/elements")


def _anything(value: object, at: str, found: Findings) -> None:
    """Checked elsewhere."""


def _unique_action_ids(value: object, at: str, found: Findings) -> None:
    """`action_id` is unique within its block."""
    seen: set[str] = set()
    for element in interactive_of(value) if isinstance(value, dict) else []:
        if action_id := element.get("action_id"):
            if action_id in seen:
                found.wrong(f"`action_id` must be unique: {action_id}", at)
            seen.add(str(action_id))


def _unique_block_id(value: object, at: str, found: Findings) -> None:
    if isinstance(value, dict) and isinstance(block_id := value.get("block_id"), str):
        if block_id in found.block_ids:
            found.wrong(f"`block_id` must be unique: {block_id}", f"{at}/block_id")
        found.block_ids.add(block_id)


_cell = by_type(
    {
        "raw_text": record({"type": one_of("raw_text"), "text": string()}),
        "rich_text": record(
            {
                "type": one_of("rich_text"),
                "elements": list_of(el.rich_text_part, 1, None),
            }
        ),
    },
    "table cell",
)
_COMMON: dict[str, Rule] = {
    "section": both(
        _block(
            "section",
            {},
            {
                "text": el.any_text(3000),
                "fields": list_of(el.any_text(2000), 1, 10),
                "accessory": el.as_accessory,
                "expand": boolean,
            },
        ),
        el.section_needs_text,
    ),
    "header": _block("header", {"text": el.plain(150)}),
    "divider": _block("divider", {}),
    "actions": both(_block("actions", {"elements": _anything}), _one_primary),
    "context": _block("context", {"elements": list_of(el.in_context, 1, 10)}),
    "image": both(
        _block(
            "image",
            {"alt_text": string(1, 2000)},
            {
                "image_url": web_address(3000),
                "slack_file": record({}, {"id": string(1), "url": string(1)}),
                "title": el.plain(2000),
            },
        ),
        exactly_one("image_url", "slack_file"),
    ),
    "rich_text": _block("rich_text", {"elements": list_of(el.rich_text_part, 1, None)}),
    "input": _block(
        "input",
        {"label": el.plain(2000), "element": el.in_input},
        {"hint": el.plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
}
_ONLY_MESSAGES: dict[str, Rule] = {
    "markdown": _block("markdown", {"text": string(1, 12_000)}),
    "table": _block(
        "table",
        {"rows": list_of(list_of(_cell, 1, 20), 1, 100)},
        {
            "column_settings": list_of(
                record(
                    {},
                    {"align": one_of("left", "center", "right"), "is_wrapped": boolean},
                ),
                0,
                20,
            )
        },
    ),
}


def _list(kinds: dict[str, Rule], maximum: int) -> Rule:
    return list_of(both(by_type(kinds, "block"), _unique_block_id, _unique_action_ids), 0, maximum)


_MESSAGE = _list({**_COMMON, **_ONLY_MESSAGES}, MESSAGE_BLOCKS)
_VIEW_LIST = both(_list(_COMMON, VIEW_BLOCKS), list_of(_anything, 1, VIEW_BLOCKS))
_VIEW_COMMON: dict[str, Rule] = {
    "private_metadata": string(0, 3000),
    "callback_id": string(0, 255),
    "external_id": string(0, 255),
}
_MODAL_ONLY: dict[str, Rule] = {
    "clear_on_close": boolean,
    "notify_on_close": boolean,
    "submit_disabled": boolean,
    "close": el.plain(24),
    "submit": el.plain(24),
}
_VIEWS = by_type(
    {
        "modal": record(
            {"type": one_of("modal"), "title": el.plain(24), "blocks": _VIEW_LIST},
            {**_VIEW_COMMON, **_MODAL_ONLY},
        ),
        "home": record({"type": one_of("home"), "blocks": _VIEW_LIST}, _VIEW_COMMON),
    },
    "view",
)
_METADATA = record(
    {"event_type": string(1, 255), "event_payload": _anything},
    {"entities": _anything, "version": integer},
)


def check_message_blocks(blocks: object) -> list[Json]:
    """The blocks with the ids that Slack gives where none were sent; refused as `invalid_blocks` or too long."""
    if not isinstance(blocks, list):
        raise RefusedError("invalid_blocks_format")
    found = Findings()
    _MESSAGE(blocks, "/blocks", found)
    if found.messages:
        raise RefusedError("invalid_blocks", *found.messages)
    if _weight(blocks) > TOTAL_TEXT:
        raise RefusedError("msg_blocks_too_long")
    return with_ids(blocks)


def check_view(view: object) -> Json:
    """The view, its blocks with ids; refused as `invalid_arguments` with the reasons, or as too large."""
    found = Findings()
    _VIEWS(view, "/view", found)
    has_input = isinstance(view, dict) and any(
        isinstance(b, dict) and b.get("type") == "input" for b in view.get("blocks") or []
    )
    if isinstance(view, dict) and view.get("type") == "modal" and has_input and "submit" not in view:
        found.wrong("`submit` is required when an `input` block is present", "/view")
    if found.messages or not isinstance(view, dict):
        raise RefusedError("invalid_arguments", *found.messages)
    if len(str(view).encode("utf-8", "replace")) > VIEW_BYTES:
        raise RefusedError("view_too_large")
    return {**view, "blocks": with_ids(view["blocks"])}


def check_metadata(metadata: object) -> Json:
    """A message's metadata."""
    found = Findings()
    _METADATA(metadata, "/metadata", found)
    if found.messages or not isinstance(metadata, dict) or not isinstance(metadata["event_payload"], dict):
        raise RefusedError("invalid_metadata_format", *found.messages)
    return metadata


def with_ids(blocks: list[Json]) -> list[Json]:
    """The same blocks, with a `block_id` and `action_id` made up wherever there was none."""
    done = []
    for sent in blocks:
        block = {"block_id": new_id("", 5), **sent}
        for key in ("accessory", "element"):
            if isinstance(inner := block.get(key), dict) and inner.get("type") in _INTERACTIVE:
                block[key] = {"action_id": new_id("", 5), **inner}
        if block["type"] == "actions":
            block["elements"] = [{"action_id": new_id("", 5), **each} for each in block["elements"]]
        done.append(block)
    return done


def find_element(blocks: list[Json], action_id: str, block_id: str | None = None) -> tuple[Json, Json] | None:
    """The block and the interactive element in it that has this action id."""
    for block in blocks:
        if block_id in (None, block.get("block_id")):
            for element in interactive_of(block):
                if element.get("action_id") == action_id:
                    return block, element
    return None


def interactive_of(block: Json) -> list[Json]:
    """The elements of a block that somebody can press or fill in."""
    inner = [
        block.get("accessory"),
        block.get("element"),
        *(block.get("elements") or []),
    ]
    return [each for each in inner if isinstance(each, dict) and each.get("type") in _INTERACTIVE]


def _weight(node: object) -> int:
    if isinstance(node, dict):
        own = sum(len(v) for k, v in node.items() if k == "text" and isinstance(v, str))
        return own + PER_CONTAINER + sum(_weight(v) for k, v in node.items() if not isinstance(v, str))
    return sum(_weight(each) for each in node) if isinstance(node, list) else 0
