"""The largest installations: what a further signal costs from a million to ten million, against
from a hundred thousand to a million, and the memory that scoring takes for ten million.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from bench.boards import WARM_UP, per_signal, score
from bench.copying import copy_signals
from bench.dataset import Signals, Tenant, generate
from bench.loading import forget_boards, load_directory
from bench.measure import Figure
from bench.stack import Servers, laurel, migrate, peak_memory_mb, pid_of, say, servers

SIZES = (100_000, 1_000_000, 10_000_000)
ROUNDS = 3
MEMORY_LIMIT_MB = 2560.0
_TENANT = Tenant(0)
_CHUNK = 500_000


async def run() -> list[Figure]:
    """The figures; about seven minutes, and 10 GB of disk below the temporary directory."""
    now = datetime.now(UTC)
    seconds: list[list[float]] = [[] for _ in SIZES]
    memory: list[float] = []
    with servers() as having:
        urls = [_loaded(having, size, now) for size in SIZES]
        for _ in range(ROUNDS):
            for url, taken in zip(urls, seconds, strict=True):
                forget_boards(url)
                async with laurel(having, url) as (stack, caller):
                    await score(caller, WARM_UP)
                    taken.append(await score(caller, _TENANT))
                    peak = peak_memory_mb(pid_of(stack, "scoring"))
            memory.append(peak)
            say(f"scored in {', '.join(f'{each[-1]:.2f} s' for each in seconds)}; {peak:.0f} MB")
    return [
        per_signal("further signal, large", SIZES, seconds),
        Figure(
            "memory, large",
            f"peak memory of scoring {SIZES[-1]:,} signals",
            "2.5 GB",
            max(memory) / MEMORY_LIMIT_MB,
            1.0,
            at_least=False,
            unit="MB",
            subject_values=memory,
            limit_values=[MEMORY_LIMIT_MB],
        ),
    ]


def _loaded(having: Servers, size: int, now: datetime) -> str:
    """A database with one installation of `size` signals, and the small one of the warm-up."""
    name = f"of_{size}"
    url = having.new_database(name)
    migrate(url, having)
    say(f"copying {size:,} signals")
    for tenant, count in ((_TENANT, size), (WARM_UP, 2_000)):
        load_directory(url, tenant)
        assert copy_signals(url, tenant, _chunks(count, now, tenant), seed=size) == count
    having.settle(name)
    return url


def _chunks(count: int, now: datetime, tenant: Tenant) -> Iterator[Signals]:
    for number, first in enumerate(range(0, count, _CHUNK), start=1):
        yield generate(min(_CHUNK, count - first), now, tenant, seed=number)
