"""Block Kit's text objects, options and interactive elements, with their limits.

Limits and field names are those of slack_sdk 3.47's own models, and of docs.slack.dev where the models are silent.
"""

from bot.playground.vendors.slack.rules import (
    Findings,
    Rule,
    at_least_one,
    boolean,
    both,
    by_type,
    exactly_one,
    integer,
    list_of,
    matching,
    one_of,
    record,
    string,
    web_address,
)


def plain(maximum: int, minimum: int = 1) -> Rule:
    """A `plain_text` object."""
    return record(
        {"type": one_of("plain_text"), "text": string(minimum, maximum)},
        {"emoji": boolean},
    )


def mrkdwn(maximum: int) -> Rule:
    """A `mrkdwn` object."""
    return record({"type": one_of("mrkdwn"), "text": string(1, maximum)}, {"verbatim": boolean})


def any_text(maximum: int) -> Rule:
    """Either text object."""
    return by_type({"plain_text": plain(maximum), "mrkdwn": mrkdwn(maximum)}, "text object")


def _primary_counted(value: object, _at: str, found: Findings) -> None:
    """Slack wants `primary` on one button of a set only; counted over the enclosing actions block."""
    if isinstance(value, dict) and value.get("style") == "primary":
        found.primaries += 1


action_id = string(1, 255)
confirm = record(
    {
        "title": plain(100),
        "text": any_text(300),
        "confirm": plain(30),
        "deny": plain(30),
    },
    {"style": one_of("primary", "danger")},
)
option = record({"text": any_text(75), "value": string(1, 150)}, {"description": any_text(75)})
overflow_option = record(
    {"text": plain(75), "value": string(1, 150)},
    {"description": plain(75), "url": web_address(3000)},
)
option_group = record({"label": plain(75), "options": list_of(option, 1, 100)})

button = both(
    record(
        {"type": one_of("button"), "text": plain(75)},
        {
            "action_id": action_id,
            "url": web_address(3000),
            "value": string(0, 2000),
            "style": one_of("primary", "danger"),
            "confirm": confirm,
            "accessibility_label": string(1, 75),
        },
    ),
    _primary_counted,
)
image_element = both(
    record(
        {"type": one_of("image"), "alt_text": string(1, 2000)},
        {
            "image_url": web_address(3000),
            "slack_file": record({}, {"id": string(1), "url": string(1)}),
        },
    ),
    exactly_one("image_url", "slack_file"),
)
overflow = record(
    {"type": one_of("overflow"), "options": list_of(overflow_option, 2, 5)},
    {"action_id": action_id, "confirm": confirm},
)

_common: dict[str, Rule] = {
    "action_id": action_id,
    "confirm": confirm,
    "focus_on_load": boolean,
}
_prompted: dict[str, Rule] = {**_common, "placeholder": plain(150)}
_typed: dict[str, Rule] = {
    "action_id": action_id,
    "focus_on_load": boolean,
    "placeholder": plain(150),
    "dispatch_action_config": record({}, {"trigger_actions_on": list_of(string(1), 1, 2)}),
}
_filter = record(
    {},
    {
        "include": list_of(string(1), 1, 4),
        "exclude_bot_users": boolean,
        "exclude_external_shared_channels": boolean,
    },
)


def _select(kind: str, extra: dict[str, Rule], *, multi: bool = False) -> Rule:
    more: dict[str, Rule] = {"max_selected_items": integer} if multi else {}
    return record({"type": one_of(kind)}, {**_prompted, **extra, **more})


def _static(kind: str, *, multi: bool = False) -> Rule:
    initial: dict[str, Rule] = {"initial_options": list_of(option, 1, 100)} if multi else {"initial_option": option}
    lists: dict[str, Rule] = {
        "options": list_of(option, 1, 100),
        "option_groups": list_of(option_group, 1, 100),
    }
    return both(
        _select(kind, {**lists, **initial}, multi=multi),
        exactly_one("options", "option_groups"),
        _initial_among_options,
    )


def _initial_among_options(value: object, at: str, found: Findings) -> None:
    """What is chosen at first is one of the options, word for word."""
    if not isinstance(value, dict):
        return
    groups = value.get("option_groups") or []
    lists = [value.get("options") or [], *(g.get("options") or [] for g in groups if isinstance(g, dict))]
    options = [option for each in lists if isinstance(each, list) for option in each]
    chosen = [value["initial_option"]] if "initial_option" in value else value.get("initial_options") or []
    if isinstance(chosen, list) and any(each not in options for each in chosen):
        found.wrong("initial option must match an option", at)


def _lengths_in_order(value: object, at: str, found: Findings) -> None:
    """A text field's least length is not above its greatest, and Slack's own limit is 3,000."""
    if not isinstance(value, dict):
        return
    least, most = value.get("min_length", 0), value.get("max_length", 3000)
    if not (isinstance(least, int) and isinstance(most, int) and 0 <= least <= 3000 and 1 <= most <= 3000):
        found.wrong("min_length is 0 to 3000, max_length 1 to 3000", at)
    elif least > most:
        found.wrong("min_length must not exceed max_length", at)
    elif isinstance(first := value.get("initial_value"), str) and len(first) > most:
        found.wrong("initial_value must not exceed max_length", at)


_id = string(1)
_conversation: dict[str, Rule] = {
    "response_url_enabled": boolean,
    "default_to_current_conversation": boolean,
    "filter": _filter,
}
_date = matching(r"\d{4}-\d{2}-\d{2}", "a date YYYY-MM-DD")
_time = matching(r"[0-2]\d:[0-5]\d", "a time HH:mm")

MENUS: dict[str, Rule] = {
    "static_select": _static("static_select"),
    "external_select": _select("external_select", {"initial_option": option, "min_query_length": integer}),
    "users_select": _select("users_select", {"initial_user": _id}),
    "conversations_select": _select("conversations_select", {"initial_conversation": _id, **_conversation}),
    "channels_select": _select("channels_select", {"initial_channel": _id, "response_url_enabled": boolean}),
}
MULTI_MENUS: dict[str, Rule] = {
    "multi_static_select": _static("multi_static_select", multi=True),
    "multi_external_select": _select(
        "multi_external_select",
        {"initial_options": list_of(option, 1, 100), "min_query_length": integer},
        multi=True,
    ),
    "multi_users_select": _select("multi_users_select", {"initial_users": list_of(_id, 0, None)}, multi=True),
    "multi_conversations_select": _select(
        "multi_conversations_select",
        {"initial_conversations": list_of(_id, 0, None), **_conversation},
        multi=True,
    ),
    "multi_channels_select": _select("multi_channels_select", {"initial_channels": list_of(_id, 0, None)}, multi=True),
}
CHOICES: dict[str, Rule] = {
    "datepicker": record({"type": one_of("datepicker")}, {**_prompted, "initial_date": _date}),
    "timepicker": record(
        {"type": one_of("timepicker")},
        {**_prompted, "initial_time": _time, "timezone": string(1)},
    ),
    "datetimepicker": record({"type": one_of("datetimepicker")}, {**_common, "initial_date_time": integer}),
    "checkboxes": both(
        record(
            {"type": one_of("checkboxes"), "options": list_of(option, 1, 10)},
            {**_common, "initial_options": list_of(option, 1, 10)},
        ),
        _initial_among_options,
    ),
    "radio_buttons": both(
        record(
            {"type": one_of("radio_buttons"), "options": list_of(option, 1, 10)},
            {**_common, "initial_option": option},
        ),
        _initial_among_options,
    ),
}
INPUTS: dict[str, Rule] = {
    "plain_text_input": both(
        record(
            {"type": one_of("plain_text_input")},
            {
                **_typed,
                "initial_value": string(),
                "multiline": boolean,
                "min_length": integer,
                "max_length": integer,
            },
        ),
        _lengths_in_order,
    ),
    "email_text_input": record({"type": one_of("email_text_input")}, {**_typed, "initial_value": string()}),
    "url_text_input": record({"type": one_of("url_text_input")}, {**_typed, "initial_value": string()}),
    "number_input": record(
        {"type": one_of("number_input"), "is_decimal_allowed": boolean},
        {
            **_typed,
            "initial_value": string(),
            "min_value": string(),
            "max_value": string(),
        },
    ),
}
BUTTONS: dict[str, Rule] = {"button": button, "overflow": overflow}

in_actions = by_type({**BUTTONS, **MENUS, **CHOICES}, "actions element")
as_accessory = by_type({**BUTTONS, **MENUS, **MULTI_MENUS, **CHOICES, "image": image_element}, "accessory")
in_input = by_type({**MENUS, **MULTI_MENUS, **CHOICES, **INPUTS}, "input element")
in_context = by_type(
    {"image": image_element, "plain_text": plain(3000), "mrkdwn": mrkdwn(3000)},
    "context element",
)

_style = record(
    {},
    {
        "bold": boolean,
        "italic": boolean,
        "strike": boolean,
        "code": boolean,
        "underline": boolean,
    },
)
_styled: dict[str, Rule] = {"style": _style}
_rich_leaf = by_type(
    {
        "text": record({"type": one_of("text"), "text": string(1)}, _styled),
        "link": record(
            {"type": one_of("link"), "url": web_address(3000)},
            {**_styled, "text": string(), "unsafe": boolean},
        ),
        "user": record({"type": one_of("user"), "user_id": _id}, _styled),
        "usergroup": record({"type": one_of("usergroup"), "usergroup_id": _id}, _styled),
        "channel": record({"type": one_of("channel"), "channel_id": _id}, _styled),
        "broadcast": record(
            {
                "type": one_of("broadcast"),
                "range": one_of("here", "channel", "everyone"),
            }
        ),
        "emoji": record(
            {"type": one_of("emoji"), "name": _id},
            {**_styled, "unicode": string(), "skin_tone": integer},
        ),
        "color": record({"type": one_of("color"), "value": _id}),
        "date": record(
            {"type": one_of("date"), "timestamp": integer, "format": string(1)},
            {**_styled, "url": web_address(3000), "fallback": string()},
        ),
    },
    "rich text element",
)
_leaves = list_of(_rich_leaf, 0, None)
_rich_section = record({"type": one_of("rich_text_section"), "elements": _leaves})
rich_text_part = by_type(
    {
        "rich_text_section": _rich_section,
        "rich_text_preformatted": record(
            {"type": one_of("rich_text_preformatted"), "elements": _leaves},
            {"border": integer, "language": string()},
        ),
        "rich_text_quote": record(
            {"type": one_of("rich_text_quote"), "elements": _leaves},
            {"border": integer},
        ),
        "rich_text_list": record(
            {
                "type": one_of("rich_text_list"),
                "elements": list_of(_rich_section, 1, None),
                "style": one_of("bullet", "ordered"),
            },
            {"indent": integer, "offset": integer, "border": integer},
        ),
    },
    "rich text part",
)

section_needs_text = at_least_one("text", "fields")
