"""From `laurel up` to four services that serve, on a data directory that is set up already.

The limit is what nobody could do without: the same Valkey and PostgreSQL until they answer, then
four bare Pythons at once until each has imported what a service imports.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Figure, alternate, median_ratio
from laurel_cli.rpc.health import until_serving
from laurel_cli.stack.layout import SERVICES, Layout
from laurel_cli.stack.ports import Ports
from laurel_embedded import EmbeddedPostgres, EmbeddedValkey

PAIRS = 5
SECONDS = 5.0
RATIO = 2.0
_LATEST = 120.0
_LAUREL = Path(sys.executable).with_name("laurel")


async def run() -> list[Figure]:
    """Measures in another thread, which may wait."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="laurel-bench-") as directory:
        root = Path(directory)
        root.chmod(0o755)
        _start(root)  # makes the cluster, the schema and the keys
        ours, theirs = alternate(
            lambda _number: _start(root), lambda _number: _servers_alone(root), PAIRS
        )
    notes: dict[str, float | int | str] = {
        "slowest_s": round(max(ours), 2),
        "cores": os.cpu_count() or 1,
    }
    return [
        Figure(
            name="start",
            subject="laurel up until four services serve",
            limit="PostgreSQL, Valkey, and the services' imports",
            ratio=median_ratio(ours, theirs),
            target=RATIO,
            at_least=False,
            unit="s",
            subject_values=ours,
            limit_values=theirs,
            notes=notes,
        ),
        Figure(
            name="start seconds",
            subject="the same",
            limit="5 s",
            ratio=median_ratio(ours, [SECONDS] * len(ours)),
            target=1.0,
            at_least=False,
            unit="s",
            subject_values=ours,
            limit_values=[SECONDS] * len(ours),
            notes=notes,
        ),
    ]


def _start(root: Path) -> float:
    """Seconds from the command until each service's health says SERVING."""
    numbers = Ports.parse("any")
    ports = ",".join(map(str, (*numbers.rpc.values(), *numbers.metrics.values())))
    started = time.monotonic()
    with _up(root, ports):
        late = asyncio.run(until_serving(numbers.targets(), seconds=_LATEST))
        took = time.monotonic() - started
        if late:
            raise RuntimeError(f"not up after {_LATEST:g} s: {late}")
    return took


@contextmanager
def _up(root: Path, ports: str) -> Iterator[None]:
    environ = {key: text for key, text in os.environ.items() if not key.startswith("LAUREL_")}
    command = [str(_LAUREL), "up", "--data", str(root), "--ports", ports]
    with (
        (root / "up.log").open("ab") as output,
        subprocess.Popen(command, env=environ, stdout=output, stderr=output) as process,
    ):
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)


def _servers_alone(root: Path) -> float:
    layout = Layout(root)
    started = time.monotonic()
    with EmbeddedValkey(layout.valkey), EmbeddedPostgres(layout.postgres):
        importing = [
            subprocess.Popen([sys.executable, "-c", f"import laurel_{name}.__main__"])
            for name in SERVICES
        ]
        codes = [process.wait() for process in importing]
        if any(codes):
            raise RuntimeError("a service's modules can't be imported")
        return time.monotonic() - started
