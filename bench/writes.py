"""Writing: 200,000 new signals on 1,000,000 through WriteSignals, against a COPY of the same rows
straight into the same partitions with their foreign keys on."""

import hashlib
import time
from datetime import UTC, datetime

import psycopg

from bench.dataset import FLAG_NAMES, REVIEW_STATES, TYPES, Signals, Tenant, generate, identities
from bench.loading import batches, load_directory, wait_for_boards, write_signals
from bench.measure import Figure, median_ratio
from bench.stack import Servers, laurel, migrate, say, servers

BASE = 1_000_000
NEW = 200_000
PAIRS = 3
_COPY = (
    "COPY signals (installation_id, user_id, repository_id, type, value, event_timestamp,"
    " content_hash, metadata) FROM STDIN"
)


async def run() -> list[Figure]:
    """The figure; about four minutes."""
    tenant = Tenant(0)
    now = datetime.now(UTC)
    with servers() as having:
        url = having.new_database("base")
        migrate(url, having)
        load_directory(url, tenant)
        say(f"writing {BASE:,} signals to start from")
        async with laurel(having, url) as (_, caller):
            written = await write_signals(
                caller, tenant, list(batches(generate(BASE, now, tenant, seed=1)))
            )
            assert written == BASE, written
            wait_for_boards(url)
        having.settle("base")
        more = generate(NEW, now, tenant, seed=2)
        ours: list[float] = []
        bare: list[float] = []
        for pair in range(PAIRS):
            for subject in (True, False) if pair % 2 == 0 else (False, True):
                if subject:
                    ours.append(await _through_laurel(having, tenant, more, now))
                else:
                    bare.append(_straight(having, tenant, more))
    return [
        Figure(
            "writes",
            f"WriteSignals, {NEW:,} new on {BASE:,}",
            "COPY of the same rows into the same partitions",
            median_ratio(ours, bare),
            0.6,
            at_least=True,
            unit="signals/s",
            subject_values=ours,
            limit_values=bare,
        )
    ]


async def _through_laurel(
    having: Servers, tenant: Tenant, signals: Signals, now: datetime
) -> float:
    """Signals a second, from the first message to the last acknowledgement."""
    url = having.new_database("subject", template="base")
    try:
        async with laurel(having, url) as (_, caller):
            # As in a service that has run for a while: no first call, and boards that are fresh.
            await write_signals(caller, tenant, list(batches(generate(1, now, tenant, seed=3))))
            wait_for_boards(url)
            ready = list(batches(signals))
            started = time.perf_counter()
            new = await write_signals(caller, tenant, ready)
            seconds = time.perf_counter() - started
    finally:
        having.drop_database("subject")
    assert new == len(signals), new
    say(f"WriteSignals: {new / seconds:,.0f} signals/s")
    return new / seconds


def _straight(having: Servers, tenant: Tenant, signals: Signals) -> float:
    """Rows a second of a bare COPY, its text made beforehand."""
    url = having.new_database("limit", template="base")
    text = copy_text(tenant, signals)
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            started = time.perf_counter()
            with cursor.copy(_COPY) as copy:
                for start in range(0, len(text), 1 << 20):
                    copy.write(text[start : start + (1 << 20)])
            connection.commit()
            seconds = time.perf_counter() - started
    finally:
        having.drop_database("limit")
    say(f"bare COPY: {len(signals) / seconds:,.0f} rows/s")
    return len(signals) / seconds


def copy_text(tenant: Tenant, signals: Signals) -> bytes:
    """The rows that WriteSignals makes of the signals, as COPY takes them."""
    lines = []
    columns = zip(
        signals.user_id.tolist(),
        signals.repository_id.tolist(),
        signals.type_index.tolist(),
        signals.event_time.tolist(),
        identities(signals).to_pylist(),
        signals.flags.tolist(),
        signals.review_state.tolist(),
        signals.additions.tolist(),
        signals.deletions.tolist(),
        strict=True,
    )
    for user, repository, kind, at, identity, flags, state, additions, deletions in columns:
        name = TYPES[kind]
        digest = hashlib.sha256(f"{name}|{repository}|{identity}".encode()).hexdigest()
        said = [f'"{flag}": true' for bit, flag in enumerate(FLAG_NAMES) if flags >> bit & 1]
        if state:
            said.append(f'"review_state": "{REVIEW_STATES[state - 1]}"')
        said += [f'"additions": {additions}', f'"deletions": {deletions}']
        moment = datetime.fromtimestamp(at // 1_000_000, UTC).isoformat()
        lines.append(
            f"{tenant.installation_id}\t{user}\t{repository}\t{name}\t1\t{moment}\t{digest}\t"
            f"{{{', '.join(said)}}}\n"
        )
    return "".join(lines).encode()
