"""Builders of database rows with defaults, for tests that need some rows to stand on."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any

from psycopg import Connection, sql

MIDSUMMER = datetime(2025, 6, 24, 12, 0, tzinfo=UTC)


class Rows:
    """Inserts rows through an owner's connection; every value can be given by keyword."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._ids = count(1_000)

    def user(self, **values: Any) -> int:
        number = next(self._ids)
        row = {"id": number, "login": f"user-{number}", "avatar_url": f"https://a/{number}"}
        return self._insert("users", "id", row | values)

    def organization(self, **values: Any) -> int:
        number = next(self._ids)
        return self._insert(
            "organizations", "id", {"id": number, "login": f"org-{number}"} | values
        )

    def repository(self, **values: Any) -> int:
        number = next(self._ids)
        row = {
            "id": number,
            "full_name": f"org/repo-{number}",
            "name": f"repo-{number}",
            "owner_login": "org",
        }
        return self._insert("repositories", "id", row | values)

    def team(self, organization_id: int, **values: Any) -> int:
        number = next(self._ids)
        row = {
            "id": number,
            "organization_id": organization_id,
            "slug": f"team-{number}",
            "name": f"Team {number}",
        }
        return self._insert("teams", "id", row | values)

    def installation(self, **values: Any) -> int:
        """An installation on an organization, made here where no account is given."""
        row: dict[str, Any] = {"installation_id": next(self._ids), "app_id": 1}
        if not {"organization_id", "user_account_id"} & values.keys():
            row["organization_id"] = self.organization()
        return self._insert("github_installations", "installation_id", row | values)

    def session(self, user_id: int, **values: Any) -> str:
        row = {
            "id": sha256(str(next(self._ids)).encode()).hexdigest(),
            "user_id": user_id,
            "github_token_encrypted": "c2VjcmV0",
            "github_token_iv": "aXY=",
            "github_token_tag": "dGFn",
            "github_token_type": "bearer",
            "github_token_scope": "",
            "expires_at": MIDSUMMER,
        }
        return str(self._execute("auth_sessions", "id", row | values))

    def preset(self, installation_id: int, **values: Any) -> int:
        row = {"installation_id": installation_id, "preset_name": f"preset-{next(self._ids)}"}
        return self._insert("scoring_presets", "id", row | values)

    def signal(self, installation_id: int, user_id: int, repository_id: int, **values: Any) -> int:
        row = {
            "installation_id": installation_id,
            "user_id": user_id,
            "repository_id": repository_id,
            "type": "commit",
            "event_timestamp": MIDSUMMER,
            "content_hash": sha256(str(next(self._ids)).encode()).hexdigest(),
        }
        return self._insert("signals", "id", row | values)

    def materialization(self, preset_id: int, organization_id: int, **values: Any) -> int:
        """The current version of an organization's contributors of all time, unless told else."""
        row = {
            "preset_id": preset_id,
            "scope_type": "organization",
            "organization_id": organization_id,
            "entity_type": "contributor",
            "time_period": "all_time",
            "retention_state": "current",
        }
        return self._insert("leaderboard_materializations", "id", row | values)

    def score(self, materialization_id: int, **values: Any) -> int:
        row = {
            "materialization_id": materialization_id,
            "entity_type": "contributor",
            "time_period": "all_time",
            "breakdown": "{}",
            "counts": "{}",
            "rank": 1,
        }
        return self._insert("computed_scores", "id", row | values)

    def insert(self, table: str, **values: Any) -> None:
        """A row of any table, every value given."""
        self._execute(table, None, values)

    def _insert(self, table: str, key: str, values: dict[str, Any]) -> int:
        number: int = self._execute(table, key, values)
        return number

    def _execute(self, table: str, key: str | None, values: dict[str, Any]) -> Any:
        values = {
            name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in values.items()
        }
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        )
        if key is None:
            self._connection.execute(statement, values)
            return None
        statement += sql.SQL(" RETURNING {}").format(sql.Identifier(key))
        row = self._connection.execute(statement, values).fetchone()
        assert row is not None
        return row[0]
