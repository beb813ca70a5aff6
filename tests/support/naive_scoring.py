"""Scoring a second time, naively: plain Python over plain values, written from the specification.

It shares nothing with the engine but the names of things: no arrays, no compiled code, one
window and one scope at a time, exact rational arithmetic.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

TYPES = (
    "commit",
    "pr_open",
    "pr_merge",
    "pr_close_no_merge",
    "issue_open",
    "issue_close",
    "review",
    "review_comment",
    "comment",
    "spam",
)
PART = {
    "commit": "commits",
    "pr_open": "pull_requests",
    "pr_merge": "pull_requests",
    "pr_close_no_merge": "pull_requests",
    "review": "reviews",
    "review_comment": "reviews",
    "issue_open": "issues",
    "issue_close": "issues",
    "comment": "comments",
}
PARTS = ("commits", "pull_requests", "reviews", "issues", "comments", "penalties")
PERIODS = ("today", "week", "month", "quarter", "half_year", "all_time")
DAYS = {"week": 7, "month": 30, "quarter": 90, "half_year": 180}


@dataclass(frozen=True)
class NaiveSignal:
    """One signal; value and everything else as a person would write it."""

    user_id: int
    repository_id: int
    type: str
    event_timestamp: datetime
    content_hash: str
    value: Fraction = Fraction(1)
    metadata: Mapping[str, object] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """A flag of the metadata; a missing one is false."""
        return bool(self.metadata.get(name, False))

    def number(self, name: str) -> int:
        """A number of the metadata; a missing one is 0."""
        value = self.metadata.get(name, 0)
        assert isinstance(value, int)
        return value


@dataclass(frozen=True)
class NaiveRules:
    """Rules in points, by the names of the specification."""

    base_points: Mapping[str, Fraction]
    multipliers: Mapping[str, tuple[Fraction, frozenset[str]]]
    review_state_weights: Mapping[str, Fraction]
    daily_quotas: Mapping[str, int]
    zero_point_conditions: frozenset[str]
    weekly_threshold: int
    decay_factor: Fraction
    floor_fraction: Fraction
    spam_penalty: Fraction
    pr_closed_no_merge_penalty: Fraction


@dataclass
class NaiveLine:
    """What became of one signal."""

    signal: NaiveSignal
    outcome: str
    points: Fraction = Fraction(0)
    penalty: Fraction = Fraction(0)
    base: Fraction = Fraction(0)
    day_position: int = 0
    week_position: int = 0
    withheld: Fraction = Fraction(0)


@dataclass
class NaiveResult:
    """What one entity came to."""

    breakdown: dict[str, Fraction] = field(
        default_factory=lambda: dict.fromkeys(PARTS, Fraction(0))
    )
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    additions: int = 0
    deletions: int = 0
    ledger: list[NaiveLine] = field(default_factory=list)
    member_count: int | None = None
    rank: int = 0

    @property
    def score(self) -> Fraction:
        """The sum of the breakdown."""
        return sum(self.breakdown.values(), Fraction(0))


def mul(a: Fraction, b: Fraction) -> Fraction:
    """The product to four decimals, halves away from zero."""
    exact = a * b * 10_000
    magnitude = int(abs(exact) + Fraction(1, 2))
    return Fraction(magnitude if exact >= 0 else -magnitude, 10_000)


def window(signals: Iterable[NaiveSignal], period: str, as_of: datetime) -> list[NaiveSignal]:
    """The signals of a period as of a moment."""
    if period == "all_time":
        start = datetime.min.replace(tzinfo=UTC)
    elif period == "today":
        start = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    else:
        start = as_of - timedelta(days=DAYS[period])
    return [each for each in signals if start <= each.event_timestamp <= as_of]


def span(signals: Iterable[NaiveSignal], start: datetime, end: datetime) -> list[NaiveSignal]:
    """The signals of the range [start, end)."""
    return [each for each in signals if start <= each.event_timestamp < end]


def evaluate(
    signals: Sequence[NaiveSignal], rules: NaiveRules, bots: Collection[int], *, mode: str
) -> dict[int, NaiveResult]:
    """Results by entity id; mode is contributor or repository."""
    results: dict[int, NaiveResult] = {}
    in_day: dict[tuple[int, str, str], int] = defaultdict(int)
    in_week: dict[tuple[int, int, int], int] = defaultdict(int)
    active: set[tuple[int, str]] = set()

    def key(signal: NaiveSignal) -> tuple[datetime, int, str, int]:
        at = TYPES.index(signal.type)
        return (signal.event_timestamp, at, signal.content_hash, signal.user_id)

    for signal in sorted(signals, key=key):
        a_bot = signal.flag("is_bot") or signal.user_id in bots
        if a_bot and "bot_activity" in rules.zero_point_conditions:
            continue
        entity = signal.user_id if mode == "contributor" else signal.repository_id
        result = results.setdefault(entity, NaiveResult())
        result.counts[signal.type] += 1
        if signal.type == "commit":
            result.additions = min(result.additions + signal.number("additions"), 2_147_483_647)
            result.deletions = min(result.deletions + signal.number("deletions"), 2_147_483_647)
        line = NaiveLine(signal, "earned")
        result.ledger.append(line)
        if signal.type == "spam":
            line.penalty = mul(rules.spam_penalty, signal.value)
        if signal.type == "pr_close_no_merge":
            line.penalty = mul(rules.pr_closed_no_merge_penalty, signal.value)
        result.breakdown["penalties"] += line.penalty

        worth = mul(rules.base_points.get(signal.type, Fraction(0)), signal.value)
        reason = zero_reason(signal, rules.zero_point_conditions)
        if reason is not None:
            line.outcome, line.withheld = reason, worth
            continue
        line.base = worth
        if line.base == 0:
            line.outcome = "no_base_points"
            continue
        points = line.base
        if mode == "contributor":
            day = (entity, signal.type, signal.event_timestamp.date().isoformat())
            in_day[day] += 1
            line.day_position = in_day[day]
            if signal.type in rules.daily_quotas and in_day[day] > rules.daily_quotas[signal.type]:
                line.outcome, line.withheld = "daily_quota", line.base
                continue
            year, number, _ = signal.event_timestamp.isocalendar()
            in_week[entity, year, number] += 1
            line.week_position = in_week[entity, year, number]
            over = line.week_position - rules.weekly_threshold
            if over > 0:
                left = max(rules.floor_fraction, 1 - rules.decay_factor * over)
                points = mul(points, left)
                line.withheld = line.base - points
        line.points = multiply(signal, points, rules, first=(entity, signal.type) not in active)
        active.add((entity, signal.type))
        result.breakdown[PART[signal.type]] += line.points
    return results


def zero_reason(signal: NaiveSignal, conditions: Collection[str]) -> str | None:
    """Step 3: why the signal earns nothing."""
    met = {
        "self_review": signal.type in ("review", "review_comment")
        and signal.flag("is_self_review"),
        "self_merge": signal.type == "pr_merge" and signal.flag("is_self_merge"),
        "issue_closed_no_pr": signal.type == "issue_close" and not signal.flag("has_linked_pr"),
        "pr_closed_no_merge": signal.type == "pr_close_no_merge",
    }
    for name, holds in met.items():
        if holds and name in conditions:
            return name
    return "penalty_only" if signal.type == "spam" else None


def multiply(signal: NaiveSignal, points: Fraction, rules: NaiveRules, *, first: bool) -> Fraction:
    """Steps 7 and 8."""
    applies = {
        "first_activity": first,
        "merged_pr_commit": signal.flag("is_in_merged_pr"),
        "pr_linked_to_issue": signal.flag("has_linked_issue"),
    }
    for kind, holds in applies.items():
        if holds and kind in rules.multipliers:
            factor, types = rules.multipliers[kind]
            if signal.type in types:
                points = mul(points, factor)
    if signal.type == "review":
        state = signal.metadata.get("review_state")
        points = mul(points, rules.review_state_weights.get(str(state), Fraction(1)))
    return points


def sum_teams(
    members: Mapping[int, NaiveResult], teams: Mapping[int, Collection[int]]
) -> dict[int, NaiveResult]:
    """The teams that have a listed member, each the sum of its members."""
    results = {}
    for team, people in teams.items():
        listed = [members[person] for person in people if person in members]
        if not listed:
            continue
        total = NaiveResult(member_count=len(people))
        for each in listed:
            for part in PARTS:
                total.breakdown[part] += each.breakdown[part]
            for kind, count in each.counts.items():
                total.counts[kind] += count
            total.additions = min(total.additions + each.additions, 2_147_483_647)
            total.deletions = min(total.deletions + each.deletions, 2_147_483_647)
        results[team] = total
    return results


def rank(results: Mapping[int, NaiveResult]) -> list[tuple[int, NaiveResult]]:
    """Entities in the order of the board, their ranks set."""
    board = sorted(results.items(), key=lambda item: (-item[1].score, item[0]))
    for place, (_, result) in enumerate(board):
        before = board[place - 1][1] if place else None
        tied = before is not None and before.score == result.score
        result.rank = before.rank if tied and before is not None else place + 1
    return board
