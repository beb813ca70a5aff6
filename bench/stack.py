"""A whole Laurel for one measurement, on a data directory that goes with it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psycopg
from psycopg import sql

from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.where import Where
from laurel_cli.stack.migrating import migrate_database
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.stack import Stack, StackOptions, running_stack
from laurel_embedded import EmbeddedPostgres, EmbeddedValkey


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of one benchmark, as `laurel up` runs them: durable, on this machine's disk."""

    root: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey

    def new_database(self, name: str, *, template: str = "template1") -> str:
        """Makes a database and gives its owner's URL."""
        with psycopg.connect(self.postgres.url(database="postgres"), autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.postgres.url(database=name)

    def drop_database(self, name: str) -> None:
        """Drops a database, whoever is connected."""
        with psycopg.connect(self.postgres.url(database="postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self, database: str) -> None:
        """Writes what is dirty and refreshes statistics, so that no measurement pays for another.

        Ten seconds' worth of checkpoint would otherwise fall on whoever comes next.
        """
        with psycopg.connect(self.postgres.url(database=database), autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE")
            admin.execute("CHECKPOINT")


@contextmanager
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey for one benchmark."""
    with tempfile.TemporaryDirectory(prefix="laurel-bench-") as directory:
        root = Path(directory)
        root.chmod(0o755)
        postgres = EmbeddedPostgres(root / "postgres", die_with_parent=True)
        valkey = EmbeddedValkey(root / "valkey", die_with_parent=True)
        with postgres, valkey:
            yield Servers(root, postgres, valkey)


def migrate(url: str, having: Servers) -> None:
    """Brings a database's schema up to date, with the passwords that `laurel up` would set."""
    passwords = {
        role: having.postgres.password(role)
        for role in (f"laurel_{name}" for name in ("identity", "ingest", "scoring", "leaderboard"))
    }
    migrate_database(url, passwords)


@asynccontextmanager
async def laurel(having: Servers, database_url: str) -> AsyncIterator[tuple[Stack, Caller]]:
    """The four services over a database, and a caller with the operator's key."""
    options = StackOptions(
        having.root / "laurel",
        Ports.parse("any"),
        database_url=database_url,
        redis_url=having.valkey.url(),
    )
    async with running_stack(options, report=say) as stack:
        yield stack, Caller.of(Where(data=stack.layout.root))


@contextmanager
def leaderboard(stack: Stack, *, processes: int) -> Iterator[tuple[str, int]]:
    """Another leaderboard beside the stack's, as it is configured; where it answers, and its
    process (Linux). It is a child of the benchmark's as the bare server is: kernels that share
    cores out by session would give it another share than that.
    """
    pid = pid_of(stack, "leaderboard")
    text = Path(f"/proc/{pid}/environ").read_bytes().decode()
    environ = dict(each.split("=", 1) for each in text.split("\0") if each)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{probe.getsockname()[1]}"
    environ |= {
        "LAUREL_LISTEN": target,
        "LAUREL_METRICS_LISTEN": "127.0.0.1:0",
        "LAUREL_PROCESSES": str(processes),
    }
    command = [sys.executable, "-m", "laurel_leaderboard"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(target, processes)
            yield target, process.pid
        finally:
            process.terminate()


def _wait_for(target: str, processes: int) -> None:
    """Waits until each of the processes has answered, as far as connections tell."""
    answered = 0
    while answered < 8 * processes:
        channel = grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        with channel:
            check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
            try:
                answered = answered + 1 if check(b"", timeout=2) == b"\x08\x01" else 0
            except grpc.RpcError:
                answered = 0
        time.sleep(0.05)


def pid_of(stack: Stack, service: str) -> int:
    """The process of a service; it is kept running by a parent of its own."""
    pid = stack.supervision.keepers[service].pid
    if pid is None:
        raise RuntimeError(f"{service} does not run")
    return pid


def cpu_seconds(pid: int) -> float:
    """What a process has had of the cores so far: it says more than a clock where they are shared
    (Linux).
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory_mb(pid: int) -> float:
    """The most memory that a process has held so far, in MB (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell VmHWM")


def say(text: str) -> None:
    """Tells what is going on, beside the results."""
    sys.stderr.write(f"  {text}\n")
