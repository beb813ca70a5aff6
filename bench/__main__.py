"""`python -m bench [NAME …]`: measures what is named, or all, prints a table, keeps JSON lines."""

import asyncio
import sys

from bench import (
    boards,
    engine,
    pages,
    previews,
    reads,
    sessions,
    start,
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
}


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all; 1 where something that they need is missing."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        say(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    figures: list[Figure] = []
    missing = False
    for name in names or list(BENCHMARKS):
        say(name)
        try:
            figures += asyncio.run(BENCHMARKS[name]())
        except (LoadGeneratorMissingError, NodeMissingError) as error:
            say(f"{name} left out: {error}")
            missing = True
    show(figures)
    say(f"kept in {keep(figures)}")
    return int(missing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
