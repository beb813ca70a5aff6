"""The engine alone: every board of a million signals, from columns in memory, against the same
rules in plain JavaScript on Node; both have to come to the same boards.
"""

import json
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.dataset import ACTIVE_IN, FIRST_USER, PEOPLE, REPOSITORIES, TEAMS, Tenant, generate
from bench.measure import Figure, alternate, median_ratio
from bench.stack import say
from laurel_scoring.domain.columns import Signals
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.results import BoardFamily
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.vocabulary import MultiplierKind, ReviewState, SignalType
from laurel_scoring.warm_up import warm_up

SIZE = 1_000_000
PAIRS = 3
_PEER = Path(__file__).parent / "peers" / "scoring.mjs"


class NodeMissingError(Exception):
    """Node is not installed."""


async def run(size: int = SIZE) -> list[Figure]:
    """The figure; about a minute."""
    node = shutil.which("node")
    if node is None:
        raise NodeMissingError("node is missing: the peer is JavaScript")
    tenant, now = Tenant(0), datetime.now(UTC)
    signals, roster = _columns(size, tenant, now), _roster(tenant)
    windows = Windows.of_periods(to_microseconds(now))
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), signals, roster, windows)

        def ours(_: int) -> float:
            started = time.perf_counter()
            _evaluate(signals, roster, windows)
            return (time.perf_counter() - started) * 1e3

        def theirs(_: int) -> float:
            done = subprocess.run(
                [node, "--max-old-space-size=8192", str(_PEER), folder],
                capture_output=True,
                text=True,
                check=True,
            )
            return float(done.stdout)

        us, them = alternate(ours, theirs, PAIRS)
        boards = _compare(Path(folder), _evaluate(signals, roster, windows))
    say(f"{boards:,} boards, the same in both")
    return [
        Figure(
            "engine",
            f"plain JavaScript on Node, all boards of {size:,} signals",
            "the engine, from the same columns",
            median_ratio(them, us),
            20.0,
            at_least=True,
            unit="ms",
            subject_values=them,
            limit_values=us,
            notes={"boards": boards},
        )
    ]


def _evaluate(signals: Signals, roster: Roster, windows: Windows) -> list[BoardFamily]:
    return list(Evaluation(Timeline.of(signals), roster, DEFAULT_RULES, windows).families())


def _columns(size: int, tenant: Tenant, now: datetime) -> Signals:
    """The columns as scoring has them once ingest's batches have come in."""
    made = generate(size, now, tenant, seed=1)
    users, user = np.unique(made.user_id, return_inverse=True)
    repositories, repository = np.unique(made.repository_id, return_inverse=True)
    hashes = np.random.default_rng(1).integers(0, 256, (size, 32), dtype=np.uint8)
    return Signals(
        event_timestamp=made.event_time,
        type=made.type_index.astype(np.uint8),
        user=user.astype(np.int32),
        repository=repository.astype(np.int32),
        value_e4=np.full(size, 10_000, dtype=np.int32),
        flags=made.flags.astype(np.uint16),
        review_state=made.review_state.astype(np.uint8),
        additions=made.additions.astype(np.int32),
        deletions=made.deletions.astype(np.int32),
        content_hash=hashes,
        users=users,
        repositories=repositories,
    )


def _roster(tenant: Tenant) -> Roster:
    people = np.arange(PEOPLE)
    teams = tuple(
        Team(
            tenant.first_team + n,
            frozenset((FIRST_USER + people[people % TEAMS == n]).tolist()),
        )
        for n in range(TEAMS)
    )
    repositories = frozenset(tenant.first_repository + n for n in range(REPOSITORIES))
    assert ACTIVE_IN < REPOSITORIES
    return Roster(tenant.organization_id, repositories, teams)


def _write(folder: Path, signals: Signals, roster: Roster, windows: Windows) -> None:
    """The same columns, ids and rules as files that the peer reads."""
    columns: dict[str, Any] = {
        "event_timestamp": signals.event_timestamp.astype(np.float64),
        "user": signals.users[signals.user].astype(np.float64),
        "repository": signals.repositories[signals.repository].astype(np.float64),
    }
    for name in ("type", "value_e4", "flags", "review_state", "additions", "deletions"):
        columns[name] = getattr(signals, name)
    columns["content_hash"] = signals.content_hash
    for name, values in columns.items():
        (folder / f"{name}.bin").write_bytes(np.ascontiguousarray(values).tobytes())
    rules = DEFAULT_RULES
    first, merged, linked = (
        {"factor": each.factor_e4, "types": sorted(each.signal_types)}
        for each in (rules.multipliers[kind] for kind in MultiplierKind)
    )
    world = {
        "rules": {
            "basePoints": [rules.base_points_e4.get(kind, 0) for kind in SignalType],
            "dailyQuotas": [rules.daily_quotas.get(kind) for kind in SignalType],
            "reviewWeights": [rules.review_weights_e4.get(state) for state in ReviewState],
            "multipliers": {"first": first, "merged": merged, "linked": linked},
            "zeroPoints": {each.name.lower(): True for each in rules.zero_points},
            "weeklyThreshold": rules.weekly_threshold,
            "decayFactor": rules.decay_factor_e4,
            "floorFraction": rules.floor_fraction_e4,
            "spamPenalty": rules.spam_penalty_e4,
            "closedPenalty": rules.pr_closed_no_merge_penalty_e4,
        },
        "roster": {
            "organization": roster.organization_id,
            "repositories": sorted(roster.repositories),
            "teams": [{"id": each.id, "members": sorted(each.members)} for each in roster.teams],
        },
        # All time begins with the first signal.
        "windows": [max(each, 0) for each in windows.starts],
    }
    (folder / "world.json").write_text(json.dumps(world))


def _compare(folder: Path, families: list[BoardFamily]) -> int:
    """How many boards there are; an error where two differ in any number."""
    theirs: dict[str, list[list[int]]] = json.loads((folder / "boards.json").read_text())
    for family in families:
        for scope, scope_id in enumerate(family.scope_ids.tolist()):
            for window in range(family.windows):
                rows = family.board(scope, window)
                ours = np.column_stack(
                    [
                        family.entity_id[rows],
                        family.score_e4[rows],
                        family.rank[rows],
                        family.additions[rows],
                        family.breakdown_e4[rows],
                        family.counts[rows],
                    ]
                )
                name = f"{int(family.scope_type)}/{scope_id}/{int(family.entity_type)}/{window}"
                if ours.tolist() != theirs.pop(name):
                    raise ValueError(f"board {name} differs")
    if theirs:
        raise ValueError(f"{len(theirs)} boards are the peer's alone")
    return sum(len(family) for family in families)
