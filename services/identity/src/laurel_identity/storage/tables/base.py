"""What identity's table definitions share: the metadata, the enums, and column shapes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKeyConstraint,
    MetaData,
    Text,
    collate,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.sql import ColumnElement

metadata = MetaData()

account_type = ENUM("organization", "user", name="account_type", create_type=False)
team_privacy = ENUM("secret", "closed", "open", name="team_privacy", create_type=False)


def folded_sql(name: ColumnElement[str]) -> ColumnElement[str]:
    """A name as domain.names.folded has it; the folded indexes are on this expression."""
    return func.lower(collate(name, "C"))


def id_column(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, autoincrement=False, nullable=nullable)


def text_column(name: str, *, nullable: bool = False, default: str | None = None) -> Column[str]:
    server_default = None if default is None else text(f"'{default}'")
    return Column(name, Text, nullable=nullable, server_default=server_default)


def flag_column(name: str, *, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text(str(default).lower()))


def time_column(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def stamp_column(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def reference(
    name: str, column: str, target: str, on_delete: str = "CASCADE"
) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([column], [target], name=name, ondelete=on_delete)
