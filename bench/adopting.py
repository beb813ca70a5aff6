"""Adopting: an installation of 1,000,000 signals moves to a new id, against one UPDATE of the same
rows and keys."""

import time
from datetime import UTC, datetime

import psycopg

from bench.dataset import Tenant, generate
from bench.loading import batches, load_directory, wait_for_boards, write_signals
from bench.measure import Figure, median_ratio
from bench.stack import Servers, laurel, migrate, say, servers
from laurel.ingest.v1 import signal_moves_pb2, signal_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_cli.stack.stack import Stack
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource

COUNT = 1_000_000
PAIRS = 2
LATER = 4_711
_INSTALL = (
    "INSERT INTO github_installations (installation_id, app_id, organization_id) VALUES (%s, 9, %s)"
)


async def run() -> list[Figure]:
    """The figure; about seven minutes."""
    tenant = Tenant(0)
    with servers() as having:
        url = having.new_database("base")
        migrate(url, having)
        load_directory(url, tenant)
        with psycopg.connect(url) as owner:
            owner.execute(_INSTALL, (LATER, tenant.organization_id))
        say(f"writing {COUNT:,} signals to move")
        async with laurel(having, url) as (_, caller):
            signals = generate(COUNT, datetime.now(UTC), tenant, seed=1)
            assert await write_signals(caller, tenant, list(batches(signals))) == COUNT
            wait_for_boards(url)
        having.settle("base")
        ours: list[float] = []
        bare: list[float] = []
        for pair in range(PAIRS):
            for subject in (True, False) if pair % 2 == 0 else (False, True):
                if subject:
                    ours.append(await _adopted(having, tenant))
                else:
                    bare.append(_updated(having, tenant))
    return [
        Figure(
            "adopting",
            f"AdoptInstallation of {COUNT:,} signals, until the last has moved",
            "one UPDATE of the same rows and one of their keys, in one transaction",
            median_ratio(ours, bare),
            2.0,
            at_least=False,
            unit="s",
            subject_values=ours,
            limit_values=bare,
        )
    ]


async def _adopted(having: Servers, tenant: Tenant) -> float:
    """Seconds until the last signal has moved; boards follow meanwhile, as they would."""
    url = having.new_database("subject", template="base")
    try:
        async with (
            laurel(having, url) as (stack, _),
            _identity(stack).channel("ingest") as channel,
        ):
            stub = signal_pb2_grpc.SignalServiceStub(channel)
            request = signal_moves_pb2.AdoptInstallationRequest(
                from_installation_id=tenant.installation_id, into_installation_id=LATER
            )
            started, moved, complete = time.perf_counter(), 0, False
            while not complete:
                answer = await stub.AdoptInstallation(request)
                moved, complete = moved + answer.moved_count, answer.is_complete
            seconds = time.perf_counter() - started
    finally:
        having.drop_database("subject")
    assert moved == COUNT, moved
    say(f"AdoptInstallation: {seconds:.1f} s")
    return seconds


def _identity(stack: Stack) -> Caller:
    key = load_private_key(stack.layout.key("identity"))
    return Caller(stack.targets, TokenSource("identity", key))


def _updated(having: Servers, tenant: Tenant) -> float:
    """Seconds of the statements that know nothing of anybody else."""
    url = having.new_database("limit", template="base")
    values = {"former": tenant.installation_id, "later": LATER}
    try:
        with psycopg.connect(url) as connection:
            started = time.perf_counter()
            for table in ("signals", "signal_keys"):
                connection.execute(
                    f"UPDATE {table} SET installation_id = %(later)s"
                    " WHERE installation_id = %(former)s",
                    values,
                )
            connection.commit()
            seconds = time.perf_counter() - started
    finally:
        having.drop_database("limit")
    say(f"bare UPDATE: {seconds:.1f} s")
    return seconds
