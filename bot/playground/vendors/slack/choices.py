"""One element of a message or view and what a person chose there, as an entry of a payload's `actions`."""

import json
import time

from bot.playground.vendors.slack.wire import Json, RefusedError


def chosen_action(block: Json, element: Json, chosen: object) -> Json:
    """The entry of `actions` for one element; `chosen` is an option's value, an id, a date or a list of values."""
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": f"{time.time():.6f}",
    }
    kind = element["type"]
    if kind == "button":
        return action | {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    options: list[Json] = list(element.get("options", []))
    options += [o for group in element.get("option_groups", []) for o in group["options"]]
    if kind in ("overflow", "static_select", "radio_buttons", "external_select"):
        return action | {"selected_option": _option(options, chosen) if chosen is not None else None}
    if kind in ("multi_static_select", "checkboxes"):
        wanted = chosen if isinstance(chosen, list) else []
        return action | {"selected_options": [_option(options, each) for each in wanted]}
    field = {
        "users_select": "selected_user",
        "conversations_select": "selected_conversation",
        "channels_select": "selected_channel",
        "datepicker": "selected_date",
        "timepicker": "selected_time",
        "datetimepicker": "selected_date_time",
        "multi_users_select": "selected_users",
        "multi_conversations_select": "selected_conversations",
        "multi_channels_select": "selected_channels",
    }.get(kind, "value")
    return action | {field: chosen}


def _option(options: list[Json], value: object) -> Json:
    found = next((o for o in options if o["value"] == value), None)
    if found is None:
        raise RefusedError("option_not_found", json.dumps(value, default=str))
    return found


def url_of(element: Json, action: Json) -> str | None:
    url = element.get("url") or (action.get("selected_option") or {}).get("url")
    return str(url) if url else None
