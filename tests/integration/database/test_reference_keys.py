"""Primary keys, foreign keys with what a deletion does, and indexes, as the reference has them."""

import pytest

from tests.support.database import Database

PRIMARY_KEYS = {
    "users": "id",
    "organizations": "id",
    "repositories": "id",
    "teams": "id",
    "organization_memberships": "user_id, organization_id",
    "team_members": "team_id, user_id",
    "team_repositories": "team_id, repository_id",
    "github_installations": "installation_id",
    "installation_repositories": "installation_id, repository_id",
    "auth_sessions": "id",
    "session_installations": "session_id, installation_id",
    "scoring_presets": "id",
    "scoring_preset_rules": "preset_id",
    "scoring_preset_base_points": "preset_id, signal_type",
    "scoring_preset_multipliers": "preset_id, kind",
    "scoring_preset_multiplier_signal_types": "preset_id, kind, signal_type",
    "scoring_preset_review_state_weights": "preset_id, state",
    "scoring_preset_daily_quotas": "preset_id, signal_type",
    "scoring_preset_zero_point_conditions": "preset_id, kind",
    "signals": "id, event_timestamp",
    "signals_partition_health": "id",
    "ingest_log": "id",
    "repository_sync_state": "id",
    "leaderboard_materializations": "id",
    "computed_scores": "id",
}

CASCADE, RESTRICT, NO_ACTION, SET_NULL = "c", "r", "a", "n"

# (table, columns) → (referenced table, on delete).
FOREIGN_KEYS = {
    ("repositories", "organization_id"): ("organizations", SET_NULL),
    ("teams", "organization_id"): ("organizations", CASCADE),
    ("organization_memberships", "user_id"): ("users", CASCADE),
    ("organization_memberships", "organization_id"): ("organizations", CASCADE),
    ("team_members", "team_id"): ("teams", CASCADE),
    ("team_members", "user_id"): ("users", CASCADE),
    ("team_repositories", "team_id"): ("teams", CASCADE),
    ("team_repositories", "repository_id"): ("repositories", CASCADE),
    ("github_installations", "organization_id"): ("organizations", RESTRICT),
    ("github_installations", "user_account_id"): ("users", RESTRICT),
    ("installation_repositories", "installation_id"): ("github_installations", CASCADE),
    ("installation_repositories", "repository_id"): ("repositories", CASCADE),
    ("auth_sessions", "user_id"): ("users", CASCADE),
    ("session_installations", "session_id"): ("auth_sessions", CASCADE),
    ("session_installations", "installation_id"): ("github_installations", CASCADE),
    ("scoring_presets", "installation_id"): ("github_installations", CASCADE),
    ("scoring_preset_rules", "preset_id"): ("scoring_presets", CASCADE),
    ("scoring_preset_base_points", "preset_id"): ("scoring_presets", CASCADE),
    ("scoring_preset_multipliers", "preset_id"): ("scoring_presets", CASCADE),
    ("scoring_preset_multiplier_signal_types", "preset_id, kind"): (
        "scoring_preset_multipliers",
        CASCADE,
    ),
    ("scoring_preset_review_state_weights", "preset_id"): ("scoring_presets", CASCADE),
    ("scoring_preset_daily_quotas", "preset_id"): ("scoring_presets", CASCADE),
    ("scoring_preset_zero_point_conditions", "preset_id"): ("scoring_presets", CASCADE),
    ("signals", "installation_id"): ("github_installations", CASCADE),
    ("signals", "user_id"): ("users", RESTRICT),
    ("signals", "repository_id"): ("repositories", RESTRICT),
    ("ingest_log", "installation_id"): ("github_installations", CASCADE),
    ("ingest_log", "organization_id"): ("organizations", CASCADE),
    ("ingest_log", "team_id"): ("teams", CASCADE),
    ("ingest_log", "repository_id"): ("repositories", CASCADE),
    ("repository_sync_state", "repository_id"): ("repositories", CASCADE),
    ("repository_sync_state", "organization_id"): ("organizations", CASCADE),
    ("leaderboard_materializations", "preset_id"): ("scoring_presets", CASCADE),
    ("leaderboard_materializations", "organization_id"): ("organizations", CASCADE),
    ("leaderboard_materializations", "team_id"): ("teams", NO_ACTION),
    ("leaderboard_materializations", "repository_id"): ("repositories", NO_ACTION),
    ("computed_scores", "materialization_id"): ("leaderboard_materializations", CASCADE),
    ("computed_scores", "user_id"): ("users", NO_ACTION),
    ("computed_scores", "scored_team_id"): ("teams", NO_ACTION),
    ("computed_scores", "scored_repo_id"): ("repositories", NO_ACTION),
}

# What pg_get_indexdef says after the table's name.
INDEXES = {
    "idx_users_login": "UNIQUE (login)",
    "idx_users_is_bot": "(id) WHERE (is_bot = true)",
    "idx_organizations_login": "UNIQUE (login)",
    "idx_repositories_full_name": "UNIQUE (full_name)",
    "idx_repositories_owner": "(owner_login)",
    "idx_repositories_org": "(organization_id) WHERE (organization_id IS NOT NULL)",
    "uq_teams_organization_slug": "UNIQUE (organization_id, slug)",
    "uq_scoring_presets_installation_name": "UNIQUE (installation_id, preset_name)",
    "uq_scoring_presets_one_active": "UNIQUE (installation_id) WHERE (is_active = true)",
    "uq_repository_sync_state_repository": "UNIQUE (repository_id)",
}

PARTITION_INDEXES = {
    "UNIQUE (user_id, type, repository_id, event_timestamp, content_hash)",
    "UNIQUE (id, event_timestamp)",
    "(repository_id)",
    "(user_id)",
    "(installation_id, repository_id, event_timestamp DESC)",
    "(installation_id, user_id, event_timestamp DESC)",
    "(installation_id, type)",
    "brin (event_timestamp)",
    "(event_timestamp DESC)",
}

_KEYS = """
    SELECT conrelid::regclass::text, confrelid::regclass::text, confdeltype::text,
        (SELECT string_agg(a.attname, ', ' ORDER BY k.n)
         FROM unnest(conkey) WITH ORDINALITY AS k (attnum, n)
         JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = k.attnum)
    FROM pg_constraint
    WHERE contype = %s AND conparentid = 0 AND connamespace = 'public'::regnamespace
"""
_INDEX = """
    SELECT c.relname, i.indisunique, am.amname, pg_get_indexdef(i.indexrelid)
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_am AS am ON am.oid = c.relam
    WHERE c.relname = ANY (%(names)s) OR i.indrelid = to_regclass(%(table)s)
"""


def _describe(unique: bool, method: str, definition: str) -> str:
    body = definition.split(f" USING {method} ", 1)[1]
    prefix = "UNIQUE " if unique else "" if method == "btree" else f"{method} "
    return prefix + body


def test_every_table_has_the_reference_primary_key(module_database: Database) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(_KEYS, ("p",)).fetchall()

    found = {table: columns for table, _, _, columns in rows}
    assert {table: found[table] for table in PRIMARY_KEYS} == PRIMARY_KEYS


def test_every_foreign_key_refers_and_deletes_as_the_reference_says(
    module_database: Database,
) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(_KEYS, ("f",)).fetchall()

    tables = {table for table, _ in FOREIGN_KEYS}
    found = {
        (table, columns): (target, action)
        for table, target, action, columns in rows
        if table in tables
    }
    assert found == FOREIGN_KEYS


def test_the_named_indexes_of_the_reference_exist(module_database: Database) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(_INDEX, {"names": list(INDEXES), "table": None}).fetchall()

    assert {name: _describe(*rest) for name, *rest in rows} == INDEXES


@pytest.mark.parametrize("partition", ["signals_default", "signals_2025_06"])
def test_a_partition_has_every_index_of_the_reference(
    module_database: Database, partition: str
) -> None:
    with module_database.connect() as connection:
        connection.execute("SELECT ensure_signals_monthly_partitions('2025-06-01', '2025-06-30')")
        rows = connection.execute(_INDEX, {"names": [], "table": f"public.{partition}"}).fetchall()

    assert {_describe(*rest) for _, *rest in rows} == PARTITION_INDEXES


def test_every_constraint_and_index_has_a_name_that_says_what_it_is(
    module_database: Database,
) -> None:
    """A constraint's name decides which error a caller sees, so none may be PostgreSQL's choice."""
    with module_database.connect() as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid"
                " WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'u', 'c')"
                "   AND relname NOT LIKE '\\_yoyo%'"
                " UNION SELECT c.relname FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
                " JOIN pg_class t ON t.oid = indrelid"
                " WHERE c.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_yoyo%'"
            )
        ]

    prefixes = ("pk_", "fk_", "uq_", "ck_", "idx_")
    allowed = {"valid_score_entity", "signals_default_pkey"}
    assert [n for n in names if not n.startswith(prefixes) and n not in allowed] == []
