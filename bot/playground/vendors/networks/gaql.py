"""As much of Google Ads' query language as its stand-in answers: one resource, fields, simple conditions, a limit.

What it does not know it refuses, as Google Ads refuses what is not in its language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Row = Mapping[str, object]
"""A resource's fields by their names in the query language, without the resource's own."""

QUERY = re.compile(
    r"SELECT (?P<fields>[\w., ]+?) FROM (?P<resource>\w+)"
    r"(?: WHERE (?P<conditions>.+?))?(?: ORDER BY (?P<order>[\w.]+))?(?: LIMIT (?P<limit>\d+))?"
)
CONDITION = re.compile(r"(?P<field>[\w.]+) (?:(?P<compare>[=>]) (?P<value>\d+)|IN \((?P<values>[\d, ]+)\))")


class BadQuery(Exception):
    """Not a query that Google Ads would carry out; the text is its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query that was read. Field names are without the resource."""

    resource: str
    fields: tuple[str, ...]
    conditions: tuple[tuple[str, str, frozenset[int]], ...]
    order: str | None
    limit: int | None

    def of(self, rows: Sequence[Row]) -> list[dict[str, object]]:
        """The rows that it selects, with the fields that it asks for, as Google Ads writes them in JSON."""
        kept = [row for row in rows if all(_meets(row, condition) for condition in self.conditions)]
        if self.order is not None:
            order = self.order
            kept.sort(key=lambda row: _number(row, order))
        return [{_camel(name): _json(row[name]) for name in self.fields} for row in kept[: self.limit]]


def read_query(text: str, known: Mapping[str, frozenset[str]]) -> Query:
    """Read a query over the resources in `known`, which have those fields. Raises `BadQuery`."""
    match = QUERY.fullmatch(text.strip())
    if match is None:
        raise BadQuery("UNEXPECTED_INPUT")
    resource = match["resource"]
    if resource not in known:
        raise BadQuery("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE")

    def field(name: str) -> str:
        prefix, _, rest = name.strip().partition(".")
        if prefix != resource or rest not in known[resource]:
            raise BadQuery("UNRECOGNIZED_FIELD")
        return rest

    return Query(
        resource=resource,
        fields=tuple(field(name) for name in match["fields"].split(",")),
        conditions=tuple(
            (field(name), compare, values) for name, compare, values in _conditions(match["conditions"] or "")
        ),
        order=field(match["order"]) if match["order"] else None,
        limit=int(match["limit"]) if match["limit"] else None,
    )


def _conditions(text: str) -> list[tuple[str, str, frozenset[int]]]:
    conditions = []
    for part in text.split(" AND ") if text else []:
        match = CONDITION.fullmatch(part.strip())
        if match is None:
            raise BadQuery("UNEXPECTED_INPUT")
        values = match["values"] or match["value"]
        numbers = frozenset(int(value) for value in values.split(","))
        conditions.append((match["field"], match["compare"] or "IN", numbers))
    return conditions


def _meets(row: Row, condition: tuple[str, str, frozenset[int]]) -> bool:
    name, compare, values = condition
    value = _number(row, name)
    return value > min(values) if compare == ">" else value in values


def _number(row: Row, name: str) -> int:
    value = row[name]
    return value if isinstance(value, int) else 0


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _json(value: object) -> object:
    # An int64 is written as text.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
