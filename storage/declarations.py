"""How the tables are declared: their kinds of columns, keys that stay within an organization, names of constraints."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    Uuid,
)

NOBODY = UUID(int=0)
"""Stands for "none" in keys, where NULL would not count as equal to NULL."""


class Words(TypeDecorator[str]):
    """Text from anywhere. NUL, which PostgreSQL refuses, and lone surrogates, which UTF-8 cannot hold, are replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if "\0" not in value and value.isascii():
            return str(value)
        return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)


class Key(Words):
    """Words in the order of their characters' numbers, as SQLite has them, so that a range finds a beginning."""

    impl = Text().with_variant(Text(collation="C"), "postgresql")  # type: ignore[assignment]  # an instance is one too
    cache_ok = True


def column(name: str, kind: Any, *more: Any, null: bool = False, **options: Any) -> Column[Any]:
    return Column(name, kind, *more, nullable=null, **options)


def row_id(name: str = "id", *more: Any, null: bool = False, **options: Any) -> Column[Any]:
    return column(name, Uuid(), *more, null=null, **options)


def organization() -> Column[Any]:
    return row_id("organization_id", ForeignKey("organizations.id"))


def within(column: str, table: str) -> ForeignKeyConstraint:
    """A key that cannot leave the organization."""
    return ForeignKeyConstraint(["organization_id", column], [f"{table}.organization_id", f"{table}.id"])


def partial(name: str, *columns: Any, where: Any, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def json(name: str, *, null: bool = False) -> Column[Any]:
    return column(name, JSON(none_as_null=True), null=null)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
