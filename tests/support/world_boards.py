"""What the boards of an installation must be: the naive implementation over ListSignals' pages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from laurel.common.v1 import board_pb2, types_pb2
from laurel.ingest.v1 import signal_entities_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from tests.support.naive_scoring import (
    PARTS,
    PERIODS,
    TYPES,
    NaiveResult,
    NaiveSignal,
    evaluate,
    rank,
    sum_teams,
    window,
)
from tests.support.scoring_builders import NAIVE_DEFAULT_RULES, e4

SCOPES = ("organization", "team", "repository")
ENTITIES_OF = {
    "organization": ("contributor", "team", "repository"),
    "team": ("contributor", "repository"),
    "repository": ("contributor", "team"),
}
_FLAGS = (
    "is_bot",
    "is_self_review",
    "is_self_merge",
    "is_in_merged_pr",
    "has_linked_issue",
    "has_linked_pr",
)


@dataclass(frozen=True, slots=True)
class Team:
    """A team: whom it counts, and where (everywhere, where it has no repositories)."""

    id: int
    members: frozenset[int]
    repositories: frozenset[int]


@dataclass(frozen=True, slots=True)
class Known:
    """All that scoring reads of an installation, read as any caller could."""

    installation_id: int
    account_id: int
    signals: Sequence[NaiveSignal]
    repositories: frozenset[int]
    teams: Sequence[Team]
    bots: frozenset[int]

    def boards(self) -> Iterator[board_pb2.Board]:
        """Every board that there has to be."""
        scopes = {
            "organization": [self.account_id],
            "team": [each.id for each in self.teams],
            "repository": sorted(self.repositories),
        }
        for scope, ids in scopes.items():
            for scope_id in ids:
                for entity in ENTITIES_OF[scope]:
                    for period in PERIODS:
                        yield board(self.installation_id, scope, scope_id, entity, period)

    def expected(self, wanted: board_pb2.Board, as_of: datetime) -> list[tuple[int, NaiveResult]]:
        """The board's entities in order, scored by the default rules."""
        period = PERIODS[wanted.time_period - 1]
        entity = ENTITIES_OF["organization"][wanted.entity_type - 1]
        within = window(list(self._scope(wanted)), period, as_of)
        mode = "repository" if entity == "repository" else "contributor"
        results = evaluate(within, NAIVE_DEFAULT_RULES, self.bots, mode=mode)
        if entity == "team":
            results = sum_teams(results, {each.id: each.members for each in self.teams})
        return rank(results)

    def _scope(self, wanted: board_pb2.Board) -> Iterable[NaiveSignal]:
        visible = [each for each in self.signals if each.repository_id in self.repositories]
        if wanted.scope_type == types_pb2.SCOPE_TYPE_REPOSITORY:
            return [each for each in visible if each.repository_id == wanted.scope_id]
        if wanted.scope_type == types_pb2.SCOPE_TYPE_TEAM:
            team = next(each for each in self.teams if each.id == wanted.scope_id)
            places = team.repositories or self.repositories
            return [
                each
                for each in visible
                if each.user_id in team.members and each.repository_id in places
            ]
        return visible


def board(
    installation_id: int, scope: str, scope_id: int, entity: str, period: str
) -> board_pb2.Board:
    """A board by the words of the specification."""
    return board_pb2.Board(
        installation_id=installation_id,
        scope_type=SCOPES.index(scope) + 1,  # type: ignore[arg-type]  # the wire's number
        scope_id=scope_id,
        entity_type=ENTITIES_OF["organization"].index(entity) + 1,  # type: ignore[arg-type]  # the wire's number
        time_period=PERIODS.index(period) + 1,  # type: ignore[arg-type]  # the wire's number
    )


def naive_signal(signal: signal_entities_pb2.Signal) -> NaiveSignal:
    """A listed signal as the naive implementation takes it."""
    told = signal.metadata
    metadata: dict[str, object] = {name: True for name in _FLAGS if getattr(told, name)}
    if told.review_state:
        name = types_pb2.ReviewState.Name(told.review_state)
        metadata["review_state"] = name.removeprefix("REVIEW_STATE_").lower()
    metadata |= {"additions": told.additions, "deletions": told.deletions}
    return NaiveSignal(
        signal.user_id,
        signal.repository_id,
        TYPES[signal.type - 1],
        signal.event_time.ToDatetime(tzinfo=UTC),
        signal.content_hash,
        Fraction(signal.value_e4, 10_000),
        metadata,
    )


Row = tuple[int, int, int, tuple[int, ...], tuple[int, ...], int, int, int | None]


def expected_rows(results: Iterable[tuple[int, NaiveResult]]) -> list[Row]:
    """Results as `shown_rows` writes entries, digit by digit."""
    return [
        (
            result.rank,
            entity_id,
            e4(result.score),
            tuple(e4(result.breakdown[part]) for part in PARTS),
            tuple(result.counts.get(kind, 0) for kind in TYPES),
            result.additions,
            result.deletions,
            result.member_count,
        )
        for entity_id, result in results
    ]


def shown_rows(entries: Iterable[leaderboard_pb2.Entry]) -> list[Row]:
    """Entries as comparable rows."""
    return [
        (
            each.rank,
            each.entity.id,
            each.score_e4,
            tuple(getattr(each.breakdown, f"{part}_e4") for part in PARTS),
            tuple(getattr(each.counts, kind) for kind in TYPES),
            each.additions,
            each.deletions,
            each.member_count if each.HasField("member_count") else None,
        )
        for each in entries
    ]
