"""The words of the trade as values: organizations, people, connections, authorizations, lapses, subscriptions.

Everything is frozen; times are aware UTC. Nothing here knows how it is stored, drawn or sent.
"""

from commands.model.accounts import (
    NEEDS_CONNECTING,
    Claim,
    Connection,
    ConnectionState,
    Lapse,
    LapseEnd,
    LapseNote,
    Mute,
)
from commands.model.grants import (
    CLEAR_LAPSES,
    RECONNECT_DOES_NOT_HELP,
    Authorization,
    Doubt,
    Evidence,
    Finding,
    Parent,
    Pause,
    Tokens,
    Verdict,
)
from commands.model.lists import ConnectionView, Count, Filter, LapseCount, Page, Scope, Stats, Wait
from commands.model.members import Client, Identity, Organization, Person, Role, WorkingHours, Workspace
from commands.model.telling import Channel, Drill, Preference, Rhythm, Subscription, Topic

__all__ = [
    "CLEAR_LAPSES",
    "NEEDS_CONNECTING",
    "RECONNECT_DOES_NOT_HELP",
    "Authorization",
    "Channel",
    "Claim",
    "Client",
    "Connection",
    "ConnectionState",
    "ConnectionView",
    "Count",
    "Doubt",
    "Drill",
    "Evidence",
    "Filter",
    "Finding",
    "Identity",
    "Lapse",
    "LapseCount",
    "LapseEnd",
    "LapseNote",
    "Mute",
    "Organization",
    "Page",
    "Parent",
    "Pause",
    "Person",
    "Preference",
    "Rhythm",
    "Role",
    "Scope",
    "Stats",
    "Subscription",
    "Tokens",
    "Topic",
    "Verdict",
    "Wait",
    "WorkingHours",
    "Workspace",
]
