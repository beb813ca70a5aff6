"""updated_at is kept by the database, in every table that has one."""

from tests.support.database import Database
from tests.support.rows import Rows

_TABLES = """
    SELECT c.relname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attname = 'updated_at' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
_KEPT = """
    SELECT c.relname FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE p.proname = 'set_updated_at'
        AND t.tgtype = 19  -- row, before, update
        AND t.tgenabled = 'O'
"""


def test_every_table_with_updated_at_has_the_trigger(module_database: Database) -> None:
    with module_database.connect() as connection:
        tables = {name for (name,) in connection.execute(_TABLES)}
        kept = {name for (name,) in connection.execute(_KEPT)}

    assert len(tables) >= 8
    assert tables - kept == set()


def test_an_update_sets_updated_at_whatever_it_says(module_database: Database) -> None:
    with module_database.connect() as connection:
        user = Rows(connection).user(updated_at="2001-01-01", created_at="2001-01-01")
        connection.execute(
            "UPDATE users SET name = 'Ada', updated_at = '2002-02-02' WHERE id = %s", (user,)
        )
        row = connection.execute(
            "SELECT updated_at > now() - interval '1 minute', created_at < '2001-01-03'"
            " FROM users WHERE id = %s",
            (user,),
        ).fetchone()

    assert row == (True, True)
