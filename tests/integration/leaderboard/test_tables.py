"""The tables that the code writes queries with are those that the migrations make."""

import pytest
from sqlalchemy import Table, create_engine, inspect
from sqlalchemy.dialects import postgresql

from laurel_leaderboard.storage.tables import metadata
from tests.support.database import Database

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_a_table_is_as_migrated(module_database: Database, table: Table) -> None:
    engine = create_engine(module_database.url().replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = inspect(connection)
        migrated = {
            column["name"]: (column["type"].compile(DIALECT), column["nullable"])
            for column in found.get_columns(table.name)
        }
        key = found.get_pk_constraint(table.name)
    engine.dispose()
    written = {c.name: (c.type.compile(DIALECT), c.nullable) for c in table.columns}
    assert written == migrated
    assert key["name"] == table.primary_key.name
    assert key["constrained_columns"] == [column.name for column in table.primary_key]


def test_every_table_of_the_role_is_written_down(module_database: Database) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT table_name::text FROM information_schema.role_table_grants"
            " WHERE grantee = 'laurel_leaderboard' AND table_schema = 'public'"
        ).fetchall()
    assert {row[0] for row in rows} == set(metadata.tables)
