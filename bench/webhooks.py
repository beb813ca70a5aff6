"""Webhooks: from the acknowledgement to the changed rank, and 200 deliveries a second."""

import asyncio
import os
import time
from datetime import timedelta
from statistics import median
from typing import Any

import psycopg

from bench.gateway import SECRET, gateway, opened_issue, p95, trust_gateway
from bench.measure import Figure
from bench.stack import laurel, migrate, say, servers
from laurel.common.v1 import board_pb2, types_pb2
from laurel.ingest.v1 import webhook_pb2, webhook_pb2_grpc
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import RemoteError

ROUNDS = 40
RATE, SECONDS = 200, 60
ACCOUNTS = 4
LIMIT_SECONDS = 1.0
GATEWAY_SECONDS = 9.0


async def run() -> list[Figure]:
    """The figures; about two minutes."""
    os.environ["LAUREL_WEBHOOK_SECRETS"] = SECRET
    with servers() as having:
        url = having.new_database("base")
        migrate(url, having)
        gateway_key = trust_gateway(having)
        async with laurel(having, url) as (_, caller), gateway(caller, gateway_key) as inbox:
            waits = await _latencies(caller, inbox)
            say(f"changed rank after {median(waits):.3f} s, p95 {p95(waits):.3f} s")
            sent, late = await _flood(inbox)
            say(f"{sent} deliveries acknowledged, p95 of the acknowledgements {late:.3f} s")
            done, signals = await _worked_off(url, sent)
    return [
        Figure(
            "webhook to rank",
            f"p95 from acknowledged to the changed score read, {ROUNDS} one by one",
            "1 s",
            p95(waits) / LIMIT_SECONDS,
            1.0,
            at_least=False,
            unit="s",
            subject_values=waits,
            limit_values=[LIMIT_SECONDS],
            notes={"p50": median(waits), "p95": p95(waits)},
        ),
        Figure(
            "webhook flood",
            f"deliveries worked off and counted of {RATE} a second for {SECONDS} s",
            "deliveries due",
            min(done, signals) / (RATE * SECONDS),
            1.0,
            at_least=True,
            unit="",
            subject_values=[float(min(done, signals))],
            limit_values=[float(RATE * SECONDS)],
            notes={"acknowledged": sent, "p95 of acknowledgements": late},
        ),
    ]


async def _latencies(caller: Caller, inbox: webhook_pb2_grpc.WebhookServiceStub) -> list[float]:
    """Seconds from each acknowledgement to the board that has it, the system idle in between."""
    waits: list[float] = []
    async with caller.channel("leaderboard") as channel:
        boards = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
        for number in range(1, ROUNDS + 4):
            before = await _score(boards)
            await inbox.ReceiveWebhook(_opened(0, number, number % 3))
            acknowledged = time.perf_counter()
            while await _score(boards) == before:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.005)
            waits.append(time.perf_counter() - acknowledged)
            await asyncio.sleep(0.3)
    # The first ones pay for the services' first calls.
    return waits[3:]


async def _score(boards: leaderboard_pb2_grpc.LeaderboardServiceStub) -> int:
    """All points of the first account's contributors; 0 while there is no board."""
    board = board_pb2.Board(
        installation_id=-_account(0),
        scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
        entity_type=types_pb2.ENTITY_TYPE_CONTRIBUTOR,
        time_period=types_pb2.TIME_PERIOD_ALL_TIME,
    )
    try:
        page = await boards.GetLeaderboard(leaderboard_pb2.GetLeaderboardRequest(board=board))
    except RemoteError as error:
        if error.code != "NOT_FOUND":
            raise
        return 0
    return sum(entry.score_e4 for entry in page.entries)


async def _flood(inbox: webhook_pb2_grpc.WebhookServiceStub) -> tuple[int, float]:
    """How many of the deliveries were acknowledged, and the p95 of that.

    Like a gateway, which has 10 seconds to answer GitHub in, it tries again what is shed.
    """
    times: list[float] = []
    shed = 0

    async def deliver(number: int) -> None:
        nonlocal shed
        started = time.perf_counter()
        request = _opened(number % ACCOUNTS, 1_000 + number, number % 50)
        while time.perf_counter() - started < GATEWAY_SECONDS:
            try:
                await inbox.ReceiveWebhook(request)
            except RemoteError as error:
                if error.retry_after is None and error.code != "DEADLINE_EXCEEDED":
                    raise
                shed += 1
                await asyncio.sleep((error.retry_after or timedelta()).total_seconds())
            else:
                times.append(time.perf_counter() - started)
                return

    begun, tasks = time.perf_counter(), []
    for number in range(RATE * SECONDS):
        pause = begun + number / RATE - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.create_task(deliver(number)))
    await asyncio.gather(*tasks)
    say(f"{shed} times shed and tried again")
    return len(times), p95(times)


async def _worked_off(url: str, sent: int) -> tuple[int, int]:
    """Deliveries done, and signals of them, once nothing waits any more."""
    begun = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as owner:
        while _count(owner, "SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'"):
            await asyncio.sleep(0.05)
            assert time.perf_counter() - begun < 120, "deliveries still wait"
        say(f"nothing waited {time.perf_counter() - begun:.2f} s after the last delivery")
        done = _count(owner, "SELECT count(*) FROM webhook_deliveries WHERE state = 'done'")
        signals = _count(owner, "SELECT count(*) FROM signals")
    early = ROUNDS + 3
    say(f"{done - early} done, {signals - early} signals of {sent}")
    return done - early, signals - early


def _count(owner: psycopg.Connection[Any], query: str) -> int:
    row = owner.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _account(index: int) -> int:
    return 900_000 + index


def _opened(account: int, number: int, person: int) -> webhook_pb2.ReceiveWebhookRequest:
    login = f"account-{account}"
    owner = {"id": _account(account), "login": login, "type": "Organization"}
    repository = {"id": 70_000 + account, "full_name": f"{login}/r"}
    return opened_issue(owner, repository, number=number, person=person)
