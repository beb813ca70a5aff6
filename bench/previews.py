"""Previews of rules: what trying them on a million signals takes, against scoring these signals."""

import time
from datetime import UTC, datetime
from statistics import median

from bench.boards import WARM_UP, score, top
from bench.dataset import Tenant, generate
from bench.loading import (
    batches,
    forget_boards,
    load_directory,
    wait_for_boards,
    write_signals,
)
from bench.measure import Figure, median_ratio
from bench.stack import laurel, migrate, peak_memory_mb, pid_of, say, servers
from laurel.scoring.v1 import preset_pb2, preview_pb2
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.previews import active_rules, preview

SIZE = 1_000_000
PAIRS = 3


async def run() -> list[Figure]:
    """The figures; about three minutes."""
    tenant, now = Tenant(0), datetime.now(UTC)
    passes: list[float] = []
    two: list[float] = []
    every: list[float] = []
    with servers() as having:
        url = having.new_database("base")
        migrate(url, having)
        async with laurel(having, url) as (_, caller):
            for each, size in ((tenant, SIZE), (WARM_UP, 2_000)):
                say(f"writing {size:,} signals")
                load_directory(url, each)
                ready = list(batches(generate(size, now, each, seed=1)))
                assert await write_signals(caller, each, ready) == size
            wait_for_boards(url)
        forget_boards(url)
        having.settle("base")
        for _ in range(PAIRS):
            # Each on a system of its own: a run of signals that it has scored already is none.
            subject = having.new_database("subject", template="base")
            async with laurel(having, subject) as (stack, caller):
                await score(caller, WARM_UP)
                passes.append(await score(caller, tenant))
                active = await active_rules(caller, tenant.installation_id)
                two.append(await _preview(caller, tenant, _of_two_rules(active)))
                every.append(await _preview(caller, tenant, _of_every_rule(active)))
                memory = peak_memory_mb(pid_of(stack, "scoring"))
            having.drop_database("subject")
            say(f"scored in {passes[-1]:.2f} s, tried {two[-1]:.2f} s and {every[-1]:.2f} s")
            say(f"peak memory of scoring {memory:.0f} MB")
    return [
        _figure("preview", "2 changed rules", two, passes),
        _figure("preview of everything", "every rule changed", every, passes),
    ]


def _figure(name: str, what: str, seconds: list[float], passes: list[float]) -> Figure:
    return Figure(
        name,
        f"PreviewRules of {what}, all time, {SIZE:,} signals",
        "StartScoring to readable, the same signals",
        median_ratio(seconds, passes),
        2.0,
        at_least=False,
        unit="s",
        subject_values=seconds,
        limit_values=passes,
        notes={"median": median(seconds)},
    )


def _of_two_rules(active: preset_pb2.Rules) -> preset_pb2.Rules:
    rules = preset_pb2.Rules()
    rules.CopyFrom(active)
    rules.base_points[0].points_e4 += 10_000
    rules.weekly_threshold += 1
    return rules


def _of_every_rule(active: preset_pb2.Rules) -> preset_pb2.Rules:
    """Each number moved a little, each condition but the first turned off."""
    rules = preset_pb2.Rules()
    rules.CopyFrom(active)
    for points in rules.base_points:
        points.points_e4 += 10_000 if points.points_e4 else 0
    for multiplier in rules.multipliers:
        multiplier.factor_e4 += 1_000
    for weight in rules.review_state_weights:
        weight.weight_e4 += 1_000
    for quota in rules.daily_quotas:
        quota.max_signals += 1
    del rules.zero_point_conditions[1:]
    rules.weekly_threshold += 1
    rules.decay_factor_e4 += 100
    rules.floor_fraction_e4 += 100
    rules.spam_penalty_e4 -= 10_000
    rules.pr_closed_no_merge_penalty_e4 -= 10_000
    return rules


async def _preview(caller: Caller, tenant: Tenant, rules: preset_pb2.Rules) -> float:
    request = preview_pb2.PreviewRulesRequest(board=top(tenant).board, rules=rules)
    started = time.perf_counter()
    found = await preview(caller, request)
    seconds = time.perf_counter() - started
    assert found.header.signal_count == SIZE, found.header
    return seconds
