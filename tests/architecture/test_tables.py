"""The tables that the services' queries are written with are those that the migrations make."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Enum, MetaData, Table, create_engine
from sqlalchemy.dialects import postgresql

from tests.support.database import Database

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
CONTEXTS = ("identity", "ingest", "leaderboard", "scoring")
# What a role may write to, without the partitions that go by their parent's name.
_WRITABLE = """
    SELECT DISTINCT table_name FROM information_schema.role_table_grants
    WHERE grantee = %s AND table_schema = 'public' AND privilege_type = 'INSERT'
        AND table_name NOT IN (
            SELECT inhrelid::regclass::text FROM pg_inherits
            WHERE inhparent = 'signals'::regclass
        )
"""


def tables_of(context: str) -> dict[str, Table]:
    """The tables that a context writes down, by name."""
    metadata: MetaData = import_module(f"laurel_{context}.storage.tables").metadata
    return dict(metadata.tables)


@pytest.fixture(scope="module")
def migrated(module_database: Database) -> Iterator[MetaData]:
    """Every table, as the database tells it."""
    engine = create_engine(module_database.url().replace("postgresql:", "postgresql+psycopg:"))
    found = MetaData()
    found.reflect(engine)
    yield found
    engine.dispose()


def described(table: Table) -> dict[str, tuple[str, bool]]:
    """Column → (type, whether it may be null)."""
    return {each.name: (each.type.compile(DIALECT), bool(each.nullable)) for each in table.columns}


@pytest.mark.parametrize(
    ("context", "name"),
    [(context, name) for context in CONTEXTS for name in sorted(tables_of(context))],
)
def test_a_table_has_the_columns_types_and_nulls_of_the_schema(
    migrated: MetaData, context: str, name: str
) -> None:
    written, found = tables_of(context)[name], migrated.tables[name]
    assert described(written) == described(found)
    assert [each.name for each in written.primary_key] == [each.name for each in found.primary_key]


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_context_writes_down_the_tables_that_its_role_owns(
    module_database: Database, context: str
) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(_WRITABLE, (f"laurel_{context}",)).fetchall()
    assert set(tables_of(context)) == {name for (name,) in rows}


def test_every_table_belongs_to_one_context(migrated: MetaData) -> None:
    owned = [name for context in CONTEXTS for name in tables_of(context)]
    assert len(owned) == len(set(owned))
    others = {
        name
        for name in migrated.tables
        if name not in owned and not name.startswith(("signals_2", "signals_1", "signals_default"))
    }
    # The migrations' own log.
    assert all("migration" in name or "yoyo" in name for name in others), others


def test_enums_have_the_values_of_the_schema(module_database: Database) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(
            "SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)"
            " FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname"
        ).fetchall()
    stored = dict(rows)
    written = {
        (name, str(column.type.name)): list(column.type.enums)
        for context in CONTEXTS
        for name, table in tables_of(context).items()
        for column in table.columns
        if isinstance(column.type, Enum)
    }
    assert written
    for (name, kind), values in written.items():
        assert values == stored[kind], f"{name}: {kind}"
