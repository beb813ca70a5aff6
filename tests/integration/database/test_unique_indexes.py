"""Unique and partial unique indexes: what they refuse, and what they leave alone."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import UniqueViolation

from tests.support.database import Database
from tests.support.rows import MIDSUMMER, Rows

RETIRED = {
    "retention_state": "superseded",
    "superseded_at": MIDSUMMER,
    "retention_expires_at": MIDSUMMER + timedelta(days=1),
}


@pytest.fixture
def connection(module_database: Database) -> Any:
    with module_database.connect(autocommit=False) as open_connection:
        yield open_connection
        open_connection.rollback()


@pytest.fixture
def rows(connection: Connection[Any]) -> Rows:
    return Rows(connection)


def _refused_by(index: str, refused: pytest.ExceptionInfo[UniqueViolation]) -> bool:
    return refused.value.diag.constraint_name == index


def test_one_preset_of_an_installation_is_active(rows: Rows) -> None:
    installation = rows.installation()
    rows.preset(installation, is_active=True)
    rows.preset(installation)
    rows.preset(installation)
    rows.preset(rows.installation(), is_active=True)

    with pytest.raises(UniqueViolation) as refused:
        rows.preset(installation, is_active=True)

    assert _refused_by("uq_scoring_presets_one_active", refused)


def test_a_preset_name_is_taken_within_its_installation_alone(rows: Rows) -> None:
    installation = rows.installation()
    rows.preset(installation, preset_name="default")
    rows.preset(rows.installation(), preset_name="default")

    with pytest.raises(UniqueViolation) as refused:
        rows.preset(installation, preset_name="default")

    assert _refused_by("uq_scoring_presets_installation_name", refused)


@pytest.mark.parametrize("kind", ["organization", "team", "repository"])
def test_ingest_is_logged_once_per_scope_though_keys_are_null(rows: Rows, kind: str) -> None:
    account = rows.organization()
    installation = rows.installation(organization_id=account)
    teams = [rows.team(account), rows.team(account)]
    repositories = [rows.repository(), rows.repository()]
    scopes: list[dict[str, int]] = [
        {},
        *({"team_id": team} for team in teams),
        *({"repository_id": repository} for repository in repositories),
    ]
    again = {
        "organization": {},
        "team": {"team_id": teams[0]},
        "repository": {"repository_id": repositories[0]},
    }[kind]
    log = {"installation_id": installation, "organization_id": account}
    for scope in scopes:
        rows.insert("ingest_log", **log, **scope)

    with pytest.raises(UniqueViolation) as refused:
        rows.insert("ingest_log", **log, **again)

    assert _refused_by(f"uq_ingest_log_{kind}_scope", refused)


def _scopes(rows: Rows, account: int) -> dict[str, dict[str, Any]]:
    return {
        "organization": {},
        "team": {"scope_type": "team", "team_id": rows.team(account)},
        "repository": {"scope_type": "repository", "repository_id": rows.repository()},
    }


@pytest.mark.parametrize("kind", ["organization", "team", "repository"])
def test_a_board_has_one_current_version(rows: Rows, kind: str) -> None:
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    scopes = _scopes(rows, account)
    for scope in scopes.values():
        rows.materialization(preset, account, **scope)
        rows.materialization(preset, account, **scope, version=2, **RETIRED)
        rows.materialization(preset, account, **scope, version=3, **RETIRED)
        rows.materialization(preset, account, **scope, time_period="week")
        rows.materialization(preset, account, **scope, entity_type="repository")

    with pytest.raises(UniqueViolation) as refused:
        rows.materialization(preset, account, **scopes[kind], version=4)

    assert _refused_by(f"uq_leaderboard_materializations_{kind}_current", refused)


@pytest.mark.parametrize("kind", ["organization", "team", "repository"])
def test_a_version_number_is_used_once_per_board(rows: Rows, kind: str) -> None:
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    scope = _scopes(rows, account)[kind]
    rows.materialization(preset, account, **scope, version=7, **RETIRED)

    with pytest.raises(UniqueViolation) as refused:
        rows.materialization(preset, account, **scope, version=7, **RETIRED)

    assert _refused_by(f"uq_leaderboard_materializations_{kind}_version", refused)


@pytest.mark.parametrize("kind", ["organization", "team", "repository"])
def test_a_board_has_one_number(rows: Rows, kind: str) -> None:
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    board: dict[str, Any] = {
        "preset_id": preset,
        "scope_type": "organization",
        "organization_id": account,
        "entity_type": "contributor",
        "time_period": "week",
    }
    scopes = _scopes(rows, account)
    for scope in scopes.values():
        rows.insert("leaderboard_boards", **(board | scope))

    with pytest.raises(UniqueViolation) as refused:
        rows.insert("leaderboard_boards", **(board | scopes[kind]))

    assert _refused_by(f"uq_leaderboard_boards_{kind}", refused)


def test_a_version_lists_an_entity_once(rows: Rows) -> None:
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    first = rows.materialization(preset, account)
    other = rows.materialization(preset, account, time_period="week")
    user = rows.user()
    rows.score(first, user_id=user)
    rows.score(other, user_id=user)
    rows.score(first, user_id=rows.user())

    with pytest.raises(UniqueViolation) as refused:
        rows.score(first, user_id=user, rank=2)

    assert _refused_by("uq_computed_scores_entity", refused)


@pytest.mark.parametrize("partition", ["signals_default", "signals_2025_06"])
def test_a_partition_refuses_the_same_signal_twice(
    rows: Rows, connection: Connection[Any], partition: str
) -> None:
    if partition != "signals_default":
        connection.execute("SELECT ensure_signals_monthly_partitions('2025-06-01', '2025-06-01')")
    installation, user, repository = rows.installation(), rows.user(), rows.repository()
    rows.signal(installation, user, repository, content_hash="a" * 64)
    rows.signal(installation, rows.user(), repository, content_hash="a" * 64)
    rows.signal(installation, user, repository, content_hash="a" * 64, type="review")

    with pytest.raises(UniqueViolation) as refused:
        rows.signal(installation, user, repository, content_hash="a" * 64)

    assert _refused_by(f"uq_{partition}_dedup", refused)


def test_a_key_credits_one_person_once_but_a_commit_several(
    rows: Rows, connection: Connection[Any]
) -> None:
    key = {
        "content_hash": b"\x01" * 32,
        "installation_id": 1,
        "signal_id": 1,
        "event_timestamp": MIDSUMMER,
        "standing": 1,
    }
    rows.insert("signal_keys", **key)
    rows.insert("signal_keys", **key, user_id=5)
    rows.insert("signal_keys", **key, user_id=6)

    with pytest.raises(UniqueViolation) as refused:
        rows.insert("signal_keys", **key)

    assert _refused_by("pk_signal_keys", refused)
