"""Generated inputs for the scoring tests, crowded around the edges that the rules have."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from laurel_scoring.domain.roster import Roster, Team
from tests.support.naive_scoring import TYPES, NaiveRules, NaiveSignal

MOMENTS = [
    datetime(2026, 3, 4, 15, 30, tzinfo=UTC),
    datetime(2026, 3, 9, 0, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
FLAGS = (
    "is_bot",
    "is_self_review",
    "is_self_merge",
    "is_in_merged_pr",
    "has_linked_issue",
    "has_linked_pr",
)
STATES = ("approved", "changes_requested", "commented", "dismissed")
CONDITIONS = (
    "self_review",
    "self_merge",
    "bot_activity",
    "issue_closed_no_pr",
    "pr_closed_no_merge",
)
KINDS = ("first_activity", "merged_pr_commit", "pr_linked_to_issue")


def amounts(least: int, most: int) -> st.SearchStrategy[Fraction]:
    """Numbers of four decimals between two given in ten-thousandths."""
    return st.integers(least, most).map(lambda number: Fraction(number, 10_000))


def moments(as_of: datetime) -> st.SearchStrategy[datetime]:
    """Times around every window's edge, around days' and weeks' ends, and anywhere else."""
    edges = [timedelta(days=days) for days in (0, 1, 7, 30, 90, 180)]
    midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    near = st.builds(
        lambda base, edge, nudge: base - edge + timedelta(microseconds=nudge),
        st.sampled_from([as_of, midnight, midnight - timedelta(days=midnight.weekday())]),
        st.sampled_from(edges),
        st.sampled_from([-1, 0, 1]),
    )
    crowded = st.builds(
        lambda hours: midnight - timedelta(days=3) + timedelta(hours=hours), st.integers(0, 60)
    )
    anywhere = st.builds(lambda hours: as_of - timedelta(hours=hours), st.integers(-5, 24 * 400))
    return st.one_of(crowded, near, anywhere)


@st.composite
def signals(draw: st.DrawFn, as_of: datetime) -> list[NaiveSignal]:
    """Up to 40 signals of few people on few repositories, some at the same instant."""
    small = st.integers(0, 3)
    one = st.builds(
        NaiveSignal,
        user_id=st.integers(1, 4),
        repository_id=st.integers(10, 13),
        type=st.one_of(st.just("commit"), st.just("review"), st.sampled_from(TYPES)),
        event_timestamp=moments(as_of),
        content_hash=st.builds(
            lambda head, tail: f"{head}" * 48 + f"{tail}" * 16,
            st.integers(0, 2),
            st.integers(0, 2),
        ),
        value=st.one_of(st.just(Fraction(1)), amounts(1, 10_000_000)),
        metadata=st.fixed_dictionaries(
            {},
            optional={
                **{
                    flag: st.booleans() if flag != "is_bot" else small.map(lambda n: n == 0)
                    for flag in FLAGS
                },
                "review_state": st.sampled_from(STATES),
                "additions": st.sampled_from([0, 1, 7, 2_000_000_000]),
                "deletions": st.sampled_from([0, 2, 2_147_483_647]),
            },
        ),
    )
    drawn = draw(st.lists(one, min_size=0, max_size=40))
    unique = {(e.event_timestamp, e.type, e.content_hash, e.user_id): e for e in drawn}
    return list(unique.values())


@st.composite
def rules(draw: st.DrawFn) -> NaiveRules:
    """Rules within their bounds, with small quotas and thresholds so that they bite."""
    types = st.frozensets(st.sampled_from(TYPES), min_size=1)
    return NaiveRules(
        base_points=draw(st.dictionaries(st.sampled_from(TYPES), amounts(0, 1_000_000))),
        multipliers=draw(
            st.dictionaries(st.sampled_from(KINDS), st.tuples(amounts(1, 30_000), types))
        ),
        review_state_weights=draw(st.dictionaries(st.sampled_from(STATES[:3]), amounts(0, 20_000))),
        daily_quotas=draw(st.dictionaries(st.sampled_from(TYPES), st.integers(0, 3))),
        zero_point_conditions=draw(st.frozensets(st.sampled_from(CONDITIONS))),
        weekly_threshold=draw(st.integers(0, 5)),
        decay_factor=draw(amounts(0, 10_000)),
        floor_fraction=draw(amounts(0, 10_000)),
        spam_penalty=draw(amounts(-200_000, 0)),
        pr_closed_no_merge_penalty=draw(amounts(-200_000, 0)),
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Few teams, some with repositories of their own, some bots, one repository out of sight."""
    people = st.frozensets(st.integers(1, 6))
    some = st.frozensets(st.integers(10, 14))
    teams = draw(st.dictionaries(st.integers(100, 104), st.tuples(people, some), max_size=4))
    return Roster(
        organization_id=7,
        repositories=draw(st.sampled_from([frozenset({10, 11, 12, 13}), frozenset({10, 11, 14})])),
        teams=tuple(Team(team, *members) for team, members in teams.items()),
        bots=draw(st.frozensets(st.integers(1, 6), max_size=1)),
    )
