"""Entries, histories and what they were read from, as messages; days, as they are asked for."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from laurel.common.v1 import board_pb2
from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_common.errors import InvalidRequest
from laurel_leaderboard.application.batch_get_entries import Batch
from laurel_leaderboard.application.current_boards import CurrentBoard
from laurel_leaderboard.application.get_entry import Surroundings
from laurel_leaderboard.domain.boards import EntityType
from laurel_leaderboard.domain.changes import BoardChange
from laurel_leaderboard.domain.entries import Entry, Profile, format_points
from laurel_leaderboard.domain.history import HistoryPoint
from laurel_leaderboard.rpc.convert import ENTITY_NUMBERS, timestamp

_NOBODY = Profile("")


def entry_message(entry: Entry) -> leaderboard_pb2.Entry:
    """One place on a board."""
    row = entry.row
    message = leaderboard_pb2.Entry(
        rank=row.rank,
        entity=entity_message(entry.entity_type, row.entity_id, entry.profile, hidden=entry.hidden),
        score_e4=row.score_e4,
        score=format_points(row.score_e4),
        breakdown=board_pb2.Breakdown(
            **{f"{kind}_e4": points for kind, points in row.breakdown.items()}
        ),
        counts=board_pb2.Counts(**row.counts),
        additions=row.additions,
        deletions=row.deletions,
    )
    if row.member_count is not None:
        message.member_count = row.member_count
    if entry.previous is not None:
        message.previous_rank = entry.previous.rank
        message.previous_score_e4 = entry.previous.score_e4
    return message


def entity_message(
    kind: EntityType, entity_id: int, profile: Profile | None, *, hidden: bool = False
) -> leaderboard_pb2.Entity:
    """Whom or what an entry ranks; of what is hidden, only of what kind it is."""
    if hidden:
        return leaderboard_pb2.Entity(type=ENTITY_NUMBERS[kind])
    known = profile or _NOBODY
    return leaderboard_pb2.Entity(
        type=ENTITY_NUMBERS[kind],
        id=entity_id,
        login=known.login,
        name=known.name,
        avatar_url=known.avatar_url,
    )


def version_summary(board: CurrentBoard) -> leaderboard_pb2.VersionSummary:
    """The version that entries were read from."""
    version = board.version
    return leaderboard_pb2.VersionSummary(
        materialization_id=version.id,
        version=version.number,
        entry_count=version.row_count,
        compute_time=timestamp(version.computed_at),
        as_of=timestamp(version.as_of),
        preset_id=version.preset.preset_id,
        signal_count=version.signal_count,
        # The domain's numbers are the wire's.
        freshness=leaderboard_pb2.Freshness.ValueType(board.freshness),
    )


def change_message(
    change: BoardChange, hidden: Collection[int]
) -> leaderboard_pb2.WatchLeaderboardResponse:
    """What a version changes, those of `hidden` without id and names."""
    kind = change.version.board.entity_type
    return leaderboard_pb2.WatchLeaderboardResponse(
        version=version_summary(CurrentBoard(change.version, change.freshness)),
        base_materialization_id=change.base_id,
        entries=[
            entry_message(replace(entry, hidden=entry.row.entity_id in hidden))
            for entry in change.entries
        ],
        left_entities=[
            entity_message(
                kind, leaver.entity_id, leaver.profile, hidden=leaver.entity_id in hidden
            )
            for leaver in change.left
        ],
        truncated=change.truncated,
    )


def entity_of(request: leaderboard_pb2.GetEntryRequest) -> int | str:
    """The id or the login; the chain has seen to it that there is one."""
    return request.login if request.WhichOneof("entity") == "login" else request.entity_id


def entry_response(found: Surroundings) -> leaderboard_pb2.GetEntryResponse:
    """An entry between its neighbours."""
    return leaderboard_pb2.GetEntryResponse(
        entry=entry_message(found.entry),
        entries_above=map(entry_message, found.above),
        entries_below=map(entry_message, found.below),
        version=version_summary(found.board),
    )


def batch_response(found: Batch) -> leaderboard_pb2.BatchGetEntriesResponse:
    """Those who stand on a board, and those who don't."""
    return leaderboard_pb2.BatchGetEntriesResponse(
        entries=map(entry_message, found.entries),
        missing_entity_ids=found.missing,
        version=version_summary(found.board),
    )


def history_point(point: HistoryPoint) -> leaderboard_pb2.HistoryPoint:
    """Where an entity stood at the end of a day."""
    return leaderboard_pb2.HistoryPoint(
        entity_id=point.entity_id,
        date=point.day.isoformat(),
        rank=point.standing.rank,
        score_e4=point.standing.score_e4,
        score=format_points(point.standing.score_e4),
    )


def days_asked(request: leaderboard_pb2.GetHistoryRequest) -> tuple[date | None, date | None]:
    """The first and the last day, None where unset; all that are no days are named at once."""
    found: list[date | None] = []
    faults = []
    for field in ("start_date", "end_date"):
        text = getattr(request, field)
        try:
            found.append(day_of(text) if text else None)
        except ValueError:
            faults.append((field, "is no day as 2026-01-15"))
    if faults:
        raise InvalidRequest.of(*faults)
    return found[0], found[1]


def day_of(text: str) -> date:
    """The day that is written as 2026-01-15; raises ValueError."""
    found = date.fromisoformat(text)
    # Python also reads other forms of ISO 8601.
    if found.isoformat() != text:
        raise ValueError(text)
    return found
