"""The tables that identity's queries are written with are those that the migrations make."""

from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    MetaData,
    Table,
    UniqueConstraint,
    create_engine,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateIndex

from laurel_identity.storage.tables import metadata
from tests.support.database import Database

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
INDEXES = """
    SELECT indexrelid::regclass::text, indisunique, indpred IS NOT NULL,
           array(SELECT pg_get_indexdef(indexrelid, n, true) FROM generate_series(1, indnkeyatts) n)
    FROM pg_index WHERE indrelid = CAST(:table AS regclass)
"""


@pytest.fixture(scope="module")
def migrated(module_database: Database) -> MetaData:
    """The same tables, as the database tells them."""
    url = module_database.url().replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    found = MetaData()
    found.reflect(engine, only=list(metadata.tables))
    engine.dispose()
    return found


def columns(table: Table) -> list[tuple[str, str, bool, bool]]:
    return [
        (c.name, c.type.compile(DIALECT), bool(c.nullable), c.server_default is not None)
        for c in table.columns
    ]


def constraints(table: Table) -> set[tuple[Any, ...]]:
    described: set[tuple[Any, ...]] = {
        ("primary key", table.primary_key.name, *(c.name for c in table.primary_key))
    }
    for each in table.constraints:
        if isinstance(each, ForeignKeyConstraint):
            targets = tuple(element.target_fullname for element in each.elements)
            described.add(("foreign key", each.name, *each.column_keys, *targets, each.ondelete))
        elif isinstance(each, UniqueConstraint):
            described.add(("unique", each.name, *(column.name for column in each.columns)))
        elif isinstance(each, CheckConstraint):
            described.add(("check", each.name))
    return described


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_a_table_is_as_migrated(migrated: MetaData, name: str) -> None:
    written, found = metadata.tables[name], migrated.tables[name]
    assert columns(written) == columns(found)
    assert constraints(written) == constraints(found)


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_the_indexes_of_a_table_are_as_migrated(module_database: Database, name: str) -> None:
    """Made from what is written in a copy of the schema, they come out as the migrated ones."""
    url = module_database.url().replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with engine.connect() as connection:
        migrated = indexes(connection, name)
        for index in metadata.tables[name].indexes:
            connection.execute(text(f'DROP INDEX "{index.name}"'))
            connection.execute(text(str(CreateIndex(index).compile(dialect=DIALECT))))
        assert indexes(connection, name) == migrated
        written = {index.name for index in metadata.tables[name].indexes}
        keys = {each.name for each in metadata.tables[name].constraints}
        assert {each[0] for each in migrated} == written | (keys & {each[0] for each in migrated})
        connection.rollback()
    engine.dispose()


def indexes(connection: Connection, name: str) -> set[tuple[Any, ...]]:
    rows = connection.execute(text(INDEXES), {"table": name})
    return {(row[0], row[1], row[2], tuple(row[3])) for row in rows}


def test_every_table_of_the_role_is_written_down(module_database: Database) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT table_name::text FROM information_schema.role_table_grants"
            " WHERE grantee = 'laurel_identity' AND table_schema = 'public'"
        ).fetchall()
    assert {row[0] for row in rows} == set(metadata.tables)
