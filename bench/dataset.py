"""The installations that are measured: each an organization of 2,000 people in 20 teams of 100,
everyone active in 5 of 100 repositories, with as many signals as asked for over the last year."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

PEOPLE = 2_000
REPOSITORIES = 100
TEAMS = 20
ACTIVE_IN = 5
FIRST_USER = 1_000_000
DAYS = 365

# Roughly what an active organization does: mostly commits and comments.
TYPE_SHARES = {
    "commit": 0.45,
    "pr_open": 0.07,
    "pr_merge": 0.06,
    "pr_close_no_merge": 0.01,
    "issue_open": 0.06,
    "issue_close": 0.04,
    "review": 0.10,
    "review_comment": 0.08,
    "comment": 0.12,
    "spam": 0.01,
}
TYPES = list(TYPE_SHARES)
REVIEW = TYPES.index("review")
# What the bits of a signal's flags say, from the lowest on.
FLAG_NAMES = (
    "is_bot",
    "is_self_review",
    "is_self_merge",
    "is_in_merged_pr",
    "has_linked_issue",
    "has_linked_pr",
)
REVIEW_STATES = ["approved", "changes_requested", "commented"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tenant:
    """The ids of one installation; people are the same everywhere."""

    number: int

    @property
    def organization_id(self) -> int:
        return 900_000 + self.number

    @property
    def installation_id(self) -> int:
        return 77_000 + self.number

    @property
    def login(self) -> str:
        return f"bench-{self.number}"

    @property
    def first_repository(self) -> int:
        return 2_000_000 + self.number * REPOSITORIES

    @property
    def first_team(self) -> int:
        return 3_000_000 + self.number * TEAMS


@dataclass(frozen=True, slots=True)
class Signals:
    """Columns of equal length; see `generate`."""

    user_id: Ints
    repository_id: Ints
    # Index into TYPES; one more is the number on the wire.
    type_index: Ints
    # Microseconds since 1970, whole seconds.
    event_time: Ints
    # What makes each its own event: unique over all signals of all seeds.
    identity: Ints
    # Bits as in ingest's SignalBatch.
    flags: Ints
    # 1 to 3 for reviews, else 0.
    review_state: Ints
    additions: Ints
    deletions: Ints

    def __len__(self) -> int:
        return len(self.user_id)


def generate(count: int, now: datetime, tenant: Tenant, *, seed: int) -> Signals:
    """`count` signals ending at `now`; another seed gives others with no event in common."""
    random = np.random.default_rng((seed, tenant.number))
    person = random.integers(0, PEOPLE, count)
    repository = (person * 7 + random.integers(0, ACTIVE_IN, count) * 13) % REPOSITORIES
    kind = random.choice(len(TYPES), count, p=np.array(list(TYPE_SHARES.values())))
    ago = (random.random(count) ** 1.5 * DAYS * 86_400).astype(np.int64)
    # Each flag on a quarter of the signals; people, not bots.
    bits = random.integers(0, 64, count) & random.integers(0, 64, count) & ~1
    commits = kind == 0
    return Signals(
        user_id=FIRST_USER + person,
        repository_id=tenant.first_repository + repository,
        type_index=kind,
        event_time=(int(now.timestamp()) - 60 - ago) * 1_000_000,
        identity=np.arange(count, dtype=np.int64) + seed * 1_000_000_000,
        flags=bits,
        review_state=np.where(kind == REVIEW, random.integers(1, 4, count), 0),
        additions=np.where(commits, random.integers(0, 400, count), 0),
        deletions=np.where(commits, random.integers(0, 200, count), 0),
    )


def of_one_team(count: int, now: datetime, tenant: Tenant) -> Signals:
    """Further signals, of one repository and of people of one team."""
    made = generate(count, now, tenant, seed=2)
    person = made.user_id - FIRST_USER
    return replace(
        made,
        user_id=FIRST_USER + person - person % TEAMS,
        repository_id=np.full(count, tenant.first_repository, dtype=np.int64),
    )


def identities(signals: Signals) -> pa.Array:
    """What names each event, as its type wants it: a SHA, `kind:id`, or a number."""
    digits = pa.array(signals.identity).cast(pa.string())
    of_spam = pc.binary_join_element_wise("comment", digits, ":")
    spam = pa.array(signals.type_index == TYPES.index("spam"))
    commits = pa.array(signals.type_index == TYPES.index("commit"))
    plain = pc.if_else(spam, of_spam, digits)
    return pc.if_else(commits, pc.utf8_lpad(digits, width=40, padding="0"), plain)


def as_batch(signals: Signals) -> pa.RecordBatch:
    """The columns as WriteSignals takes them."""
    return pa.record_batch(
        {
            "user_id": pa.array(signals.user_id),
            "repository_id": pa.array(signals.repository_id),
            "type": pa.array((signals.type_index + 1).astype(np.int8)),
            "event_time": pa.array(signals.event_time, pa.timestamp("us", "UTC")),
            "identity": identities(signals),
            "flags": pa.array(signals.flags.astype(np.int32)),
            "review_state": pa.array(signals.review_state.astype(np.int8)),
            "additions": pa.array(signals.additions.astype(np.int32)),
            "deletions": pa.array(signals.deletions.astype(np.int32)),
        }
    )


def as_ipc(batch: pa.RecordBatch) -> bytes:
    """One batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content
