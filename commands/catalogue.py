"""Everything that can be typed or pressed, declared once: manifests, command trees and the dispatcher read it here."""

from collections.abc import Mapping
from types import MappingProxyType

from commands import actions, usage
from commands.actions import StateFilter
from commands.command import Action, ActionHandler, Choice, Command, CommandHandler, Option, Subcommand
from commands.handlers import (
    administration,
    checking,
    claiming,
    help,
    lapsed,
    nudging,
    ownership,
    reconnect,
    subscriptions,
)
from commands.parsing import Show
from commands.ports.chat import Acknowledgement
from commands.usage import Usage

_YES = (Choice(value="yes", label="yes"),)
_HERE = Option(name="here", description="This channel instead of you; for staff and administrators", choices=_YES)
_LISTED = Option(name="list", description="Show what there is, and change nothing", choices=_YES)

_SHOW_LABELS = {
    Show.LIST: "list: what needs connecting",
    Show.WHO: "who: connector, owner, business and history of an account",
    Show.CHECK: "check: look now whether an account works",
    Show.WHY: "why: what makes connections lapse",
    Show.HELP: "help: what can be typed",
}

_STATE_LABELS = {
    StateFilter.LAPSED: "lapsed",
    StateFilter.EXPIRING: "expiring within 14 days",
    StateFilter.ACTIVE: "active",
    StateFilter.UNCONNECTED: "not connected yet",
    StateFilter.RETIRED: "retired",
    StateFilter.ALL: "all ever connected",
}


def _command(
    words: Usage,
    handler: CommandHandler,
    *,
    options: tuple[Option, ...] = (),
    subcommands: tuple[Subcommand, ...] = (),
) -> Command:
    return Command(
        name=words.name,
        description=words.description,
        usage=words.usage,
        examples=tuple(example.words for example in words.examples),
        handler=handler,
        options=options,
        subcommands=subcommands,
    )


COMMANDS: tuple[Command, ...] = (
    _command(
        usage.LAPSED,
        lapsed.answer,
        options=(
            Option(
                name="show",
                description="What to show; the list, if left out",
                choices=tuple(Choice(value=show, label=label) for show, label in _SHOW_LABELS.items()),
            ),
            Option(name="account", description="An account: part of its name, or its id"),
            Option(name="network", description="Only this network, by its name or another usual one"),
            Option(name="client", description="Only this client"),
            Option(name="person", description="Only what this person connected or owns", is_user=True),
            Option(
                name="state",
                description="Only these; what needs connecting, if left out",
                choices=tuple(Choice(value=state, label=label) for state, label in _STATE_LABELS.items()),
            ),
            Option(name="mine", description="Only what you connected or own", choices=_YES),
        ),
    ),
    _command(
        usage.SUBSCRIBE,
        subscriptions.subscribe,
        options=(
            Option(name="network", description="Only this network, or all"),
            Option(name="client", description="Only this client"),
            _HERE,
            _LISTED,
        ),
    ),
    _command(
        usage.UNSUBSCRIBE,
        subscriptions.unsubscribe,
        options=(
            Option(name="network", description="The network as you asked for it, or all"),
            Option(name="client", description="The client as you asked for it"),
            Option(name="everything", description="End all that there is", choices=_YES),
            _HERE,
            _LISTED,
        ),
    ),
    _command(
        usage.LAPSE_ADMIN,
        administration.lapse_admin,
        subcommands=(
            Subcommand(
                name="claim",
                description="Give this workspace to your organization",
                options=(
                    Option(name="code", description="The code that whoever runs lapsebot gave you", required=True),
                ),
            ),
        ),
    ),
)


def _on_row(name: str, handler: ActionHandler) -> Action:
    """A button of one connection or lapse. Its answer is private: the message around it may be everybody's (N-9)."""
    return Action(name=name, acknowledgement=Acknowledgement.PRIVATE, handler=handler, arguments=1, names_a_row=True)


ACTIONS: tuple[Action, ...] = (
    _on_row(actions.RECONNECT, reconnect.press),
    _on_row(actions.CLAIM, claiming.claim),
    _on_row(actions.RELEASE, claiming.release),
    _on_row(actions.DETAILS, ownership.details),
    _on_row(actions.CHECK, checking.press),
    _on_row(actions.NUDGE, nudging.press),
    Action(
        name=actions.LIST,
        acknowledgement=Acknowledgement.UPDATE,
        handler=lapsed.turn,
        arguments=actions.LIST_ARGUMENTS,
    ),
    Action(name=actions.SUBSCRIBE, acknowledgement=Acknowledgement.PRIVATE, handler=subscriptions.press, arguments=2),
    Action(name=actions.FEEDBACK, acknowledgement=Acknowledgement.PRIVATE, handler=help.feedback, arguments=2),
)

COMMANDS_BY_NAME: Mapping[str, Command] = MappingProxyType({command.name: command for command in COMMANDS})
ACTIONS_BY_NAME: Mapping[str, Action] = MappingProxyType({action.name: action for action in ACTIONS})
