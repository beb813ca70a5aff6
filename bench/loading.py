"""Puts installations into a database: the directory by plain SQL, signals through WriteSignals."""

import time
from collections.abc import AsyncIterator, Iterator

import psycopg

from bench.dataset import (
    FIRST_USER,
    PEOPLE,
    REPOSITORIES,
    TEAMS,
    Signals,
    Tenant,
    as_batch,
    as_ipc,
)
from laurel.ingest.v1 import signal_entities_pb2, signal_pb2_grpc, signal_writes_pb2
from laurel_cli.rpc.caller import Caller

BATCH = 20_000

_PEOPLE = """
INSERT INTO users (id, login, avatar_url)
SELECT %(first)s + n, 'person-' || n, 'https://avatars.example/' || n
FROM generate_series(0, %(count)s - 1) AS n
ON CONFLICT DO NOTHING
"""
_ORGANIZATION = "INSERT INTO organizations (id, login) VALUES (%(organization)s, %(login)s)"
_INSTALLATION = """
INSERT INTO github_installations (installation_id, app_id, organization_id, repository_count)
VALUES (%(installation)s, 1, %(organization)s, %(repositories)s)
"""
_REPOSITORIES = """
INSERT INTO repositories (id, full_name, name, owner_login, organization_id, default_branch)
SELECT %(first_repository)s + n, %(login)s || '/repository-' || n, 'repository-' || n, %(login)s,
    %(organization)s, 'main'
FROM generate_series(0, %(repositories)s - 1) AS n
"""
_VISIBLE = """
INSERT INTO installation_repositories (installation_id, repository_id)
SELECT %(installation)s, %(first_repository)s + n FROM generate_series(0, %(repositories)s - 1) AS n
"""
_TEAMS = """
INSERT INTO teams (id, organization_id, slug, name)
SELECT %(first_team)s + n, %(organization)s, 'team-' || n, 'Team ' || n
FROM generate_series(0, %(teams)s - 1) AS n
"""
_MEMBERS = """
INSERT INTO team_members (team_id, user_id)
SELECT %(first_team)s + n %% %(teams)s, %(first)s + n FROM generate_series(0, %(count)s - 1) AS n
"""

_FORGET_BOARDS = """
TRUNCATE scoring_presets, scoring_preset_changes, computed_scores, leaderboard_materializations,
    materialization_inputs, published_presets, leaderboard_boards, leaderboard_history,
    leaderboard_history_days, stale_installations, stale_boards, scoring_runs,
    scoring_run_requests, scoring_checks, scoring_notices, roster_notices,
    scoring_jobs.procrastinate_jobs, scoring_jobs.procrastinate_events,
    scoring_jobs.procrastinate_periodic_defers CASCADE
"""
_BOARDS_BEHIND = """
SELECT EXISTS (SELECT FROM scoring_notices) OR EXISTS (SELECT FROM roster_notices)
    OR EXISTS (SELECT FROM scoring_runs WHERE state IN ('queued', 'running'))
"""


def load_directory(url: str, tenant: Tenant) -> None:
    """The organization with its people, repositories and teams; `url` is the schema owner's."""
    values = {
        "first": FIRST_USER,
        "count": PEOPLE,
        "organization": tenant.organization_id,
        "login": tenant.login,
        "installation": tenant.installation_id,
        "repositories": REPOSITORIES,
        "first_repository": tenant.first_repository,
        "first_team": tenant.first_team,
        "teams": TEAMS,
    }
    with psycopg.connect(url) as connection:
        for statement in (
            _PEOPLE,
            _ORGANIZATION,
            _INSTALLATION,
            _REPOSITORIES,
            _VISIBLE,
            _TEAMS,
            _MEMBERS,
        ):
            connection.execute(statement, values)


def forget_boards(url: str) -> None:
    """As if nothing had been scored yet: writing has boards follow by themselves."""
    with psycopg.connect(url) as connection:
        connection.execute(_FORGET_BOARDS)


def wait_for_boards(url: str) -> None:
    """Waits until boards have followed everything that was written."""
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(_BOARDS_BEHIND).fetchone() != (False,):
            time.sleep(0.1)


def batches(signals: Signals, size: int = BATCH) -> Iterator[bytes]:
    """The signals as WriteSignals' Arrow batches."""
    whole = as_batch(signals)
    for start in range(0, len(signals), size):
        yield as_ipc(whole.slice(start, size))


async def write_signals(caller: Caller, tenant: Tenant, ready: list[bytes]) -> int:
    """Streams batches to WriteSignals; how many signals were new."""

    async def requests() -> AsyncIterator[signal_writes_pb2.WriteSignalsRequest]:
        yield signal_writes_pb2.WriteSignalsRequest(
            header=signal_writes_pb2.WriteSignalsHeader(
                installation_id=tenant.installation_id,
                standing=signal_entities_pb2.STANDING_BEST,
                all_or_nothing=True,
            )
        )
        for number, arrow in enumerate(ready):
            yield signal_writes_pb2.WriteSignalsRequest(
                batch=signal_writes_pb2.SignalBatch(sequence=number, arrow=arrow)
            )

    new = 0
    async with caller.channel("ingest") as channel:
        stub = signal_pb2_grpc.SignalServiceStub(channel)
        async for answer in stub.WriteSignals(requests()):
            new += answer.new_count
    return new
