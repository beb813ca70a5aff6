"""The migrated schema against the reference's columns, written out here."""

import pytest

from tests.support.database import Database

NOT_NULL, NULL = True, False
_NOW = ("timestamp with time zone", NOT_NULL, "now()")
_TIME = ("timestamp with time zone", NULL, None)
_ID = ("bigint", NOT_NULL, None)
_OPTIONAL_ID = ("bigint", NULL, None)
_TEXT = ("text", NOT_NULL, None)
_OPTIONAL_TEXT = ("text", NULL, None)
_FALSE = ("boolean", NOT_NULL, "false")
_ZERO = ("integer", NOT_NULL, "0")
_ONE = ("integer", NOT_NULL, "1")

Column = tuple[str, bool, str | None]


def _serial(table: str) -> Column:
    return ("bigint", NOT_NULL, f"nextval('{table}_id_seq'::regclass)")


# Table by table in the reference's order: column → (type, not null, default).
COLUMNS: dict[str, dict[str, Column]] = {
    "users": {
        "id": _ID,
        "login": _TEXT,
        "name": _OPTIONAL_TEXT,
        "avatar_url": _TEXT,
        "is_bot": _FALSE,
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "organizations": {
        "id": _ID,
        "login": _TEXT,
        "name": _OPTIONAL_TEXT,
        "avatar_url": _OPTIONAL_TEXT,
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "repositories": {
        "id": _ID,
        "full_name": _TEXT,
        "name": _TEXT,
        "owner_login": _TEXT,
        "organization_id": _OPTIONAL_ID,
        "is_private": _FALSE,
        "is_archived": _FALSE,
        "is_fork": _FALSE,
        "default_branch": _OPTIONAL_TEXT,
        "html_url": _OPTIONAL_TEXT,
        "github_updated_at": _TIME,
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "teams": {
        "id": _ID,
        "organization_id": _ID,
        "slug": _TEXT,
        "name": _TEXT,
        "description": _OPTIONAL_TEXT,
        "privacy": ("team_privacy", NOT_NULL, "'closed'::team_privacy"),
        "github_created_at": _TIME,
        "github_updated_at": _TIME,
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "organization_memberships": {
        "user_id": _ID,
        "organization_id": _ID,
        "role": ("text", NOT_NULL, "'member'::text"),
        "created_at": _NOW,
    },
    "team_members": {
        "team_id": _ID,
        "user_id": _ID,
        "role": ("text", NOT_NULL, "'member'::text"),
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "team_repositories": {
        "team_id": _ID,
        "repository_id": _ID,
        "permission": ("text", NOT_NULL, "'push'::text"),
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "github_installations": {
        "installation_id": _ID,
        "app_id": _ID,
        "organization_id": _OPTIONAL_ID,
        "user_account_id": _OPTIONAL_ID,
        "account_type": ("account_type", NOT_NULL, "'organization'::account_type"),
        "repository_selection": ("text", NOT_NULL, "'all'::text"),
        "permissions": ("jsonb", NOT_NULL, "'{}'::jsonb"),
        "repository_count": _ZERO,
        "suspended_at": _TIME,
        "suspended_by": _OPTIONAL_TEXT,
        "gh_created_at": _TIME,
        "gh_updated_at": _TIME,
        "created_at": _NOW,
        "updated_at": _NOW,
    },
    "installation_repositories": {
        "installation_id": _ID,
        "repository_id": _ID,
        "created_at": _NOW,
    },
    "auth_sessions": {
        "id": _TEXT,
        "user_id": _ID,
        "github_token_encrypted": _TEXT,
        "github_token_iv": _TEXT,
        "github_token_tag": _TEXT,
        "github_token_type": _TEXT,
        "github_token_scope": _TEXT,
        "tokens_encrypted": ("boolean", NOT_NULL, "true"),
        "github_refresh_token_encrypted": _OPTIONAL_TEXT,
        "github_refresh_token_iv": _OPTIONAL_TEXT,
        "github_refresh_token_tag": _OPTIONAL_TEXT,
        "github_refresh_token_expires_at": _TIME,
        "github_access_token_expires_at": _TIME,
        "created_at": _NOW,
        "expires_at": ("timestamp with time zone", NOT_NULL, None),
        "updated_at": _NOW,
    },
    "session_installations": {
        "session_id": _TEXT,
        "installation_id": _ID,
        "created_at": _NOW,
    },
    "scoring_presets": {
        "id": _serial("scoring_presets"),
        "installation_id": _ID,
        "preset_name": _TEXT,
        "is_active": _FALSE,
    },
    "scoring_preset_rules": {
        "preset_id": _ID,
        "weekly_threshold": ("integer", NOT_NULL, "9"),
        "decay_factor": ("numeric(6,4)", NOT_NULL, "0.11"),
        "floor_fraction": ("numeric(6,4)", NOT_NULL, "0.2"),
        "spam_penalty": ("numeric(10,4)", NOT_NULL, "'-12'::integer"),
        "pr_closed_no_merge_penalty": ("numeric(10,4)", NOT_NULL, "'-10'::integer"),
    },
    "scoring_preset_base_points": {
        "preset_id": _ID,
        "signal_type": ("signal_type", NOT_NULL, None),
        "points": ("numeric(10,4)", NOT_NULL, None),
    },
    "scoring_preset_multipliers": {
        "preset_id": _ID,
        "kind": ("multiplier_kind", NOT_NULL, None),
        "factor": ("numeric(10,4)", NOT_NULL, None),
    },
    "scoring_preset_multiplier_signal_types": {
        "preset_id": _ID,
        "kind": ("multiplier_kind", NOT_NULL, None),
        "signal_type": ("signal_type", NOT_NULL, None),
    },
    "scoring_preset_review_state_weights": {
        "preset_id": _ID,
        "state": ("review_state", NOT_NULL, None),
        "weight": ("numeric(10,4)", NOT_NULL, None),
    },
    "scoring_preset_daily_quotas": {
        "preset_id": _ID,
        "signal_type": ("signal_type", NOT_NULL, None),
        "daily_limit": ("integer", NOT_NULL, None),
    },
    "scoring_preset_zero_point_conditions": {
        "preset_id": _ID,
        "kind": ("zero_point_kind", NOT_NULL, None),
    },
    "signals": {
        "id": ("bigint", NOT_NULL, "generated by default as identity"),
        "installation_id": _ID,
        "user_id": _ID,
        "repository_id": _ID,
        "type": ("signal_type", NOT_NULL, None),
        "value": ("numeric(10,4)", NOT_NULL, "1"),
        "event_timestamp": ("timestamp with time zone", NOT_NULL, None),
        "content_hash": ("character(64)", NOT_NULL, None),
        "metadata": ("jsonb", NOT_NULL, "'{}'::jsonb"),
    },
    "ingest_log": {
        "id": _serial("ingest_log"),
        "installation_id": _ID,
        "organization_id": _ID,
        "team_id": _OPTIONAL_ID,
        "repository_id": _OPTIONAL_ID,
        "last_successful_ingest_at": (
            "timestamp with time zone",
            NOT_NULL,
            "'1970-01-01 00:00:00+00'::timestamp with time zone",
        ),
        "ingest_preset": ("text", NOT_NULL, "'all_time'::text"),
        "repo_count": _ZERO,
        "signal_count": _ZERO,
    },
    "repository_sync_state": {
        "id": _serial("repository_sync_state"),
        "repository_id": _ID,
        "organization_id": _ID,
        "repo_updated_at": _TIME,
        "commits_etag": _OPTIONAL_TEXT,
        "pulls_etag": _OPTIONAL_TEXT,
        "issues_etag": _OPTIONAL_TEXT,
        "comments_etag": _OPTIONAL_TEXT,
        "reviews_etag": _OPTIONAL_TEXT,
        "pr_ids_hash": _OPTIONAL_TEXT,
        "last_fetched_at": _NOW,
    },
    "leaderboard_materializations": {
        "id": _serial("leaderboard_materializations"),
        "preset_id": _ID,
        "scope_type": ("score_scope_type", NOT_NULL, None),
        "organization_id": _ID,
        "team_id": _OPTIONAL_ID,
        "repository_id": _OPTIONAL_ID,
        "entity_type": ("score_entity_type", NOT_NULL, None),
        "time_period": ("score_time_period", NOT_NULL, None),
        "version": _ONE,
        "row_count": _ZERO,
        "signal_count": _ZERO,
        "retention_state": _TEXT,
        "superseded_at": _TIME,
        "retention_expires_at": _TIME,
        "redis_cache_key": _OPTIONAL_TEXT,
        "computed_at": _NOW,
    },
    "computed_scores": {
        "id": _serial("computed_scores"),
        "materialization_id": _ID,
        "entity_type": ("score_entity_type", NOT_NULL, None),
        "user_id": _OPTIONAL_ID,
        "scored_team_id": _OPTIONAL_ID,
        "scored_repo_id": _OPTIONAL_ID,
        "time_period": ("score_time_period", NOT_NULL, None),
        "score": ("numeric(12,4)", NOT_NULL, "0"),
        "breakdown": ("jsonb", NOT_NULL, None),
        "counts": ("jsonb", NOT_NULL, None),
        "additions": _ZERO,
        "deletions": _ZERO,
        "rank": ("integer", NOT_NULL, None),
        "member_count": ("integer", NULL, None),
        "version": _ONE,
    },
}

ENUMS = {
    "account_type": "organization user",
    "signal_type": "commit pr_open pr_merge pr_close_no_merge issue_open issue_close review "
    "review_comment comment spam",
    "score_scope_type": "organization team repository",
    "score_entity_type": "contributor team repository",
    "score_time_period": "today week month quarter half_year all_time",
    "team_privacy": "secret closed open",
    "review_state": "approved changes_requested commented",
    "multiplier_kind": "merged_pr_commit pr_linked_to_issue first_activity",
    "zero_point_kind": "self_review self_merge bot_activity issue_closed_no_pr pr_closed_no_merge",
}

_COLUMNS_OF = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        CASE a.attidentity WHEN 'd' THEN 'generated by default as identity'
            ELSE pg_get_expr(d.adbin, d.adrelid) END
    FROM pg_attribute AS a
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass('public.' || %s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_has_exactly_the_columns_of_the_reference(
    module_database: Database, table: str
) -> None:
    with module_database.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        rows = connection.execute(_COLUMNS_OF, (table,)).fetchall()

    found = {name: (kind, not_null, default) for name, kind, not_null, default in rows}
    assert found == COLUMNS[table]
    assert list(found) == list(COLUMNS[table])


def test_the_types_have_the_values_of_the_reference_in_its_order(
    module_database: Database,
) -> None:
    with module_database.connect() as connection:
        rows = connection.execute(
            "SELECT t.typname, string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder)"
            " FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid"
            " WHERE t.typnamespace = 'public'::regnamespace GROUP BY t.typname"
        ).fetchall()

    assert dict(rows) == ENUMS
