"""The ports of the four services."""

import socket
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from random import SystemRandom
from typing import Self

from laurel_cli.errors import UsageError
from laurel_cli.stack.layout import SERVICES

FIRST_PORT = 7401
FIRST_METRICS_PORT = 7411
# Below what Linux (32768 and up) and macOS (49152) give to whoever asks for just any port.
_ANY = range(10_000, 20_000)


@dataclass(frozen=True, slots=True)
class Ports:
    """A port for each service, and one for its metrics."""

    rpc: dict[str, int]
    metrics: dict[str, int]

    @classmethod
    def default(cls) -> Self:
        """7401 to 7404, metrics on 7411 to 7414."""
        return cls(
            {name: FIRST_PORT + place for place, name in enumerate(SERVICES)},
            {name: FIRST_METRICS_PORT + place for place, name in enumerate(SERVICES)},
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads "7401,7402,7403,7404" (identity, ingest, scoring, leaderboard), or "any".

        Four more numbers are the ports of metrics, which are free ones without. Raises
        UsageError.
        """
        if text == "any":
            return cls._of(_free_ports(2 * len(SERVICES)))
        try:
            numbers = [int(each) for each in text.split(",")]
        except ValueError:
            raise UsageError(f"--ports takes numbers with commas, or any: {text!r}") from None
        if len(numbers) not in (len(SERVICES), 2 * len(SERVICES)):
            raise UsageError("four ports are needed, or eight with those of metrics")
        if len(set(numbers)) != len(numbers) or not all(0 < each < 65536 for each in numbers):
            raise UsageError("ports are different numbers from 1 to 65535")
        if len(numbers) == len(SERVICES):
            numbers += _free_ports(len(SERVICES), but=numbers)
        return cls._of(numbers)

    @classmethod
    def _of(cls, numbers: list[int]) -> Self:
        rpc, metrics = numbers[: len(SERVICES)], numbers[len(SERVICES) :]
        return cls(dict(zip(SERVICES, rpc, strict=True)), dict(zip(SERVICES, metrics, strict=True)))

    def targets(self) -> dict[str, str]:
        """Where each service is reached from this machine."""
        return {name: f"127.0.0.1:{port}" for name, port in self.rpc.items()}

    def taken(self) -> list[int]:
        """The ports that another program has."""
        return [port for port in (*self.rpc.values(), *self.metrics.values()) if _is_taken(port)]


def _free_ports(count: int, *, but: Collection[int] = ()) -> list[int]:
    """Ports that nobody has now, nor gets from the system before a service binds them."""
    numbers = SystemRandom().sample(_ANY, len(_ANY))
    free = (each for each in numbers if each not in but and not _is_taken(each))
    found = list(islice(free, count))
    if len(found) < count:
        raise UsageError(f"no {count} ports from {_ANY[0]} to {_ANY[-1]} are free")
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connection lingers is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
