"""People with sessions, as rows: what signing in leaves behind, without GitHub."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg

from bench.dataset import Tenant

FIRST_USER = 900_000_000


def token_of(number: int) -> str:
    """The session token of a person."""
    return sha256(f"bench {number}".encode()).hexdigest()


def sign_in(url: str, count: int, tenant: Tenant | None = None) -> None:
    """Gives `count` people a session each, and makes them members of the tenant where one is
    named, who read just now what is there.
    """
    ids = [FIRST_USER + each for each in range(count)]
    sessions = [sha256(token_of(each).encode()).hexdigest() for each in range(count)]
    expires = datetime.now(UTC) + timedelta(days=1)
    with psycopg.connect(url) as owner:
        owner.execute(
            "INSERT INTO users (id, login, avatar_url)"
            " SELECT id, 'bench-' || id, '' FROM unnest(%s::bigint[]) AS id",
            [ids],
        )
        owner.execute(
            "INSERT INTO auth_sessions (id, user_id, github_token_encrypted, github_token_iv,"
            " github_token_tag, github_token_type, github_token_scope, expires_at)"
            " SELECT s.id, s.user_id, '', '', '', 'bearer', '', %s"
            " FROM unnest(%s::text[], %s::bigint[]) AS s (id, user_id)",
            [expires, sessions, ids],
        )
        if tenant is not None:
            owner.execute(
                "INSERT INTO organization_memberships (user_id, organization_id)"
                " SELECT id, %s FROM unnest(%s::bigint[]) AS id",
                [tenant.organization_id, ids],
            )
            owner.execute(
                "INSERT INTO session_repositories"
                " (session_id, installation_id, repository_ids, read_at)"
                " SELECT id, %s, '{}', now() FROM unnest(%s::text[]) AS id",
                [tenant.installation_id, sessions],
            )
