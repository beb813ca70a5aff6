"""Every CHECK refuses what it is there for, by its name."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation

from tests.integration.database.test_reference_columns import COLUMNS
from tests.support.database import Database
from tests.support.rows import MIDSUMMER, Rows

Insert = Callable[[Rows], object]
_HASH = b"\x01" * 32


def _installation(rows: Rows, **values: Any) -> object:
    return rows.installation(**values)


def _rules(rows: Rows, **values: Any) -> None:
    rows.insert("scoring_preset_rules", preset_id=rows.preset(rows.installation()), **values)


def _preset_part(table: str, **values: Any) -> Insert:
    return lambda rows: rows.insert(
        f"scoring_preset_{table}", preset_id=rows.preset(rows.installation()), **values
    )


def _signal(rows: Rows, **values: Any) -> object:
    return rows.signal(rows.installation(), rows.user(), rows.repository(), **values)


def _log(rows: Rows, **values: Any) -> None:
    account = rows.organization()
    rows.insert(
        "ingest_log",
        installation_id=rows.installation(organization_id=account),
        organization_id=account,
        **values,
    )


def _team_and_repository(rows: Rows) -> dict[str, int]:
    return {"team_id": rows.team(rows.organization()), "repository_id": rows.repository()}


def _version(rows: Rows, **values: Any) -> int:
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    return rows.materialization(preset, account, **values)


def _retired(state: str, **values: Any) -> Insert:
    times = {"superseded_at": MIDSUMMER, "retention_expires_at": MIDSUMMER + timedelta(days=1)}
    return lambda rows: _version(rows, **({"retention_state": state} | times | values))


def _score(rows: Rows, **values: Any) -> object:
    return rows.score(_version(rows), **values)


def _run(**values: Any) -> Insert:
    row = {"requested_by": "tests", "reason": "tests"} | values
    return lambda rows: rows.insert("scoring_runs", installation_id=rows.installation(), **row)


def _key(**values: Any) -> Insert:
    row = {
        "content_hash": _HASH,
        "installation_id": 1,
        "signal_id": 1,
        "event_timestamp": MIDSUMMER,
        "standing": 1,
    }
    return lambda rows: rows.insert("signal_keys", **(row | values))


def _withdrawal(**values: Any) -> Insert:
    row = {
        "repository_id": 1,
        "user_id": 1,
        "type": "commit",
        "value": 1,
        "event_timestamp": MIDSUMMER,
        "content_hash": "0" * 64,
        "standing": 1,
        "reason": "deleted",
    } | values
    return lambda rows: rows.insert(
        "signal_withdrawals", installation_id=rows.installation(), **row
    )


def _board(rows: Rows, **values: Any) -> None:
    account = rows.organization()
    row: dict[str, Any] = {
        "preset_id": rows.preset(rows.installation(organization_id=account)),
        "scope_type": "organization",
        "organization_id": account,
        "entity_type": "contributor",
        "time_period": "week",
    }
    rows.insert("leaderboard_boards", **(row | values))


def _hit(**values: Any) -> Insert:
    row = {
        "event_month": MIDSUMMER,
        "first_event_timestamp": MIDSUMMER,
        "last_event_timestamp": MIDSUMMER,
    } | values
    return lambda rows: rows.insert("signals_partition_health", **row)


def _fact(rows: Rows) -> None:
    rows.insert(
        "repository_facts",
        repository_id=rows.repository(),
        kind="commit",
        key="1",
        standing=0,
        body="{}",
    )


def _standing_of_a_day(rows: Rows) -> None:
    _board(rows, id=1)
    rows.insert("leaderboard_history", board_id=1, day=MIDSUMMER, entity_id=1, score=0, rank=0)


M = "ck_leaderboard_materializations_"
R = "ck_scoring_preset_rules_"

# Constraint → what violates it and nothing else.
VIOLATIONS: list[tuple[str, str, Insert]] = [
    (
        "two accounts",
        "ck_github_installations_one_account",
        lambda r: _installation(r, organization_id=r.organization(), user_account_id=r.user()),
    ),
    (
        "no account",
        "ck_github_installations_one_account",
        lambda r: _installation(r, organization_id=None),
    ),
    (
        "unknown selection",
        "ck_github_installations_repository_selection",
        lambda r: _installation(r, repository_selection="some"),
    ),
    (
        "negative repositories",
        "ck_github_installations_repository_count",
        lambda r: _installation(r, repository_count=-1),
    ),
    ("short id", "ck_auth_sessions_id", lambda r: r.session(r.user(), id="ab" * 31)),
    ("upper-case id", "ck_auth_sessions_id", lambda r: r.session(r.user(), id="AB" * 32)),
    (
        "refresh token without tag",
        "ck_auth_sessions_refresh_token",
        lambda r: r.session(
            r.user(), github_refresh_token_encrypted="x", github_refresh_token_iv="y"
        ),
    ),
    ("no name", "ck_scoring_presets_name", lambda r: r.preset(r.installation(), preset_name="")),
    ("threshold", R + "weekly_threshold", lambda r: _rules(r, weekly_threshold=-1)),
    ("decay", R + "decay_factor", lambda r: _rules(r, decay_factor="1.0001")),
    ("floor", R + "floor_fraction", lambda r: _rules(r, floor_fraction="-0.0001")),
    ("spam earns", R + "spam_penalty", lambda r: _rules(r, spam_penalty="0.0001")),
    (
        "closing earns",
        R + "pr_closed_no_merge_penalty",
        lambda r: _rules(r, pr_closed_no_merge_penalty=1),
    ),
    (
        "negative points",
        "ck_scoring_preset_base_points_points",
        _preset_part("base_points", signal_type="commit", points="-0.0001"),
    ),
    (
        "zero factor",
        "ck_scoring_preset_multipliers_factor",
        _preset_part("multipliers", kind="first_activity", factor=0),
    ),
    (
        "heavy review",
        "ck_scoring_preset_review_state_weights_weight",
        _preset_part("review_state_weights", state="approved", weight="100.0001"),
    ),
    (
        "negative quota",
        "ck_scoring_preset_daily_quotas_daily_limit",
        _preset_part("daily_quotas", signal_type="commit", daily_limit=-1),
    ),
    (
        "metadata of 2,049 bytes",
        "ck_signals_metadata_size",
        lambda r: _signal(r, metadata={"k": "x" * 2040}),
    ),
    (
        "metadata of 2,049 bytes in few letters",
        "ck_signals_metadata_size",
        lambda r: _signal(r, metadata={"k": "ü" * 1021}),
    ),
    ("team and repository", "ck_ingest_log_scope", lambda r: _log(r, **_team_and_repository(r))),
    ("negative count", "ck_ingest_log_counts", lambda r: _log(r, signal_count=-1)),
    ("team of none", M + "scope", lambda r: _version(r, scope_type="team")),
    (
        "organization of a repository",
        M + "scope",
        lambda r: _version(r, repository_id=r.repository()),
    ),
    ("version 0", M + "counts", lambda r: _version(r, version=0)),
    ("unknown state", M + "retention_state", _retired("archived")),
    ("current, superseded", M + "current", _retired("current", retention_expires_at=None)),
    ("current, expiring", M + "current", _retired("current", superseded_at=None)),
    ("superseded never", M + "retired", _retired("superseded", superseded_at=None)),
    ("superseded for ever", M + "retired", _retired("superseded", retention_expires_at=None)),
    ("expired never", M + "retired", _retired("expired", superseded_at=None)),
    ("purged never", M + "retired", _retired("purged", retention_expires_at=None)),
    (
        "expired before superseded",
        M + "retired",
        _retired("expired", retention_expires_at=MIDSUMMER - timedelta(seconds=1)),
    ),
    ("purged but cached", M + "purged", _retired("purged", redis_cache_key="board:1")),
    ("contributor without user", "valid_score_entity", _score),
    (
        "contributor with team",
        "valid_score_entity",
        lambda r: _score(r, user_id=r.user(), scored_team_id=r.team(r.organization())),
    ),
    (
        "team as repository",
        "valid_score_entity",
        lambda r: _score(r, entity_type="team", scored_repo_id=r.repository()),
    ),
    (
        "repository as user",
        "valid_score_entity",
        lambda r: _score(r, entity_type="repository", user_id=r.user()),
    ),
    ("rank 0", "ck_computed_scores_counts", lambda r: _score(r, user_id=r.user(), rank=0)),
    (
        "negative members",
        "ck_computed_scores_member_count",
        lambda r: _score(r, user_id=r.user(), member_count=-1),
    ),
    ("short key", "ck_signal_keys_content_hash", _key(content_hash=_HASH[:31])),
    ("no such standing", "ck_signal_keys_standing", _key(standing=4)),
    ("no reason", "ck_signal_withdrawals_reason", _withdrawal(reason="")),
    ("unknown standing", "ck_signal_withdrawals_standing", _withdrawal(standing=0)),
    ("unknown run state", "ck_scoring_runs_state", _run(state="paused")),
    ("running, not started", "ck_scoring_runs_started", _run(state="running")),
    ("succeeded, not finished", "ck_scoring_runs_finished", _run(state="succeeded")),
    ("queued, finished", "ck_scoring_runs_finished", _run(finished_at=MIDSUMMER)),
    ("failed for nothing", "ck_scoring_runs_error", _run(state="failed", finished_at=MIDSUMMER)),
    ("negative boards", "ck_scoring_runs_counts", _run(boards_total=-1)),
    ("no hits", "ck_signals_partition_health_hits", _hit(hits=0)),
    (
        "last before first",
        "ck_signals_partition_health_span",
        _hit(last_event_timestamp=MIDSUMMER - timedelta(seconds=1)),
    ),
    ("fact of no standing", "ck_repository_facts_standing", _fact),
    ("history of rank 0", "ck_leaderboard_history_rank", _standing_of_a_day),
    ("repository board", "ck_leaderboard_boards_scope", lambda r: _board(r, scope_type="team")),
]


@pytest.mark.parametrize(
    ("constraint", "insert"),
    [(constraint, insert) for _, constraint, insert in VIOLATIONS],
    ids=[f"{constraint}: {case}" for case, constraint, _ in VIOLATIONS],
)
def test_a_check_refuses_by_its_name(
    module_database: Database, constraint: str, insert: Insert
) -> None:
    with module_database.connect(autocommit=False) as connection:
        with pytest.raises(CheckViolation) as refused:
            insert(Rows(connection))
        connection.rollback()

    assert refused.value.diag.constraint_name == constraint


def test_no_check_of_the_reference_tables_is_left_untried(module_database: Database) -> None:
    tried = {constraint for _, constraint, _ in VIOLATIONS}
    with module_database.connect() as connection:
        names = {
            name
            for (name,) in connection.execute(
                "SELECT conname FROM pg_constraint"
                " WHERE contype = 'c' AND conrelid::regclass::text = ANY (%s)",
                ([*COLUMNS, "signals_partition_health"],),
            )
        }

    assert names - tried == set()


def test_metadata_of_2048_bytes_is_taken(module_database: Database) -> None:
    with module_database.connect(autocommit=False) as connection:
        _signal(Rows(connection), metadata={"k": "x" * (2048 - len('{"k": ""}'))})
        size = connection.execute("SELECT octet_length(metadata::text) FROM signals").fetchone()
        connection.rollback()

    assert size == (2048,)


@pytest.mark.parametrize("state", ["superseded", "expired", "purged"])
def test_a_retired_version_with_its_times_is_taken(module_database: Database, state: str) -> None:
    with module_database.connect(autocommit=False) as connection:
        _retired(state)(Rows(connection))
        connection.rollback()


def test_the_bulk_path_is_checked_too(module_database: Database) -> None:
    with module_database.connect(autocommit=False) as connection:
        version = _version(Rows(connection))
        statement = (
            "COPY computed_scores (materialization_id, entity_type, time_period, breakdown, counts,"
            " rank) FROM STDIN"
        )
        with pytest.raises(psycopg.errors.CheckViolation) as refused:  # noqa: SIM117 - the copy fails at its end
            with connection.cursor().copy(statement) as copy:
                copy.write_row((version, "team", "week", "{}", "{}", 1))
        connection.rollback()

    assert refused.value.diag.constraint_name == "valid_score_entity"
