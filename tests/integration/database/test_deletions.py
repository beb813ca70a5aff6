"""What goes with a deleted row, and what stops the deletion."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import ForeignKeyViolation, RestrictViolation

from tests.support.database import Database
from tests.support.rows import MIDSUMMER, Rows

# PostgreSQL 18 tells RESTRICT from NO ACTION by the code, earlier ones don't.
REFUSED = (ForeignKeyViolation, RestrictViolation)
_TABLES = (
    "signals", "signal_keys", "signal_withdrawals", "scoring_presets", "scoring_preset_rules",
    "scoring_preset_multiplier_signal_types", "leaderboard_materializations", "computed_scores",
    "leaderboard_boards", "leaderboard_history", "leaderboard_history_days", "published_presets",
    "stale_installations", "stale_boards", "materialization_inputs", "ingest_log",
    "repository_installations", "installation_signal_states", "scoring_run_requests",
    "scoring_preset_changes", "scoring_preset_requests", "scoring_preset_revisions",
    "installation_bots", "scoring_runs", "installation_repositories", "session_installations",
    "signal_changes", "scoring_checks",
)  # fmt: skip


@pytest.fixture
def owner(module_database: Database) -> Any:
    with module_database.connect(autocommit=False) as connection:
        yield connection
        connection.rollback()


def _tenant(rows: Rows, account: int) -> int:
    """An installation with something in every table that hangs on one."""
    installation = rows.installation(organization_id=account)
    user, repository = rows.user(), rows.repository()
    content_hash = bytes([account % 251]) * 32
    signal = rows.signal(installation, user, repository, content_hash=content_hash.hex())
    rows.insert(
        "signal_keys",
        content_hash=content_hash,
        user_id=user,
        installation_id=installation,
        signal_id=signal,
        event_timestamp=MIDSUMMER,
        standing=3,
    )
    rows.insert(
        "signal_withdrawals",
        installation_id=installation,
        repository_id=repository,
        user_id=user,
        type="commit",
        value=1,
        event_timestamp=MIDSUMMER,
        content_hash="0" * 64,
        standing=3,
        reason="deleted",
    )
    preset = rows.preset(installation)
    rows.insert("scoring_preset_rules", preset_id=preset)
    kind = {"preset_id": preset, "kind": "first_activity"}
    rows.insert("scoring_preset_multipliers", **kind, factor=2)
    rows.insert("scoring_preset_multiplier_signal_types", **kind, signal_type="commit")
    version = rows.materialization(preset, account)
    rows.score(version, user_id=user)
    rows.insert(
        "leaderboard_boards",
        id=account,
        preset_id=preset,
        scope_type="organization",
        organization_id=account,
        entity_type="contributor",
        time_period="all_time",
    )
    rows.insert(
        "leaderboard_history", board_id=account, day=MIDSUMMER, entity_id=user, score=1, rank=1
    )
    rows.insert(
        "leaderboard_history_days",
        board_id=account,
        day=MIDSUMMER,
        version=1,
        as_of=MIDSUMMER,
        entry_count=1,
    )
    rows.insert(
        "materialization_inputs",
        materialization_id=version,
        as_of=MIDSUMMER,
        rules="{}",
        input_mark="",
        digest=bytes(32),
        last_checked_at=MIDSUMMER,
    )
    rows.insert(
        "published_presets",
        preset_id=preset,
        installation_id=installation,
        organization_id=account,
    )
    mark = {"mark": 1, "cause": "signals", "marked_at": MIDSUMMER}
    rows.insert("stale_installations", installation_id=installation, last_mark=1, **mark)
    rows.insert(
        "stale_boards",
        preset_id=preset,
        scope_type="organization",
        scope_id=account,
        entity_type="contributor",
        time_period="all_time",
        **mark,
    )
    rows.insert("ingest_log", installation_id=installation, organization_id=account)
    rows.insert("installation_bots", installation_id=installation, user_id=user, added_by="tests")
    rows.insert(
        "scoring_runs",
        id=account,
        installation_id=installation,
        requested_by="tests",
        reason="tests",
    )
    rows.insert(
        "scoring_run_requests", installation_id=installation, request_id="tests", run_id=account
    )
    rows.insert("repository_installations", repository_id=repository, installation_id=installation)
    rows.insert("installation_signal_states", installation_id=installation)
    rows.insert("signal_changes", installation_id=installation, revision=1, signal_count=0)
    rows.insert(
        "scoring_checks",
        installation_id=installation,
        time_period="today",
        as_of=MIDSUMMER,
        due_at=MIDSUMMER + timedelta(minutes=8),
    )
    rows.insert("scoring_preset_revisions", preset_id=preset)
    rows.insert(
        "scoring_preset_requests",
        installation_id=installation,
        request_id="tests",
        preset_id=preset,
        fingerprint=bytes(32),
    )
    rows.insert(
        "scoring_preset_changes",
        installation_id=installation,
        preset_id=preset,
        preset_name="tests",
        action="created",
        actor_kind="operator",
        actor_name="tests",
        changed_at=MIDSUMMER,
        after="{}",
    )
    rows.insert("installation_repositories", installation_id=installation, repository_id=repository)
    session = rows.session(user)
    rows.insert("session_installations", session_id=session, installation_id=installation)
    return installation


def _counts(owner: Connection[Any]) -> dict[str, int]:
    counts = {}
    for table in _TABLES:
        row = owner.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names from above
        assert row is not None
        counts[table] = row[0]
    return counts


def test_an_installation_takes_everything_that_hangs_on_it_and_nothing_of_another(
    database: Database,
) -> None:
    with database.connect() as owner:
        rows = Rows(owner)
        erased, kept = _tenant(rows, rows.organization()), _tenant(rows, rows.organization())
        assert set(_counts(owner).values()) == {2}

        # Identity has no rights on any of those tables but its own.
        with database.connect("laurel_identity") as identity:
            identity.execute(
                "DELETE FROM github_installations WHERE installation_id = %s", (erased,)
            )

        assert set(_counts(owner).values()) == {1}
        key = owner.execute("SELECT installation_id FROM signal_keys").fetchone()
        assert key == (kept,)


def test_a_user_or_repository_with_signals_stays(owner: Connection[Any]) -> None:
    rows = Rows(owner)
    user, repository = rows.user(), rows.repository()
    rows.signal(rows.installation(), user, repository)

    for statement in ("DELETE FROM users WHERE id = %s", "DELETE FROM repositories WHERE id = %s"):
        number = user if "users" in statement else repository
        with pytest.raises(REFUSED), owner.transaction():
            owner.execute(statement, (number,))


def test_an_account_with_an_installation_stays(owner: Connection[Any]) -> None:
    rows = Rows(owner)
    account, person = rows.organization(), rows.user()
    rows.installation(organization_id=account)
    rows.installation(user_account_id=person, account_type="user")

    with pytest.raises(REFUSED), owner.transaction():
        owner.execute("DELETE FROM organizations WHERE id = %s", (account,))
    with pytest.raises(REFUSED), owner.transaction():
        owner.execute("DELETE FROM users WHERE id = %s", (person,))


def test_a_repository_outlives_its_organization(owner: Connection[Any]) -> None:
    rows = Rows(owner)
    account = rows.organization()
    repository = rows.repository(organization_id=account)

    owner.execute("DELETE FROM organizations WHERE id = %s", (account,))

    row = owner.execute(
        "SELECT organization_id FROM repositories WHERE id = %s", (repository,)
    ).fetchone()
    assert row == (None,)


def test_a_team_that_a_board_still_shows_stays_until_it_is_forgotten(
    owner: Connection[Any],
) -> None:
    rows = Rows(owner)
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    team = rows.team(account)
    of_team = rows.materialization(preset, account, scope_type="team", team_id=team)
    of_teams = rows.materialization(preset, account, entity_type="team")
    rows.score(of_teams, entity_type="team", scored_team_id=team)
    delete = "DELETE FROM teams WHERE id = %s"

    with pytest.raises(REFUSED), owner.transaction():
        owner.execute(delete, (team,))
    owner.execute("DELETE FROM leaderboard_materializations WHERE id = %s", (of_team,))
    with pytest.raises(REFUSED), owner.transaction():
        owner.execute(delete, (team,))
    owner.execute("DELETE FROM computed_scores WHERE scored_team_id = %s", (team,))
    owner.execute(delete, (team,))


def test_a_teams_ingest_log_goes_with_it_instead_of_becoming_the_organizations(
    owner: Connection[Any],
) -> None:
    rows = Rows(owner)
    account = rows.organization()
    log = {
        "installation_id": rows.installation(organization_id=account),
        "organization_id": account,
    }
    team = rows.team(account)
    rows.insert("ingest_log", **log)
    rows.insert("ingest_log", **log, team_id=team)

    owner.execute("DELETE FROM teams WHERE id = %s", (team,))

    left = owner.execute(
        "SELECT team_id FROM ingest_log WHERE organization_id = %s", (account,)
    ).fetchall()
    assert left == [(None,)]


def test_a_version_takes_its_scores(owner: Connection[Any]) -> None:
    rows = Rows(owner)
    account = rows.organization()
    preset = rows.preset(rows.installation(organization_id=account))
    retired = {
        "retention_state": "expired",
        "superseded_at": MIDSUMMER,
        "retention_expires_at": MIDSUMMER + timedelta(days=1),
    }
    version = rows.materialization(preset, account, **retired)
    rows.score(version, user_id=rows.user())

    owner.execute("DELETE FROM leaderboard_materializations WHERE id = %s", (version,))

    row = owner.execute(
        "SELECT count(*) FROM computed_scores WHERE materialization_id = %s", (version,)
    ).fetchone()
    assert row == (0,)
