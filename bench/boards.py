"""Scoring: from StartScoring to readable for all boards of an installation with a million signals,
against bare I/O; and what a further signal costs as installations grow."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

import psycopg
from adbc_driver_postgresql import dbapi

from bench.dataset import TYPES, Tenant, generate, of_one_team
from bench.loading import batches, forget_boards, load_directory, write_signals
from bench.measure import Figure, median_ratio
from bench.stack import Servers, laurel, migrate, peak_memory_mb, pid_of, say, servers
from laurel.common.v1 import board_pb2, types_pb2
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import RemoteError

SIZES = (10_000, 100_000, 1_000_000)
# A small installation that is scored first: nobody measured pays for a service's first call.
WARM_UP = Tenant(len(SIZES))
NEW_SIGNALS = 1_000
PAIRS = 3
MEMORY_LIMIT_MB = 1024.0
_POLL_SECONDS = 0.02
_RUNS_BETWEEN = 8

_TYPES = " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(TYPES, start=1))
# The columns that scoring needs, in the forms in which ingest reads them.
_READ = f"""
SELECT user_id, repository_id,
    (CASE type {_TYPES} END)::smallint AS type,
    CASE WHEN value = 1 THEN 10000 ELSE (value * 10000)::bigint END AS value_e4,
    event_timestamp, decode(content_hash, 'hex') AS content_hash, signal_flags(metadata) AS flags,
    (CASE metadata ->> 'review_state' WHEN 'approved' THEN 1 WHEN 'changes_requested' THEN 2
        WHEN 'commented' THEN 3 ELSE 0 END)::smallint AS review_state,
    coalesce((metadata ->> 'additions')::integer, 0) AS additions,
    coalesce((metadata ->> 'deletions')::integer, 0) AS deletions
FROM signals WHERE installation_id = $1
"""
_PRESET = "id, installation_id, preset_name, is_active"
_ROWS = (
    "materialization_id, entity_type, user_id, scored_team_id, scored_repo_id, time_period, score,"
    " breakdown, counts, additions, deletions, rank, member_count, version"
)


async def run() -> list[Figure]:
    """The figures; about five minutes."""
    tenants = [Tenant(number) for number in range(len(SIZES))]
    now = datetime.now(UTC)
    with servers() as having:
        url = having.new_database("base")
        migrate(url, having)
        async with laurel(having, url) as (_, caller):
            for tenant, size in zip([*tenants, WARM_UP], [*SIZES, 2_000], strict=True):
                say(f"writing {size:,} signals")
                load_directory(url, tenant)
                ready = list(batches(generate(size, now, tenant, seed=1)))
                written = await write_signals(caller, tenant, ready)
                assert written == size, written
        forget_boards(url)
        having.settle("base")
        ours: list[float] = []
        bare: list[float] = []
        whole: list[float] = []
        again: list[float] = []
        memory: list[float] = []
        smaller: list[list[float]] = [[] for _ in SIZES]
        for pair in range(PAIRS):
            times, peak, result, rescored = await _through_laurel(having, tenants, now)
            whole.append(rescored[0])
            again.append(rescored[1])
            for each, seconds in zip(smaller, times, strict=True):
                each.append(seconds)
            ours.append(times[-1])
            memory.append(peak)
            bare.append(_bare(having, tenants[-1], result, pair))
    return [
        Figure(
            "boards",
            f"StartScoring to readable, {SIZES[-1]:,} signals",
            "ADBC read of the same columns + COPY of the same result rows",
            median_ratio(ours, bare),
            1.4,
            at_least=False,
            unit="s",
            subject_values=ours,
            limit_values=bare,
        ),
        Figure(
            "memory",
            "peak memory of scoring",
            "1 GB",
            median(memory) / MEMORY_LIMIT_MB,
            1.0,
            at_least=False,
            unit="MB",
            subject_values=memory,
            limit_values=[MEMORY_LIMIT_MB],
        ),
        per_signal("further signal", SIZES, smaller),
        Figure(
            "rescoring",
            f"the run after {NEW_SIGNALS:,} new signals of one repository and team",
            f"the run of all {SIZES[-1]:,}",
            median_ratio(again, whole),
            0.25,
            at_least=False,
            unit="s",
            subject_values=again,
            limit_values=whole,
        ),
    ]


def per_signal(name: str, sizes: Sequence[int], seconds: Sequence[list[float]]) -> Figure:
    """What a further signal costs in the upper range of three sizes, against the lower one."""
    medians = [median(each) for each in seconds]
    lower, upper = (
        (later - earlier) / (many - few)
        for (few, earlier), (many, later) in pairwise(zip(sizes, medians, strict=True))
    )
    return Figure(
        name,
        f"a further signal from {sizes[1]:,} to {sizes[2]:,}",
        f"from {sizes[0]:,} to {sizes[1]:,}",
        upper / lower,
        1.3,
        at_least=False,
        unit="us",
        subject_values=[upper * 1e6],
        limit_values=[lower * 1e6],
    )


async def _through_laurel(
    having: Servers, tenants: list[Tenant], now: datetime
) -> tuple[list[float], float, list[bytes], tuple[float, float]]:
    """Seconds for each installation, scoring's peak memory, the rows of the largest, and for it the
    seconds of the whole run and of the one after a small change.
    """
    url = having.new_database("subject", template="base")
    try:
        async with laurel(having, url) as (stack, caller):
            await score(caller, WARM_UP)
            times = [await score(caller, tenant) for tenant in tenants[:-1]]
            whole = await scored(caller, tenants[-1])
            times.append(whole[0])
            peak = peak_memory_mb(pid_of(stack, "scoring"))
            result = _export(url, tenants[-1])
            again = await _after_small_change(caller, tenants[-1], now, whole[1])
        say(f"scored in {', '.join(f'{each:.2f} s' for each in times)}; {peak:.0f} MB")
        say(
            f"the run took {_taken(whole[1]):.2f} s, the one after the change {_taken(again):.2f} s"
        )
        return times, peak, result, (_taken(whole[1]), _taken(again))
    finally:
        having.drop_database("subject")


async def _after_small_change(
    caller: Caller, tenant: Tenant, now: datetime, before: scoring_pb2.Scoring
) -> scoring_pb2.Scoring:
    """The run that begins by itself once new signals are written."""
    ready = list(batches(of_one_team(NEW_SIGNALS, now, tenant)))
    assert await write_signals(caller, tenant, ready) == NEW_SIGNALS
    async with caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        run = scoring_pb2.Scoring(state=scoring_pb2.SCORING_STATE_QUEUED)
        while run.state in (scoring_pb2.SCORING_STATE_QUEUED, scoring_pb2.SCORING_STATE_RUNNING):
            await asyncio.sleep(_POLL_SECONDS)
            run = await _run_after(stub, tenant, before) or run
    assert run.signal_count == before.signal_count + NEW_SIGNALS, run
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED, run
    return run


async def _run_after(
    stub: scoring_pb2_grpc.ScoringServiceStub, tenant: Tenant, before: scoring_pb2.Scoring
) -> scoring_pb2.Scoring | None:
    """The installation's next run; schedules may have begun others' meanwhile."""
    for scoring_id in range(before.id + 1, before.id + 1 + _RUNS_BETWEEN):
        asked = scoring_pb2.GetScoringRequest(
            installation_id=tenant.installation_id, scoring_id=scoring_id
        )
        try:
            found: scoring_pb2.Scoring = (await stub.GetScoring(asked)).scoring
            return found
        except RemoteError as error:
            if error.reason != "SCORING_NOT_FOUND":
                raise
    return None


def _taken(run: scoring_pb2.Scoring) -> float:
    """Seconds from the attempt's start to its end."""
    return (run.end_time.ToNanoseconds() - run.start_time.ToNanoseconds()) / 1e9


async def score(caller: Caller, tenant: Tenant) -> float:
    """Seconds from StartScoring until every board is published and one of them was read."""
    return (await scored(caller, tenant))[0]


async def scored(caller: Caller, tenant: Tenant) -> tuple[float, scoring_pb2.Scoring]:
    """The same, and the run."""
    async with caller.channel("scoring") as channel, caller.channel("leaderboard") as boards:
        scoring = scoring_pb2_grpc.ScoringServiceStub(channel)
        leaderboard = leaderboard_pb2_grpc.LeaderboardServiceStub(boards)
        await channel.channel_ready()
        await boards.channel_ready()
        started = time.perf_counter()
        run = (
            await scoring.StartScoring(
                scoring_pb2.StartScoringRequest(installation_id=tenant.installation_id)
            )
        ).scoring
        while run.state in (scoring_pb2.SCORING_STATE_QUEUED, scoring_pb2.SCORING_STATE_RUNNING):
            await asyncio.sleep(_POLL_SECONDS)
            asked = scoring_pb2.GetScoringRequest(
                installation_id=tenant.installation_id, scoring_id=run.id
            )
            run = (await scoring.GetScoring(asked)).scoring
        assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED, run
        await leaderboard.GetLeaderboard(top(tenant))
        return time.perf_counter() - started, run


def top(tenant: Tenant) -> leaderboard_pb2.GetLeaderboardRequest:
    """The first page of an organization's contributors."""
    return leaderboard_pb2.GetLeaderboardRequest(
        board=board_pb2.Board(
            installation_id=tenant.installation_id,
            scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
            entity_type=types_pb2.ENTITY_TYPE_CONTRIBUTOR,
            time_period=types_pb2.TIME_PERIOD_ALL_TIME,
        ),
        page_size=50,
    )


def _export(url: str, tenant: Tenant) -> list[bytes]:
    """Presets, versions and rows of an installation's current boards, as COPY text."""
    own = f"SELECT id FROM scoring_presets WHERE installation_id = {tenant.installation_id}"
    queries = (
        f"SELECT {_PRESET} FROM scoring_presets WHERE id IN ({own})",
        f"SELECT * FROM leaderboard_materializations WHERE preset_id IN ({own})",
        f"SELECT {_ROWS} FROM computed_scores WHERE materialization_id IN"
        f" (SELECT id FROM leaderboard_materializations WHERE preset_id IN ({own}))"
        " ORDER BY materialization_id, rank",
    )
    texts = []
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for query in queries:
            with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
                texts.append(b"".join(bytes(chunk) for chunk in copy))
    return texts


def _bare(having: Servers, tenant: Tenant, result: list[bytes], pair: int) -> float:
    """Seconds to read the columns and COPY the rows, and nothing else."""
    name = f"limit_{pair}"
    url = having.new_database(name, template="base")
    presets, versions, rows = result
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            _copy_in(cursor, f"scoring_presets ({_PRESET})", presets)
            _copy_in(cursor, "leaderboard_materializations", versions)
            connection.commit()
            started = time.perf_counter()
            with dbapi.connect(url) as reader, reader.cursor() as reading:
                reading.execute(_READ, (tenant.installation_id,))
                read = reading.fetch_arrow_table().num_rows
            after_read = time.perf_counter()
            _copy_in(cursor, f"computed_scores ({_ROWS})", rows)
            connection.commit()
            ended = time.perf_counter()
    finally:
        having.drop_database(name)
    assert read == SIZES[-1], read
    say(f"bare: read {after_read - started:.2f} s, COPY {ended - after_read:.2f} s")
    return ended - started


def _copy_in(cursor: psycopg.Cursor[tuple[object, ...]], target: str, text: bytes) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for start in range(0, len(text), 1 << 20):
            copy.write(text[start : start + (1 << 20)])
