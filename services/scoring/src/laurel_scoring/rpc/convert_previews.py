"""Previews from protobuf and to it."""

from collections.abc import Collection, Iterator
from typing import Any

from laurel.scoring.v1 import preview_pb2 as pb
from laurel_common.auth.access import Access
from laurel_scoring.application.ports import BoardKey
from laurel_scoring.application.preview_rules import DEFAULT_TOP_SIZE, Candidate, Previewed
from laurel_scoring.application.ranges import RangeKey
from laurel_scoring.application.visibility import sees_entity
from laurel_scoring.rpc.convert import at, board_key, breakdown, decimal
from laurel_scoring.rpc.convert_presets import rule_fields, rules, rules_edit
from laurel_scoring.rpc.convert_ranges import range_key

ENTRIES_A_MESSAGE = 500


def board(request: pb.PreviewRulesRequest) -> BoardKey | RangeKey:
    """What the rules are tried on. Raises InvalidRequest."""
    if request.HasField("range"):
        return range_key(request.range)
    return board_key(request.board)


def candidate(request: pb.PreviewRulesRequest) -> Candidate:
    """The rules that are tried. Raises InvalidRequest for a mask that names something else."""
    if not request.HasField("rules"):
        return Candidate(preset_id=request.candidate_preset_id)
    fields = rule_fields(request.update_mask.paths or ["rules"], has_rules=True)
    return Candidate(rules_edit(request.rules, fields))


class PreviewConverter:
    """One preview: its header, and its entries ENTRIES_A_MESSAGE at a time. Whom the caller may
    not see is left nameless as each message is made.
    """

    def __init__(self, found: Previewed, top_size: int) -> None:
        self._found = found
        self._top_size = top_size or DEFAULT_TOP_SIZE
        both = found.preview
        self._columns = [both.entity_ids(), both.before, both.after, *both.in_top(self._top_size)]

    def header(self) -> pb.PreviewRulesHeader:
        """What the preview comes to."""
        found, both = self._found, self._found.preview
        former, coming = both.ranks()
        was_top, is_top = both.in_top(self._top_size)
        return pb.PreviewRulesHeader(
            as_of=at(found.key.end - 1),
            preset_id=found.preset_id,
            current_rules=rules(found.current_rules),
            candidate_rules=rules(found.candidate_rules),
            signal_count=int(both.current.signal_count[0]),
            current_size=len(both.current.rank),
            candidate_size=len(both.candidate.rank),
            entered_count=int((former == 0).sum()),
            left_count=int((coming == 0).sum()),
            moved_count=int(((former > 0) & (coming > 0) & (former != coming)).sum()),
            top_size=self._top_size,
            top_entered_count=int((is_top & ~was_top).sum()),
            current_total_e4=int(both.current.score_e4.sum()),
            candidate_total_e4=int(both.candidate.score_e4.sum()),
            effects=[
                pb.RuleEffect(
                    field=each.field,
                    points_e4=each.points_e4,
                    moved_e4=each.moved_e4,
                    entity_count=each.entity_count,
                )
                for each in both.effects
            ],
            entry_count=found.shown,
        )

    def starts(self) -> Collection[int]:
        """Where the messages begin."""
        return range(0, self._found.shown, ENTRIES_A_MESSAGE)

    def message(self, first: int, access: Access) -> pb.PreviewEntries:
        """The entries from `first` on, as far as `access` goes."""
        end = min(first + ENTRIES_A_MESSAGE, self._found.shown)
        return pb.PreviewEntries(entries=self._entries(slice(first, end), access))

    def _entries(self, some: slice, access: Access) -> Iterator[pb.PreviewEntry]:
        kind = self._found.key.entity_type
        for entity_id, before, after, was_top, is_top in zip(
            *(column[some].tolist() for column in self._columns), strict=True
        ):
            entry = pb.PreviewEntry(
                enters_top=is_top and not was_top, leaves_top=was_top and not is_top
            )
            if sees_entity(access, kind, entity_id):
                entry.entity_id = entity_id
                entry.entity_name = self._found.names.get(entity_id, "")
            self._compare(entry, before, after)
            yield entry

    def _compare(self, entry: Any, before: int, after: int) -> None:
        both = self._found.preview
        if before >= 0:
            was = both.current.result(before)
            entry.current_rank, entry.current_score_e4 = was.rank, was.score_e4
            entry.current_score = decimal(was.score_e4)
            entry.current_breakdown.CopyFrom(breakdown(was))
        if after >= 0:
            will_be = both.candidate.result(after)
            entry.rank, entry.score_e4 = will_be.rank, will_be.score_e4
            entry.score = decimal(will_be.score_e4)
            entry.breakdown.CopyFrom(breakdown(will_be))
        if before >= 0 and after >= 0:
            entry.rank_gain = entry.current_rank - entry.rank
        entry.score_gain_e4 = entry.score_e4 - entry.current_score_e4
