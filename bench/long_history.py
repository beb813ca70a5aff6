"""Repositories with a shorter and a longer history: what memory it takes to read them."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.backfill import backfill
from bench.measure import Figure
from bench.recorded_github import story
from bench.stack import migrate, say, servers
from laurel_common.rpc.run import spare_the_collector

SHORT: Final = 20_000
LONG: Final = 200_000


async def run() -> list[Figure]:
    """The figure; about a minute."""
    told = story(1, is_filled=False)
    spare_the_collector()  # as every service does, once it is loaded
    peaks: list[float] = []
    with servers() as having:
        migrate(having.new_database("base"), having)
        # The short one first: a process's peak only grows.
        for count in (SHORT, LONG):
            with _linear_github(told.repositories[0].id, count) as api_url:
                read = await backfill(having, api_url, told, f"commits{count}")
            assert read.run.new_count == count
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            rate = read.run.new_count / read.seconds
            say(f"{read.run.new_count:,} commits, {rate:,.0f} a second, at most {peaks[-1]:.0f} MB")
    return [
        Figure(
            "long history",
            f"peak memory of the process that reads a repository of {LONG:,} commits",
            f"one of {SHORT:,}",
            peaks[1] / peaks[0],
            1.1,
            at_least=False,
            unit="MB",
            subject_values=[peaks[1]],
            limit_values=[peaks[0]],
        )
    ]


@contextmanager
def _linear_github(repository_id: int, commit_count: int) -> Iterator[str]:
    """The API's address while it runs."""
    command = [sys.executable, "-m", "bench.linear_github", str(repository_id), str(commit_count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()
