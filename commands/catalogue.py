"""Everything that can be typed or pressed, declared once: manifests, command trees and the dispatcher read it here."""

from collections.abc import Mapping
from types import MappingProxyType

from commands import actions, usage
from commands.actions import StateFilter
from commands.command import (
    Action,
    ActionHandler,
    Choice,
    Command,
    CommandHandler,
    FormHandler,
    Option,
    Subcommand,
    SubmissionHandler,
)
from commands.handlers import (
    administration,
    assigning,
    channels,
    checking,
    claiming,
    connect,
    drilling,
    forecast,
    help,
    history,
    lapsed,
    links,
    logins,
    moving,
    noting,
    nudging,
    opting_in,
    owners,
    ownership,
    reconnect,
    retiring,
    rhythm,
    role_form,
    snoozing,
    subscriptions,
    suggesting,
    who_can,
)
from commands.model import Rhythm, Topic
from commands.parsing import Show
from commands.ports.chat import Acknowledgement
from commands.usage import Usage

_YES = (Choice(value="yes", label="yes"),)
_HERE = Option(name="here", description="This channel instead of you; for staff and administrators", choices=_YES)
_LISTED = Option(name="list", description="Show what there is, and change nothing", choices=_YES)
_ACCOUNT = Option(name="account", description="An account: part of its name, or its id", suggest=suggesting.accounts)
_CLIENT = Option(name="client", description="Only this client", suggest=suggesting.clients)

_SHOW_LABELS = {
    Show.LIST: "list: what needs connecting",
    Show.WHO: "who: connector, owner, business and history of an account",
    Show.HISTORY: "history: past lapses of an account, with notes",
    Show.STATS: "stats: lapses by week and cause, time to reconnect",
    Show.UPCOMING: "upcoming: what ends within 90 days, and your next reconnect day",
    Show.WHO_CAN: "who-can: who may reconnect an account, and whom to ask",
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
    form: FormHandler | None = None,
    banner: bool = True,
    repeatable: bool = False,
) -> Command:
    return Command(
        name=words.name,
        description=words.description,
        usage=words.usage,
        examples=tuple(example.words for example in words.examples),
        handler=handler,
        options=options,
        subcommands=subcommands,
        form=form,
        banner=banner,
        repeatable=repeatable,
    )


COMMANDS: tuple[Command, ...] = (
    _command(
        usage.LAPSED,
        lapsed.answer,
        banner=False,
        repeatable=True,
        options=(
            Option(
                name="show",
                description="What to show; the list, if left out",
                choices=tuple(Choice(value=show, label=label) for show, label in _SHOW_LABELS.items()),
            ),
            _ACCOUNT,
            Option(
                name="network",
                description="Only this network, by its name or another usual one",
                suggest=suggesting.networks,
            ),
            _CLIENT,
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
        usage.RECONNECT,
        logins.answer,
        banner=False,
        options=(
            _ACCOUNT,
            Option(name="network", description="Only logins of this network", suggest=suggesting.networks),
            _CLIENT,
        ),
    ),
    _command(
        usage.CONNECT,
        connect.answer,
        options=(
            Option(
                name="network",
                description="The network whose accounts to connect",
                suggest=suggesting.networks,
                required=True,
            ),
        ),
    ),
    _command(
        usage.SUBSCRIBE,
        subscriptions.subscribe,
        form=opting_in.form,
        options=(
            Option(name="network", description="Only this network, or all", suggest=suggesting.networks_or_all),
            _CLIENT,
            _HERE,
            Option(
                name="rhythm",
                description="How often you hear",
                choices=tuple(Choice(value=each, label=f"{each}: {rhythm.RHYTHMS[each]}") for each in Rhythm),
            ),
            Option(
                name="for",
                description="What the rhythm is for; both, if left out",
                choices=tuple(Choice(value=topic, label=topic) for topic in Topic),
            ),
            _LISTED,
        ),
    ),
    _command(
        usage.UNSUBSCRIBE,
        subscriptions.unsubscribe,
        options=(
            Option(
                name="network",
                description="The network as you asked for it, or all",
                suggest=suggesting.networks_or_all,
            ),
            Option(name="client", description="The client as you asked for it", suggest=suggesting.clients),
            Option(name="everything", description="End all that there is", choices=_YES),
            _HERE,
            _LISTED,
        ),
    ),
    _command(
        usage.LAPSE_ADMIN,
        administration.lapse_admin,
        subcommands=tuple(each.subcommand for each in administration.ADMINISTERING),
    ),
)


def _on_row(name: str, handler: ActionHandler, *, banner: bool = True, repeatable: bool = False) -> Action:
    """A button of one connection or lapse. Its answer is private: the message around it may be everybody's (N-9)."""
    return Action(
        name=name,
        acknowledgement=Acknowledgement.PRIVATE,
        handler=handler,
        arguments=1,
        names_a_row=True,
        banner=banner,
        repeatable=repeatable,
    )


def _form(name: str, form: FormHandler, submission: SubmissionHandler) -> Action:
    """A button that opens a form, and the form."""
    return Action(name=name, acknowledgement=Acknowledgement.FORM, arguments=0, form=form, submission=submission)


def _form_on_row(name: str, form: FormHandler, submission: SubmissionHandler) -> Action:
    """The same about one lapse or person."""
    return Action(
        name=name,
        acknowledgement=Acknowledgement.FORM,
        arguments=1,
        form=form,
        submission=submission,
        names_a_row=True,
    )


ACTIONS: tuple[Action, ...] = (
    _on_row(actions.RECONNECT, reconnect.press, banner=False),
    _on_row(actions.CLAIM, claiming.claim),
    _on_row(actions.RELEASE, claiming.release),
    _on_row(actions.DETAILS, ownership.details, repeatable=True),
    _on_row(actions.CHECK, checking.press, repeatable=True),
    _on_row(actions.NUDGE, nudging.press),
    _on_row(actions.HISTORY, history.press, repeatable=True),
    _on_row(actions.WHO_CAN, who_can.press, repeatable=True),
    _on_row(actions.SNOOZE_CHOICE, snoozing.choice, repeatable=True),
    _on_row(actions.NOT_MINE, snoozing.not_mine),
    _on_row(actions.RETIRE, retiring.press, repeatable=True),
    _on_row(actions.RETIRE_CONFIRMED, retiring.confirmed),
    _on_row(actions.ACCEPT_MOVE, moving.press, repeatable=True),
    Action(
        name=actions.ACCEPT_MOVE_CONFIRMED,
        acknowledgement=Acknowledgement.PRIVATE,
        handler=moving.confirmed,
        arguments=2,
        names_a_row=True,
    ),
    Action(
        name=actions.ASK, acknowledgement=Acknowledgement.PRIVATE, handler=moving.ask, arguments=2, names_a_row=True
    ),
    _on_row(actions.COPY_LINK, owners.copy_link),
    _on_row(actions.SEND_LINK, owners.press_send),
    _on_row(actions.WITHDRAW_LINK, links.withdraw),
    _on_row(actions.END_CHANNEL, channels.end_channel),
    _on_row(actions.DRILL_ANSWER, drilling.answered),
    Action(
        name=actions.SNOOZE,
        acknowledgement=Acknowledgement.PRIVATE,
        handler=snoozing.snooze,
        arguments=2,
        names_a_row=True,
    ),
    _form_on_row(actions.NOTE, noting.form, noting.submitted),
    _form_on_row(actions.ASSIGN, assigning.form, assigning.submitted),
    Action(
        name=actions.ROLE,
        acknowledgement=Acknowledgement.FORM,
        arguments=2,
        form=role_form.form,
        submission=role_form.submitted,
        names_a_row=True,
    ),
    Action(name=actions.CALENDAR, acknowledgement=Acknowledgement.PRIVATE, handler=forecast.calendar, arguments=0),
    _form(actions.ADD_OWNER, owners.form, owners.submitted),
    Action(
        name=actions.HISTORY_PAGE,
        acknowledgement=Acknowledgement.UPDATE,
        handler=history.turn,
        arguments=2,
        names_a_row=True,
        repeatable=True,
    ),
    Action(
        name=actions.ADMIN_LIST,
        acknowledgement=Acknowledgement.UPDATE,
        handler=administration.turn,
        arguments=actions.ADMIN_LIST_ARGUMENTS,
        repeatable=True,
    ),
    Action(
        name=actions.LIST,
        acknowledgement=Acknowledgement.UPDATE,
        handler=lapsed.turn,
        arguments=actions.LIST_ARGUMENTS,
        repeatable=True,
    ),
    Action(
        name=actions.RECONNECT_LIST,
        acknowledgement=Acknowledgement.UPDATE,
        handler=logins.turn,
        arguments=actions.LIST_ARGUMENTS,
        repeatable=True,
    ),
    _form(actions.SUBSCRIBE_FORM, opting_in.form, opting_in.submitted),
    _form(actions.RHYTHM_FORM, rhythm.form, rhythm.submitted),
    Action(name=actions.SUBSCRIBE, acknowledgement=Acknowledgement.PRIVATE, handler=subscriptions.press, arguments=2),
    Action(name=actions.FEEDBACK, acknowledgement=Acknowledgement.PRIVATE, handler=help.feedback, arguments=2),
)

COMMANDS_BY_NAME: Mapping[str, Command] = MappingProxyType({command.name: command for command in COMMANDS})
ACTIONS_BY_NAME: Mapping[str, Action] = MappingProxyType({action.name: action for action in ACTIONS})
