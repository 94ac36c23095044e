"""What a person filled in, as Slack's `state.values`; and the one check that Slack's client makes itself."""

from bot.playground.vendors.slack.blocks import interactive_of
from bot.playground.vendors.slack.choices import chosen_action
from bot.playground.vendors.slack.wire import Json

REQUIRED = "Please complete this required field."
_STATELESS = ("button", "overflow")


def state_values(blocks: list[Json], filled: Json) -> Json:
    """`{block_id: {action_id: state}}` for every field; `filled` is `{block_id: {action_id: chosen}}`.

    `chosen` is what `choices.chosen_action` takes; an unfilled field keeps what it showed at first.
    """
    values: Json = {}
    for block in blocks:
        for element in interactive_of(block):
            if element["type"] in _STATELESS:
                continue
            chosen = filled.get(block["block_id"], {}).get(element["action_id"])
            if chosen in (None, "", []):
                chosen = _initial(element)
            action = chosen_action(block, element, chosen)
            state = {k: v for k, v in action.items() if k not in ("action_id", "block_id", "action_ts")}
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def missing_fields(blocks: list[Json], values: Json) -> dict[str, str]:
    """The input blocks that have to be filled and are not, with the words that Slack's client shows."""
    missing: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input" or block.get("optional"):
            continue
        state = values[block["block_id"]][block["element"]["action_id"]]
        if not any(value for key, value in state.items() if key != "type"):
            missing[block["block_id"]] = REQUIRED
    return missing


def _initial(element: Json) -> object:
    for name, value in element.items():
        if name == "initial_option":
            return value["value"]
        if name == "initial_options":
            return [each["value"] for each in value]
        if name.startswith("initial_"):
            return value
    return None
