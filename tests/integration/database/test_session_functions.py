"""Expired sessions are removed; living ones and their installations are not."""

import pytest

from tests.support.database import Database
from tests.support.rows import Rows


@pytest.mark.parametrize("function", ["cleanup_expired_sessions", "purge_expired_auth_sessions"])
def test_expired_sessions_go_with_what_hangs_on_them(database: Database, function: str) -> None:
    with database.connect() as connection:
        rows = Rows(connection)
        user, installation = rows.user(), rows.installation()
        expired = [rows.session(user, expires_at="2020-01-01") for _ in range(2)]
        living = rows.session(user, expires_at="2999-01-01")
        for session in [*expired, living]:
            rows.insert("session_installations", session_id=session, installation_id=installation)

        with database.connect("laurel_identity") as identity:
            first = identity.execute(f"SELECT {function}()").fetchone()
            second = identity.execute(f"SELECT {function}()").fetchone()
        left = connection.execute(
            "SELECT s.id, i.installation_id FROM auth_sessions s"
            " JOIN session_installations i ON i.session_id = s.id"
        ).fetchall()
        links = connection.execute("SELECT count(*) FROM session_installations").fetchone()

    assert (first, second) == ((2,), (0,))
    assert left == [(living, installation)]
    assert links == (1,)


def test_cleanup_leaves_a_session_that_is_in_use_to_the_next_round(database: Database) -> None:
    with database.connect() as connection, database.connect(autocommit=False) as using:
        rows = Rows(connection)
        user = rows.user()
        used = rows.session(user, expires_at="2020-01-01")
        rows.session(user, expires_at="2020-01-01")
        using.execute("SELECT id FROM auth_sessions WHERE id = %s FOR UPDATE", (used,))

        during = connection.execute("SELECT cleanup_expired_sessions()").fetchone()
        using.rollback()
        afterwards = connection.execute("SELECT cleanup_expired_sessions()").fetchone()

    assert (during, afterwards) == ((1,), (1,))
