"""How commands and buttons are declared: what the catalogue is made of, and from which manifests, trees and help are
made.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from commands.ids import OrganizationId
from commands.messages import Message
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
class Option:
    """A named option, for platforms that have them. Words carry the same by meaning, in any order."""

    name: str
    description: str
    """At most 100 characters."""
    choices: tuple[Choice, ...] = ()
    """At most 25; empty: any text."""
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
    def origin(self) -> str:
        """From where, for the audit log."""
        return f"{self.user.platform} {self.user.tenant}/{self.user.external_id}"


CommandHandler = Callable[[Services, Asker, Words | Options], Awaitable[Message]]
ActionHandler = Callable[[Services, Asker, tuple[str, ...]], Awaitable[Message]]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button's or menu item's action."""

    name: str
    acknowledgement: Acknowledgement
    handler: ActionHandler
    arguments: int
    """How many it takes; a press with another number is "out of date"."""
    names_a_row: bool = False
    """Its first argument is the id of a row, which only one organization has: it tells which one is meant in a direct
    message of somebody who belongs to several."""
