"""How commands and buttons are declared: what the catalogue is made of, and from which manifests, trees and help are
made.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from commands.ids import OrganizationId, PersonId
from commands.messages import FieldErrors, Form, FormChoice, Message
from commands.model import Organization, Person
from commands.ports.chat import Acknowledgement, ChatUser, Options, Place, Words
from commands.ports.checker import Checker
from commands.ports.clock import Clock
from commands.ports.network import Networks
from commands.ports.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of an option that has only a few."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What handlers work with."""

    storage: Storage
    clock: Clock
    networks: Networks
    checker: Checker
    public_url: str
    """The address of our pages, without a slash at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody known, asking in their organization. What they may do is asked of `access` when it is carried out."""

    organization: Organization
    person: Person
    user: ChatUser
    place: Place

    @property
    def organization_id(self) -> OrganizationId:
        """The organization that every call to storage names."""
        return self.organization.id

    @property
    def person_id(self) -> PersonId:
        """Who, for the audit log."""
        return self.person.id

    @property
    def origin(self) -> str:
        """From where, for the audit log."""
        return f"{self.user.platform} {self.user.tenant}/{self.user.external_id}"


CommandHandler = Callable[[Services, Asker, Words | Options], Awaitable[Message]]
ActionHandler = Callable[[Services, Asker, tuple[str, ...]], Awaitable[Message]]
FormHandler = Callable[[Services, Asker, tuple[str, ...]], Awaitable[Form]]
"""Gives a form, with the arguments of the button (none for a command). Reads by index and calls nobody: the form is the
acknowledgement. Raises CommandError where there is none to be had.
"""
SubmissionHandler = Callable[
    [Services, Asker, tuple[str, ...], Mapping[str, tuple[str, ...]]], Awaitable[Message | FieldErrors]
]
"""Takes the arguments of the form's action, and what was filled in by field."""
Suggest = Callable[[Services, Asker, str], Awaitable[Sequence[FormChoice]]]
"""What may be meant by what was typed so far, best first, at most 25. Reads by index and calls nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A named option, for platforms that have them. Words carry the same by meaning, in any order."""

    name: str
    description: str
    """At most 100 characters."""
    choices: tuple[Choice, ...] = ()
    """At most 25; empty: any text."""
    suggest: Suggest | None = None
    """Shows choices while somebody types; they may still send any text. Not together with `choices`."""
    is_user: bool = False
    """A user of the platform is chosen; arrives as `@ID`."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subcommand:
    """A subcommand, for platforms that have them; in words it is the first word. It arrives as the option
    `subcommand`.
    """

    name: str
    description: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command. `handler` is called for people who are known; `commands/dispatcher.py` answers everybody else."""

    name: str
    """Without the slash."""
    description: str
    """At most 100 characters."""
    usage: str
    """What can be typed after it, for a hint."""
    handler: CommandHandler
    options: tuple[Option, ...] = ()
    subcommands: tuple[Subcommand, ...] = ()
    """Where there are some, there are no options: a command with subcommands cannot be called bare on Discord."""
    examples: tuple[str, ...] = ()
    form: FormHandler | None = None
    """The form that the command opens when nothing is typed after it."""
    banner: bool = True
    """Its answers open with what waits for the asker (C-11); False: they say so themselves."""
    repeatable: bool = False
    """A request that comes twice may be carried out twice: it changes nothing, or nothing more. All others are
    remembered for a while, which costs a statement.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button's or menu item's action."""

    name: str
    acknowledgement: Acknowledgement
    arguments: int
    """How many it takes; a press with another number is "out of date"."""
    handler: ActionHandler | None = None
    """What a press does; None where it opens a form."""
    form: FormHandler | None = None
    """The form that a press opens. Its own action is of this name, and takes the same number of arguments."""
    submission: SubmissionHandler | None = None
    """What the form, sent off, does."""
    banner: bool = True
    """Its private answers open with what waits for the presser (C-11); False: they say so themselves."""
    names_a_row: bool = False
    """Its first argument is the id of a row, which only one organization has: it tells which one is meant in a direct
    message of somebody who belongs to several."""
    repeatable: bool = False
    """A press that comes twice may be carried out twice, as a command's."""
