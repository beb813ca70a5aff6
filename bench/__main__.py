"""`python -m bench [NAME …]`: measures what is named, or all but what is large; prints a table and
keeps JSON lines.
"""

import asyncio
import sys

from bench import (
    adopting,
    backfill,
    beside_backfill,
    boards,
    engine,
    long_history,
    pages,
    previews,
    reads,
    sessions,
    start,
    ten_million,
    watchers,
    webhooks,
    writes,
)
from bench.engine import NodeMissingError
from bench.h2load import LoadGeneratorMissingError
from bench.measure import Figure
from bench.report import keep, show
from bench.stack import say

BENCHMARKS = {
    "start": start.run,
    "reads": reads.run,
    "pages": pages.run,
    "watchers": watchers.run,
    "sessions": sessions.run,
    "writes": writes.run,
    "boards": boards.run,
    "previews": previews.run,
    "engine": engine.run,
    "webhooks": webhooks.run,
    "backfill": backfill.run,
    "beside-backfill": beside_backfill.run,
    "long-history": long_history.run,
    "adopting": adopting.run,
}
# Measured where they are named only: they take more time and disk than all others.
LARGE = {"ten-million": ten_million.run}


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all; 1 where something that they need is missing."""
    unknown = [name for name in names if name not in BENCHMARKS | LARGE]
    if unknown:
        say(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS | LARGE)}")
        return 2
    figures: list[Figure] = []
    missing = False
    for name in names or list(BENCHMARKS):
        say(name)
        try:
            figures += asyncio.run((BENCHMARKS | LARGE)[name]())
        except (LoadGeneratorMissingError, NodeMissingError) as error:
            say(f"{name} left out: {error}")
            missing = True
    show(figures)
    say(f"kept in {keep(figures)}")
    return int(missing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
