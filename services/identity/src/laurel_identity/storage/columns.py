"""Rows handed to PostgreSQL as columns: one array parameter each, however many rows."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, FromClause, Table, any_, column, func, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import Text, TypeEngine

Columns = Sequence[tuple[str, TypeEngine[Any]]]


def unnested(name: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> FromClause:
    """A table called `name` of the rows' values; one column for each (name, type)."""
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [
        literal(list(held), ARRAY(kind)) for held, (_, kind) in zip(values, columns, strict=True)
    ]
    named = [column(each, kind) for each, kind in columns]
    return func.unnest(*arrays).table_valued(*named, name=name).render_derived()


def unnested_like(
    name: str, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> FromClause:
    """A table called `name` of the rows' values, with the types of the table's columns; enums
    are text.
    """
    return unnested(name, [(each, _array_type(table.c[each])) for each in columns], rows)


def any_id(of: ColumnElement[int], ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a column holds one of the ids: one parameter, one plan, whatever their number."""
    return of == any_(literal(sorted(ids), ARRAY(BigInteger)))


def any_name(of: ColumnElement[str], names: Collection[str]) -> ColumnElement[bool]:
    """Whether an expression is one of the names."""
    return of == any_(literal(sorted(names), ARRAY(Text)))


def _array_type(of: Column[Any]) -> TypeEngine[Any]:
    return Text() if hasattr(of.type, "enums") else of.type
