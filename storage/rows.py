"""Rows read as values. Each entity has the list of its columns and a function that takes their values in that order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause

from commands.ids import (
    AuthorizationId,
    ClientId,
    ConnectionId,
    IdentityId,
    LapseId,
    OrganizationId,
    PersonId,
    WorkspaceId,
)
from commands.model import (
    Authorization,
    Claim,
    Connection,
    ConnectionState,
    Doubt,
    Evidence,
    Identity,
    Lapse,
    LapseEnd,
    Organization,
    Parent,
    Person,
    Role,
    Verdict,
    WorkingHours,
    Workspace,
)

ORGANIZATION = ("id", "name", "time_zone", "support_contact", "working_hours")
WORKSPACE = ("id", "organization_id", "platform", "external_id", "name", "client_ids", "is_lost", "told_at")
PERSON = (
    "id", "organization_id", "name", "email", "role", "client_ids", "immediate_notices", "time_zone", "left_at",
    "deputy_id", "list_seen_at", "unlinked",
)  # fmt: skip
IDENTITY = (
    "id", "organization_id", "person_id", "platform", "tenant", "user_id", "linked_at", "looked_at", "gone_at",
)  # fmt: skip
AUTHORIZATION = (
    "id", "organization_id", "network", "subject_id", "subject_name", "connector_id", "granted", "obtained_at",
    "ends_at", "checked_at", "last_good_at", "next_check_at", "doubt_since", "doubt_failures", "generation", "region",
    "failing_since",
)  # fmt: skip
CONNECTION = (
    "id", "organization_id", "client_id", "network", "account_id", "account_name", "state", "parent_id", "parent_name",
    "authorization_id", "connector_id", "owner_id", "doubt_since", "doubt_failures", "last_good_at",
)  # fmt: skip
LAPSE = (
    "id", "organization_id", "connection_id", "authorization_id", "cause", "evidence", "last_good_at", "opened_at",
    "ended_at", "ended_how", "ended_by", "claim_person_id", "claim_until",
)  # fmt: skip


def columns(table: FromClause, names: Sequence[str]) -> list[ColumnElement[Any]]:
    """The table's columns of these names, in order."""
    return [table.c[name] for name in names]


def folded(text: str) -> str:
    """Text as it is compared without case."""
    return text.strip().casefold()


def organization_of(values: Sequence[Any]) -> Organization:
    row_id, name, time_zone, support_contact, hours = values
    return Organization(
        id=OrganizationId(row_id),
        name=name,
        time_zone=time_zone,
        support_contact=support_contact,
        working_hours=WorkingHours(
            days=frozenset(hours["days"]),
            begin=time.fromisoformat(hours["begin"]),
            end=time.fromisoformat(hours["end"]),
        ),
    )


def hours_values(hours: WorkingHours) -> dict[str, Any]:
    """Working hours as they are stored."""
    return {"days": sorted(hours.days), "begin": hours.begin.isoformat(), "end": hours.end.isoformat()}


def workspace_of(values: Sequence[Any]) -> Workspace:
    row_id, organization_id, platform, external_id, name, client_ids, is_lost, told_at = values
    return Workspace(
        id=WorkspaceId(row_id),
        organization_id=OrganizationId(organization_id),
        platform=platform,
        external_id=external_id,
        name=name,
        client_ids=client_ids_of(client_ids),
        is_lost=is_lost,
        told_at=told_at,
    )


def person_of(values: Sequence[Any]) -> Person:
    (
        row_id, organization_id, name, email, role, client_ids, immediate_notices, time_zone, left_at,
        deputy_id, list_seen_at, unlinked,
    ) = values  # fmt: skip
    return Person(
        id=PersonId(row_id),
        organization_id=OrganizationId(organization_id),
        name=name,
        email=email,
        role=Role(role),
        client_ids=client_ids_of(client_ids),
        immediate_notices=immediate_notices,
        time_zone=time_zone,
        left_at=left_at,
        deputy_id=deputy_id,
        list_seen_at=list_seen_at,
        unlinked=frozenset((platform, tenant) for platform, tenant in unlinked or ()),
    )


def client_ids_of(stored: Iterable[str] | None) -> frozenset[ClientId] | None:
    """Read what `client_ids_values` wrote."""
    return None if stored is None else frozenset(ClientId(UUID(client)) for client in stored)


def client_ids_values(client_ids: Iterable[ClientId] | None) -> list[str] | None:
    """Clients as they are stored with whom they limit."""
    return None if client_ids is None else sorted(str(client) for client in client_ids)


def unlinked_values(places: Iterable[tuple[str, str]]) -> list[list[str]] | None:
    """Where accounts of a person were unlinked, as it is stored with them."""
    return sorted([platform, tenant] for platform, tenant in places) or None


def identity_of(values: Sequence[Any]) -> Identity:
    row_id, organization_id, person_id, platform, tenant, user_id, linked_at, looked_at, gone_at = values
    return Identity(
        id=IdentityId(row_id),
        organization_id=OrganizationId(organization_id),
        person_id=PersonId(person_id),
        platform=platform,
        tenant=tenant,
        user=user_id,
        linked_at=linked_at,
        looked_at=looked_at,
        gone_at=gone_at,
    )


def authorization_of(values: Sequence[Any]) -> Authorization:
    (
        row_id, organization_id, network, subject_id, subject_name, connector_id, granted, obtained_at, ends_at,
        checked_at, last_good_at, next_check_at, doubt_since, doubt_failures, generation, region, failing_since,
    ) = values  # fmt: skip
    return Authorization(
        id=AuthorizationId(row_id),
        organization_id=OrganizationId(organization_id),
        network=network,
        subject_id=subject_id,
        subject_name=subject_name,
        connector_id=PersonId(connector_id),
        granted=frozenset(granted),
        obtained_at=obtained_at,
        ends_at=ends_at,
        checked_at=checked_at,
        last_good_at=last_good_at,
        next_check_at=next_check_at,
        doubt=_doubt_of(doubt_since, doubt_failures),
        generation=generation,
        region=region or "",
        failing_since=failing_since,
    )


def connection_of(values: Sequence[Any]) -> Connection:
    (
        row_id, organization_id, client_id, network, account_id, account_name, state, parent_id, parent_name,
        authorization_id, connector_id, owner_id, doubt_since, doubt_failures, last_good_at,
    ) = values  # fmt: skip
    return Connection(
        id=ConnectionId(row_id),
        organization_id=OrganizationId(organization_id),
        client_id=ClientId(client_id),
        network=network,
        account_id=account_id,
        account_name=account_name,
        state=ConnectionState(state),
        parent=None if parent_id is None else Parent(id=parent_id, name=parent_name or ""),
        authorization_id=authorization_id,
        connector_id=connector_id,
        owner_id=owner_id,
        doubt=_doubt_of(doubt_since, doubt_failures),
        last_good_at=last_good_at,
    )


def lapse_of(values: Sequence[Any]) -> Lapse:
    (
        row_id, organization_id, connection_id, authorization_id, cause, evidence, last_good_at, opened_at,
        ended_at, ended_how, ended_by, claim_person_id, claim_until,
    ) = values  # fmt: skip
    return Lapse(
        id=LapseId(row_id),
        organization_id=OrganizationId(organization_id),
        connection_id=ConnectionId(connection_id),
        authorization_id=authorization_id,
        cause=Verdict(cause),
        evidence=evidence_of(evidence),
        last_good_at=last_good_at,
        opened_at=opened_at,
        ended_at=ended_at,
        ended_how=None if ended_how is None else LapseEnd(ended_how),
        ended_by=ended_by,
        claim=None if claim_person_id is None else Claim(person_id=PersonId(claim_person_id), until=claim_until),
    )


def evidence_of(stored: Mapping[str, Any]) -> Evidence:
    moved_to = stored.get("moved_to")
    return Evidence(
        check=stored["check"],
        code=stored.get("code"),
        subcode=stored.get("subcode"),
        http_status=stored.get("http_status"),
        missing=tuple(stored.get("missing", ())),
        moved_to=None if moved_to is None else Parent(id=moved_to["id"], name=moved_to["name"]),
        said=stored.get("said", ""),
    )


def evidence_values(evidence: Evidence) -> dict[str, Any]:
    """Evidence as it is stored: what is known of it."""
    known = {
        "check": evidence.check,
        "code": evidence.code,
        "subcode": evidence.subcode,
        "http_status": evidence.http_status,
        "missing": list(evidence.missing) or None,
        "moved_to": evidence.moved_to and {"id": evidence.moved_to.id, "name": evidence.moved_to.name},
        "said": evidence.said or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def doubt_values(doubt: Doubt | None) -> dict[str, Any]:
    return {
        "doubt_since": None if doubt is None else doubt.since,
        "doubt_failures": None if doubt is None else doubt.failures,
    }


def _doubt_of(since: Any, failures: Any) -> Doubt | None:
    return None if since is None else Doubt(since=since, failures=failures)
