"""A whole Laurel for one measurement, on a data directory that goes with it."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

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


def pid_of(stack: Stack, service: str) -> int:
    """The process of a service; it is kept running by a parent of its own."""
    pid = stack.supervision.keepers[service].pid
    if pid is None:
        raise RuntimeError(f"{service} does not run")
    return pid


def peak_memory_mb(pid: int) -> float:
    """The most memory that a process has held so far, in MB (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell VmHWM")


def say(text: str) -> None:
    """Tells what is going on, beside the results."""
    sys.stderr.write(f"  {text}\n")
