"""What a person filled in, as Slack's `state.values`; and the checks that Slack's client makes itself."""

from bot.playground.vendors.slack.blocks import interactive_of
from bot.playground.vendors.slack.choices import chosen_action
from bot.playground.vendors.slack.wire import Json

REQUIRED = "Please complete this required field."
TOO_SHORT, TOO_LONG, TOO_MANY = "Please enter at least {}.", "Please enter {} at most.", "Please choose {} at most."
_STATELESS = ("button", "overflow")


def state_values(blocks: list[Json], filled: Json) -> Json:
    """`{block_id: {action_id: state}}` for every field; `filled` is `{block_id: {action_id: chosen}}`.

    `chosen` is what `choices.chosen_action` takes; a field that is not named keeps what it showed at first.
    """
    values: Json = {}
    for block in blocks:
        for element in interactive_of(block):
            if element["type"] in _STATELESS:
                continue
            given = filled.get(block["block_id"], {})
            chosen = given[element["action_id"]] if element["action_id"] in given else _initial(element)
            if chosen == "":
                chosen = None
            action = chosen_action(block, element, chosen)
            state = {k: v for k, v in action.items() if k not in ("action_id", "block_id", "action_ts")}
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def missing_fields(blocks: list[Json], values: Json) -> dict[str, str]:
    """The input blocks that have to be filled and are not, with the words that Slack's client shows."""
    missing: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        state = values[block["block_id"]][block["element"]["action_id"]]
        if not any(value for key, value in state.items() if key != "type"):
            if not block.get("optional"):
                missing[block["block_id"]] = REQUIRED
        elif problem := _beyond(block["element"], state):
            missing[block["block_id"]] = problem
    return missing


def _beyond(element: Json, state: Json) -> str | None:
    """What Slack's client says to a text or a choice beyond the limits of its field."""
    if isinstance(text := state.get("value"), str):
        if len(text) < element.get("min_length", 0):
            return TOO_SHORT.format(f"{element['min_length']} characters")
        if len(text) > element.get("max_length", 3000):
            return TOO_LONG.format(f"{element.get('max_length', 3000)} characters")
    chosen = next((value for value in state.values() if isinstance(value, list)), [])
    most = element.get("max_selected_items")
    return TOO_MANY.format(most) if most is not None and len(chosen) > most else None


def as_left(blocks: list[Json], filled: Json, errors: dict[str, str]) -> list[Json]:
    """The blocks as a person sees them who filled something in and was refused: their words, and what is wrong.

    The error of a block stands in it as `error`, which no block of Slack's has.
    """
    shown = []
    for block in blocks:
        one = block | ({"error": errors[block["block_id"]]} if block["block_id"] in errors else {})
        element = one.get("element")
        given = filled.get(block["block_id"], {})
        if isinstance(element, dict) and element["action_id"] in given:
            one = one | {"element": _with_initial(element, given[element["action_id"]])}
        shown.append(one)
    return shown


def _with_initial(element: Json, chosen: object) -> Json:
    kind: str = element["type"]
    bare = {key: value for key, value in element.items() if not key.startswith("initial_")}
    if chosen in (None, "", []):
        return bare
    options = [*element.get("options", []), *(o for g in element.get("option_groups", []) for o in g["options"])]
    if kind in ("static_select", "radio_buttons", "external_select"):
        found = next((each for each in options if each["value"] == chosen), None)
        return bare | ({"initial_option": found} if found else {})
    if kind in ("multi_static_select", "checkboxes") and isinstance(chosen, list):
        return bare | {"initial_options": [each for each in options if each["value"] in chosen]}
    name = {
        "users_select": "initial_user",
        "conversations_select": "initial_conversation",
        "channels_select": "initial_channel",
        "multi_users_select": "initial_users",
        "multi_conversations_select": "initial_conversations",
        "multi_channels_select": "initial_channels",
        "datepicker": "initial_date",
        "timepicker": "initial_time",
        "datetimepicker": "initial_date_time",
    }.get(kind, "initial_value")
    return bare | {name: chosen}


def _initial(element: Json) -> object:
    for name, value in element.items():
        if name == "initial_option":
            return value["value"]
        if name == "initial_options":
            return [each["value"] for each in value]
        if name.startswith("initial_"):
            return value
    return None
