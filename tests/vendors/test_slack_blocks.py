"""The stand-in refuses every block that Slack refuses."""

import pytest

from bot.playground.vendors.slack.blocks import check_message_blocks, check_view
from bot.playground.vendors.slack.wire import Json, RefusedError


def plain(length: int = 1) -> Json:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int = 1) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def button(**more: object) -> Json:
    return {"type": "button", "text": plain(), **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


def section(**fields: object) -> list[Json]:
    return [{"type": "section", **fields}]


def options(count: int) -> list[Json]:
    return [{"text": plain(), "value": str(number)} for number in range(count)]


def select(count: int) -> Json:
    return {"type": "static_select", "action_id": "s", "options": options(count)}


CONFIRM = {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain()}

GOOD: dict[str, list[Json]] = {
    "50 blocks": [{"type": "divider"}] * 50,
    "section 3000": section(text=mrkdwn(3000)),
    "10 fields of 1000": section(fields=[mrkdwn(1000)] * 10),
    "field 2000": section(fields=[plain(2000)]),
    "header 150": [{"type": "header", "text": plain(150)}],
    "25 buttons": actions(*[button(action_id=str(n)) for n in range(25)]),
    "10 in a context": [{"type": "context", "elements": [mrkdwn()] * 10}],
    "button at its limits": actions(
        button(text=plain(75), value="v" * 2000, url="https://x.example/" + "a" * 2982, action_id="a" * 255)
    ),
    "overflow 2": section(text=mrkdwn(), accessory={"type": "overflow", "action_id": "o", "options": options(2)}),
    "overflow 5": section(text=mrkdwn(), accessory={"type": "overflow", "action_id": "o", "options": options(5)}),
    "select 100": actions(select(100)),
    "confirm": actions(button(confirm=CONFIRM, style="danger")),
    "one action id in two blocks": [*actions(button(action_id="a")), *actions(button(action_id="a"))],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "x", "style": {"bold": True}}]}
            ],
        }
    ],
    "table": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 10}],
}

BAD: dict[str, list[Json]] = {
    "51 blocks": [{"type": "divider"}] * 51,
    "unknown block": [{"type": "carousel_of_doom"}],
    "unknown field": section(text=mrkdwn(), colour="red"),
    "unknown field in text": section(text={**mrkdwn(), "emoji": True}),
    "unknown field in button": actions(button(colour="red")),
    "section 3001": section(text=mrkdwn(3001)),
    "section empty text": section(text=mrkdwn(0)),
    "section without text": section(),
    "11 fields": section(fields=[mrkdwn()] * 11),
    "field 2001": section(fields=[mrkdwn(2001)]),
    "header 151": [{"type": "header", "text": plain(151)}],
    "header in mrkdwn": [{"type": "header", "text": mrkdwn()}],
    "26 buttons": actions(*[button(action_id=str(n)) for n in range(26)]),
    "no elements": actions(),
    "11 in a context": [{"type": "context", "elements": [mrkdwn()] * 11}],
    "button in a context": [{"type": "context", "elements": [button()]}],
    "button text 76": actions(button(text=plain(76))),
    "button text mrkdwn": actions(button(text=mrkdwn())),
    "button value 2001": actions(button(value="v" * 2001)),
    "button url 3001": actions(button(url="https://x.example/" + "a" * 2983)),
    "button url with a blank": actions(button(url="https://x.example/a b")),
    "button url javascript": actions(button(url="javascript:alert(1)")),
    "action id 256": actions(button(action_id="a" * 256)),
    "block id 256": [{"type": "divider", "block_id": "b" * 256}],
    "same block id": [{"type": "divider", "block_id": "b"}] * 2,
    "same action id": actions(button(action_id="a"), button(action_id="a")),
    "two primaries": actions(button(style="primary"), button(style="primary")),
    "odd style": actions(button(style="loud")),
    "overflow 1": actions({"type": "overflow", "action_id": "o", "options": options(1)}),
    "overflow 6": actions({"type": "overflow", "action_id": "o", "options": options(6)}),
    "select 101": actions(select(101)),
    "select without options": actions({"type": "static_select", "action_id": "s"}),
    "option text 76": actions({**select(1), "options": [{"text": plain(76), "value": "v"}]}),
    "option value 151": actions({**select(1), "options": [{"text": plain(), "value": "v" * 151}]}),
    "multi select in actions": actions({"type": "multi_users_select", "action_id": "m"}),
    "confirm title 101": actions(button(confirm={**CONFIRM, "title": plain(101)})),
    "image without alt": [{"type": "image", "image_url": "https://x.example/i.png"}],
    "image url 3001": [{"type": "image", "alt_text": "a", "image_url": "https://x.example/" + "a" * 2983}],
    "lone surrogate": section(text={"type": "mrkdwn", "text": "\ud800"}),
    "text as a number": section(text={"type": "mrkdwn", "text": 5}),
    "verbatim as a word": section(text={"type": "mrkdwn", "text": "x", "verbatim": "true"}),
}


@pytest.mark.parametrize("name", GOOD)
def test_blocks_within_the_limits_are_taken_and_get_ids(name: str) -> None:
    taken = check_message_blocks(GOOD[name])
    assert all(block["block_id"] for block in taken)
    pressable = [each for block in taken if block["type"] == "actions" for each in block["elements"]]
    assert all(each["action_id"] for each in pressable)


@pytest.mark.parametrize("name", BAD)
def test_blocks_past_a_limit_are_refused_with_a_pointer(name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        check_message_blocks(BAD[name])
    assert caught.value.error == "invalid_blocks"
    assert "json-pointer:/blocks" in caught.value.detail["response_metadata"]["messages"][0]


@pytest.mark.parametrize("blocks", [{}, "x", 5])
def test_blocks_that_are_no_list_are_a_format_error(blocks: object) -> None:
    with pytest.raises(RefusedError, match="invalid_blocks_format"):
        check_message_blocks(blocks)


def test_blocks_that_are_too_long_together_have_their_own_error() -> None:
    with pytest.raises(RefusedError, match="msg_blocks_too_long"):
        check_message_blocks(section(text=mrkdwn(3000)) * 5)


def modal(**fields: object) -> Json:
    return {"type": "modal", "title": plain(), "blocks": section(text=mrkdwn()), **fields}


INPUT = {"type": "input", "label": plain(), "element": {"type": "plain_text_input", "action_id": "i"}}


@pytest.mark.parametrize(
    "view",
    [
        modal(),
        modal(title=plain(24), private_metadata="x" * 3000, callback_id="c" * 255),
        modal(blocks=[INPUT], submit=plain(24)),
        {"type": "home", "blocks": [{"type": "divider"}] * 100},
    ],
)
def test_views_within_the_limits_are_taken(view: Json) -> None:
    assert check_view(view)["blocks"]


@pytest.mark.parametrize(
    "view",
    [
        modal(title=plain(25)),
        modal(submit=plain(25)),
        modal(private_metadata="x" * 3001),
        modal(callback_id="c" * 256),
        modal(blocks=[]),
        modal(blocks=[INPUT]),
        modal(blocks=[{"type": "divider"}] * 101),
        modal(blocks=[{"type": "table", "rows": []}]),
        modal(unknown=1),
        {"type": "home", "blocks": [{"type": "divider"}] * 101},
        {"type": "sidebar", "blocks": []},
        None,
        [],
    ],
)
def test_views_past_a_limit_are_refused(view: object) -> None:
    with pytest.raises(RefusedError, match="invalid_arguments"):
        check_view(view)
