"""Passwords of login roles."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from laurel_common.db.engine import psycopg_url


def set_role_passwords(url: str, passwords: Mapping[str, str]) -> None:
    """Sets each role's password; `url` connects as somebody who may alter the roles.

    What travels, and what a server that logs statements would write, is the SCRAM verifier.
    """
    with psycopg.connect(psycopg_url(url)) as connection:
        for role, password in sorted(passwords.items()):
            verifier = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(verifier.decode())
                )
            )
