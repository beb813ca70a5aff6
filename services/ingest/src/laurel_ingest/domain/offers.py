"""Signals that a caller offers, in columns: what is refused and why, and the rest made fit.

No signal becomes an object here: each rule is a mask over a column.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from laurel_ingest.domain.columns import SCHEMA
from laurel_ingest.domain.metadata import fitted_titles
from laurel_ingest.domain.signals import MAX_VALUE_E4, VALUE_E4, Flag, SignalType
from laurel_ingest.domain.texts import REPLACEMENT
from laurel_ingest.domain.timestamps import FIRST_SECOND, FUTURE_TOLERANCE

Mask = np.ndarray[Any, np.dtype[np.bool_]]

REQUIRED: Final = ("user_id", "repository_id", "type", "event_time", "identity")

OFFER: Final = pa.schema(
    [
        ("user_id", pa.int64()),
        ("repository_id", pa.int64()),
        ("type", pa.int8()),
        ("event_time", pa.timestamp("us", "UTC")),
        ("identity", pa.string()),
        ("value_e4", pa.int64()),
        ("flags", pa.int32()),
        ("review_state", pa.int8()),
        ("additions", pa.int32()),
        ("deletions", pa.int32()),
        ("number", pa.int64()),
        ("title", pa.string()),
        ("object_id", pa.string()),
    ]
)
"""The columns of a batch as ingest.proto names them."""

_SHA: Final = "^[0-9a-f]{40}([0-9a-f]{24})?$"
_NUMBER: Final = "^[1-9][0-9]{0,18}$"
_THING: Final = "^(commit|pull_request|issue|review|comment|review_comment):[0-9a-f]{1,64}$"
_ALL_FLAGS: Final = sum(Flag)
_TYPE_NAMES: Final = pa.array(["", *(each.label for each in SignalType)])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one signal (its place in the batch) is not written, and which field is at fault."""

    index: int
    field: str
    description: str


@dataclass(slots=True)
class Judgement:
    """Which signals of a batch are refused; the first rule that one breaks is told."""

    offered: pa.Table
    refused: Mask = field(init=False)
    _broken: list[tuple[str, str, Mask]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.refused = np.zeros(self.offered.num_rows, dtype=np.bool_)

    @property
    def refused_count(self) -> int:
        """How many signals are refused."""
        return int(self.refused.sum())

    def refuse(self, name: str, description: str, broken: Mask) -> None:
        """Refuses what breaks a rule and was not refused before."""
        fresh = broken & ~self.refused
        if fresh.any():
            self._broken.append((name, description, fresh))
            self.refused |= fresh

    def refuse_missing(self, name: str, description: str, ids: Collection[int]) -> None:
        """Refuses what refers to any of these ids."""
        if ids:
            wanted = pa.array(sorted(ids), pa.int64())
            self.refuse(name, description, _mask(pc.is_in(self.offered[name], wanted)))

    def refusals(self, limit: int) -> list[Refusal]:
        """The first refused signals, in the order of the batch."""
        found = [
            Refusal(int(index), name, description)
            for name, description, mask in self._broken
            for index in np.flatnonzero(mask)[:limit]
        ]
        return sorted(found, key=lambda refusal: refusal.index)[:limit]

    def ids(self, name: str) -> list[int]:
        """The different ids of a column among what is not refused."""
        return [each for each in pc.unique(self._kept()[name]).to_pylist() if each is not None]

    def _kept(self) -> pa.Table:
        return self.offered.filter(pa.array(~self.refused)) if self.refused.any() else self.offered

    def accepted(self, installation_id: int, standing: int) -> pa.Table:
        """What is not refused, as columns of `columns.SCHEMA`."""
        kept = self._kept()
        count = kept.num_rows
        title, object_id = _text(kept["title"]), _text(kept["object_id"])
        value = pc.fill_null(kept["value_e4"], 0)
        columns = {
            "installation_id": pa.repeat(pa.scalar(installation_id, pa.int64()), count),
            "user_id": kept["user_id"],
            "repository_id": kept["repository_id"],
            "type": pc.take(_TYPE_NAMES, pc.cast(kept["type"], pa.int32())),
            "identity": pc.utf8_lower(kept["identity"]),
            "event_timestamp": pc.floor_temporal(kept["event_time"], unit="second"),
            "value_e4": pc.if_else(pc.equal(value, 0), VALUE_E4, value),
            "standing": pa.repeat(pa.scalar(standing, pa.int16()), count),
            "flags": pc.fill_null(kept["flags"], 0),
            "review_state": _nonzero(kept["review_state"]),
            "additions": kept["additions"],
            "deletions": kept["deletions"],
            "number": _nonzero(kept["number"]),
            "title": fitted_titles(title, object_id),
            "object_id": object_id,
        }
        return pa.table([pc.cast(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA)


def judge(offered: pa.Table, now: int) -> Judgement:
    """Applies every rule that needs no look at the database; `offered` has OFFER's columns."""
    judgement = Judgement(offered)
    for name in REQUIRED:
        judgement.refuse(name, "is missing", _mask(pc.is_null(offered[name])))
    for name, description, is_broken in _RULES:
        judgement.refuse(name, description, _mask(is_broken(offered[name])))
    latest = datetime.fromtimestamp(now + FUTURE_TOLERANCE, UTC)
    times = offered["event_time"]
    judgement.refuse(
        "event_time", "is more than five minutes ahead", _mask(pc.greater(times, latest))
    )
    _judge_identities(judgement)
    return judgement


def _judge_identities(judgement: Judgement) -> None:
    types, identities = judgement.offered["type"], pc.utf8_lower(judgement.offered["identity"])
    forms = (
        (pc.equal(types, SignalType.COMMIT), _SHA, "is not a commit's SHA"),
        (pc.equal(types, SignalType.SPAM), _THING, "is not kind:id of a thing"),
        (
            pc.and_(pc.not_equal(types, SignalType.COMMIT), pc.not_equal(types, SignalType.SPAM)),
            _NUMBER,
            "is not a number or id",
        ),
    )
    for applies, pattern, description in forms:
        fits = pc.match_substring_regex(identities, pattern)
        judgement.refuse("identity", description, _mask(applies) & ~_mask(fits))


def _outside(low: int, high: int) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda column: pc.or_(pc.less(column, low), pc.greater(column, high))


def _below(low: int | datetime) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda column: pc.less(column, low)


def _longer(length: int) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    return lambda column: pc.greater(pc.utf8_length(column), length)


_RULES: Final[tuple[tuple[str, str, Callable[[pa.ChunkedArray], pa.ChunkedArray]], ...]] = (
    ("user_id", "is 0", lambda column: pc.equal(column, 0)),
    ("repository_id", "is 0", lambda column: pc.equal(column, 0)),
    ("type", "is no signal type", _outside(1, len(SignalType))),
    ("event_time", "is before 2005", _below(datetime.fromtimestamp(FIRST_SECOND, UTC))),
    ("value_e4", f"is not above 0 and at most {MAX_VALUE_E4}", _outside(0, MAX_VALUE_E4)),
    ("flags", "has bits that mean nothing", _outside(0, _ALL_FLAGS)),
    ("review_state", "is no review state", _outside(0, 3)),
    ("additions", "is negative", _below(0)),
    ("deletions", "is negative", _below(0)),
    ("number", "is negative", _below(0)),
    ("title", "is longer than 4,096 characters", _longer(4096)),
    ("object_id", "is longer than 64 characters", _longer(64)),
)


def _mask(answers: pa.ChunkedArray) -> Mask:
    """Answers as a mask; null (nothing to judge) breaks no rule."""
    mask: Mask = np.asarray(pc.fill_null(answers, False), dtype=np.bool_)
    return mask


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without NUL, which PostgreSQL does not take; empty is null."""
    clean = pc.replace_substring(column, "\0", REPLACEMENT)
    return pc.if_else(pc.equal(clean, ""), pa.scalar(None, pa.string()), clean)


def _nonzero(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, 0), pa.scalar(None, column.type), column)
