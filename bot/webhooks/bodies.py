"""What the messages to the host product say, written once: the API answers with the same objects."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from commands.causes import cause_name, lapse_text
from commands.gaps import Gap, gap_of
from commands.ids import to_wire
from commands.model import Connection, ConnectionView, Lapse, Person
from commands.ports.events import Event, EventKind
from commands.ports.hosting import GapFilled
from commands.ports.network import NetworkSpec

TYPES: Mapping[EventKind, str] = {
    EventKind.LAPSE_OPENED: "lapse.opened",
    EventKind.LAPSE_CHANGED: "lapse.changed",
    EventKind.LAPSE_ENDED: "lapse.ended",
    EventKind.RETIRED: "connection.retired",
    EventKind.TRANSFERRED: "connection.transferred",
}
"""What is told, and its name to the outside."""

Json = Mapping[str, object]


def body_of(event: Event, view: ConnectionView, spec: NetworkSpec | None, restorer: Person | None) -> str:
    """The body of a message about an event. It says what held when the event was made: of a lapse that was opened, no
    end, although it may have ended since.
    """
    data: dict[str, object] = {"connection": connection_json(view, spec)}
    if view.lapse is not None:
        data["lapse"] = lapse_json(view.lapse, spec, restorer=restorer, is_over=event.kind is EventKind.LAPSE_ENDED)
    return json.dumps(
        {"type": TYPES[event.kind], "timestamp": time_text(event.at), "data": data},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def connection_json(view: ConnectionView, spec: NetworkSpec | None) -> Json:
    """A connection, as the API and the messages give it."""
    connection = view.connection
    return {
        "id": to_wire(connection.id),
        "network": connection.network,
        "network_name": spec.name if spec is not None else connection.network,
        "account_id": connection.account_id,
        "account_name": connection.account_name,
        "client": {"id": to_wire(connection.client_id), "name": view.client_name},
        "parent": _parent_json(connection),
        "state": connection.state.value,
        "connector": person_json(view.connector),
        "owner": person_json(view.owner),
        "last_good_at": time_text(connection.last_good_at),
    }


def lapse_json(
    lapse: Lapse,
    spec: NetworkSpec | None,
    *,
    restorer: Person | None = None,
    is_over: bool = True,
    filled: GapFilled | None = None,
) -> Json:
    """A lapse with its gap. `is_over` False: it is told as it was before it ended."""
    ended = is_over and lapse.ended_at is not None
    gap = gap_json(gap_of(lapse, spec, filled))
    return {
        "id": to_wire(lapse.id),
        "cause": lapse.cause.value,
        "cause_name": cause_name(lapse.cause),
        "what_happened": lapse_text(spec, lapse).happened,
        "opened_at": time_text(lapse.opened_at),
        "ended_at": time_text(lapse.ended_at) if ended else None,
        "ended_how": lapse.ended_how.value if ended and lapse.ended_how is not None else None,
        "reconnected_by": person_json(restorer) if ended else None,
        "gap": gap if ended else {**gap, "ends_at": None},
    }


def gap_json(gap: Gap) -> Json:
    """A gap; `fetchable_until` null where it is not known how far back the network goes."""
    return {
        "begins_at": time_text(gap.begins_at),
        "ends_at": time_text(gap.ends_at),
        "fetchable_until": time_text(gap.fetchable_until),
        "filled_at": time_text(gap.filled_at),
    }


def person_json(person: Person | None) -> Json | None:
    """A person, for the host product, which knows people by their address."""
    return None if person is None else {"id": to_wire(person.id), "name": person.name, "email": person.email}


def time_text(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, with a Z."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _parent_json(connection: Connection) -> Json | None:
    parent = connection.parent
    return None if parent is None else {"id": parent.id, "name": parent.name}
