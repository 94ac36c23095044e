"""What can be sent to the API. The OpenAPI document is made from these."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bot.tables import LONGEST
from bot.web.api.calls import MOST_ITEMS, Fields
from commands.host_reports import ReportKind
from commands.model import ConnectionState
from commands.ports.hosting import MessageState
from commands.standard_webhooks import LONGEST_ID


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("needs its offset from UTC, such as 2026-11-22T10:00:00Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no time that has a year in UTC") from None


def _plain(text: str) -> str:
    if any(c < " " or c == "\x7f" for c in text):
        raise ValueError("has a control character in it")
    return text


Text = Annotated[str, Field(max_length=LONGEST)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST)]
PlainName = Annotated[Name, AfterValidator(_plain)]
Time = Annotated[datetime, AfterValidator(_aware)]
"""A time with its offset."""


def _items(name: str) -> Any:
    return Field(
        min_length=1,
        max_length=MOST_ITEMS,
        json_schema_extra={"items": {"$ref": f"#/components/schemas/{name}"}},
    )


class ConnectionIn(Fields):
    """A connection, as a row of the CSV import has it."""

    network: Name
    account_id: Name
    account_name: Name
    client: Name
    connector_email: Text = ""
    owner_email: Text = ""
    parent_id: Text = ""
    parent_name: Text = ""
    webhook_url: Annotated[str, Field(max_length=1000)] = ""
    """Its own address (A-7): it is told there and nowhere else."""


class ConnectionsIn(Fields):
    """Connections; each is judged by itself."""

    connections: Annotated[list[Any], _items("ConnectionIn")]
    update: bool = False
    """Those that are known get the name and client that are sent."""


class PersonIn(Fields):
    """A person, as a row of the CSV import has them."""

    email: Name
    role: Name
    name: Text = ""
    clients: Annotated[list[Name], Field(max_length=MOST_ITEMS, default_factory=list)]
    """Staff alone: only these clients."""


class PeopleIn(Fields):
    """People; each is judged by themselves."""

    people: Annotated[list[Any], _items("PersonIn")]


class ClientIn(Fields):
    """A client."""

    name: PlainName


class ClientsIn(Fields):
    """Clients; each is judged by itself."""

    clients: Annotated[list[Any], _items("ClientIn")]


class InboundData(Fields):
    """What a report is about, however it comes."""

    connection_id: Text = ""
    network: Text = ""
    account_id: Text = ""
    """With `network`, in place of `connection_id`."""
    lapse_id: Text = ""
    """Of `gap_filled` alone; left out, it is the last lapse that ended."""
    reason: Annotated[str, Field(max_length=2000)] = ""
    """In plain words: people read it."""
    cause: Text = ""
    restored_by_email: Text = ""


class ReportIn(InboundData):
    """What happened to a connection that the host product holds."""

    event_id: Annotated[str, Field(min_length=1, max_length=LONGEST_ID), AfterValidator(_plain)]
    """Your own id of it: sent again, it changes nothing."""
    type: ReportKind
    at: Time


class ReportsIn(Fields):
    """Reports, taken in this order; each is judged by itself."""

    reports: Annotated[list[Any], _items("ReportIn")]


class InboundIn(Fields):
    """A signed report: the message's id is the report's event id, and its time, if it has none, the message's."""

    type: ReportKind
    timestamp: Time | None = None
    data: InboundData


class AddressIn(Fields):
    """Where to tell of lapses."""

    url: Annotated[str, Field(min_length=1, max_length=1000)]


class ReplayIn(Fields):
    """What to send again; nothing given: everything that was given up."""

    message_id: Text = ""
    endpoint_id: Text = ""


class PageQuery(Fields):
    """A part of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0


class ConnectionsQuery(PageQuery):
    """Which connections."""

    state: ConnectionState | None = None
    network: Text = ""
    client: Text = ""
    search: Text = ""
    """Part of an account's name, or an account's whole id."""


class MessagesQuery(PageQuery):
    """Which messages."""

    state: MessageState | None = None
    endpoint_id: Text = ""


InboundIn.model_rebuild()
