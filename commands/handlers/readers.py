"""Who hears of lapses, a person or a channel, and of what: shared by opting in, out, and how often (C-5, N-16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from commands.access import Act, may
from commands.command import Asker, Services
from commands.drawing import network_name
from commands.errors import CommandError
from commands.handlers.gate import refused
from commands.ids import ClientId, PersonId
from commands.model import Channel
from commands.opt_ins import channel_subject
from commands.ports.storage import UnitOfWork
from commands.wording import shown

UNKNOWN_READERS = "I could not find out whether people from outside read this channel"


Want = tuple[str | None, ClientId | None]
"""A network or all, a client or all."""


class _Key(TypedDict):
    person_id: PersonId | None
    channel: Channel | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who hears, the asker or this channel, and the clients that the asker may name for it."""

    channel: Channel | None
    person_id: PersonId
    clients: Mapping[str, ClientId]

    @property
    def key(self) -> _Key:
        """How storage names the reader."""
        return {"person_id": None if self.channel else self.person_id, "channel": self.channel}

    @property
    def hears(self) -> str:
        return "You hear" if self.channel is None else "This channel hears"


async def speak_for(uow: UnitOfWork, asker: Asker, clients: Mapping[str, ClientId], *, here: bool) -> Reader:
    """Whoever is to hear. Raises CommandError where the asker may not speak for the channel."""
    place = asker.place
    if not here:
        return Reader(channel=None, person_id=asker.person.id, clients=clients)
    if place.is_direct or place.workspace is None:
        raise CommandError(
            "“here” means a channel: type this in the channel that should hear. Without it, you are the one who hears."
        )
    if not may(asker.person, Act.OPEN_CHANNEL):
        raise await refused(uow, asker, "What a channel hears is set by staff and administrators.")
    if place.is_shared is not False and not may(asker.person, Act.OPEN_SHARED_CHANNEL):
        outside = "People from outside read this channel" if place.is_shared else UNKNOWN_READERS
        raise await refused(uow, asker, f"{outside}, so an administrator has to set it up.")
    channel = Channel(platform=asker.user.platform, tenant=place.workspace, external_id=place.channel)
    return Reader(channel=channel, person_id=asker.person.id, clients=clients)


def in_words(services: Services, want: Want, clients: Mapping[str, ClientId]) -> str:
    """One opt-in in words."""
    network, client_id = want
    client = next((shown(name) for name, known in clients.items() if known == client_id), "one client")
    lapses = f"{network_name(services.networks, network)} lapses" if network is not None else "lapses"
    if client_id is not None:
        return f"{lapses} of client {client}"
    return lapses if network is not None else "every lapse"


def subject_of(reader: Reader) -> str:
    """Whom a change is about, for the audit log."""
    channel = reader.channel
    return channel_subject(channel) if channel is not None else "themselves"
