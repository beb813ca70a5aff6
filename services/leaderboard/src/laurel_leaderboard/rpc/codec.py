"""Writes parts of a GetLeaderboard answer as bytes: concatenated, protobuf reads one message.

And what watchers are told, which is written once for all of them.
"""

from collections.abc import Collection, Sequence

from laurel.leaderboard.v1 import leaderboard_pb2
from laurel_leaderboard.domain.changes import BoardChange
from laurel_leaderboard.domain.entries import Entry
from laurel_leaderboard.domain.pages import Freshness, Source
from laurel_leaderboard.domain.versions import Version
from laurel_leaderboard.rpc.convert import timestamp
from laurel_leaderboard.rpc.convert_entries import change_message, entry_message


class ProtobufCodec:
    """A ResponseCodec; each method writes other fields of GetLeaderboardResponse."""

    def change(self, change: BoardChange, hidden: Collection[int]) -> bytes:
        """A message to watchers, those of `hidden` without id and names."""
        return change_message(change, hidden).SerializeToString()

    def entries(self, entries: Sequence[Entry]) -> bytes:
        """The entries of a page."""
        page = leaderboard_pb2.GetLeaderboardResponse(entries=map(entry_message, entries))
        return page.SerializeToString()

    def ids(self, entries: bytes) -> tuple[int, ...]:
        """Whom the entries of a page rank, in their order."""
        page = leaderboard_pb2.GetLeaderboardResponse.FromString(entries)
        return tuple(entry.entity.id for entry in page.entries)

    def masked(self, entries: bytes, hidden: Collection[int]) -> bytes:
        """The entries of a page, those of `hidden` without id, login, name and picture."""
        page = leaderboard_pb2.GetLeaderboardResponse.FromString(entries)
        for entry in page.entries:
            if entry.entity.id in hidden:
                entry.entity.CopyFrom(leaderboard_pb2.Entity(type=entry.entity.type))
        return page.SerializeToString()

    def header(self, version: Version) -> bytes:
        """What all pages of a version have in common."""
        return leaderboard_pb2.GetLeaderboardResponse(
            total_size=version.row_count,
            materialization_id=version.id,
            version=version.number,
            compute_time=timestamp(version.computed_at),
            as_of=timestamp(version.as_of),
            preset_id=version.preset.preset_id,
            signal_count=version.signal_count,
        ).SerializeToString()

    def state(self, freshness: Freshness, source: Source) -> bytes:
        """What changes from read to read; the domain's numbers are the wire's."""
        return leaderboard_pb2.GetLeaderboardResponse(
            freshness=leaderboard_pb2.Freshness.ValueType(freshness),
            source=leaderboard_pb2.Source.ValueType(source),
        ).SerializeToString()

    def token(self, page_token: str) -> bytes:
        """Where the next page begins; nothing for an empty token."""
        return leaderboard_pb2.GetLeaderboardResponse(
            next_page_token=page_token
        ).SerializeToString()
