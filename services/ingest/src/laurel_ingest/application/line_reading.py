"""Lines of a source, decoded and read, with those at fault named and counted."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import orjson

from laurel_ingest.domain import archive_frames
from laurel_ingest.domain.archive_frames import ArchiveEvent
from laurel_ingest.domain.refusals import MalformedError, Skip, SkippedError
from laurel_ingest.domain.timestamps import is_plausible

MAX_PROBLEMS = 100

_WORDS = {
    Skip.MALFORMED_JSON: "the line is not JSON",
    Skip.BEFORE_2015: "GH Archive is read from 2015 on; this event has an older shape or date",
    Skip.UNKNOWN_EVENT_TYPE: "the event's type is not one that GitHub is known to have",
    Skip.TIME_OUT_OF_RANGE: "the event is more than five minutes ahead",
    Skip.NO_REPOSITORY_ID: "the event does not tell its repository's id, and nobody knows it",
}


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Lines as they stand in a file, without line ends; `first_line_number` counts from 1."""

    lines: Sequence[bytes]
    first_line_number: int = 1
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line at fault, why by name, and a sentence that quotes nothing of it."""

    file_name: str
    line_number: int
    reason: str
    description: str


@dataclass(slots=True)
class Complaints:
    """What was left out of a batch, counted by reason, and the first lines at fault."""

    batch: RawBatch
    left_out: Counter[str] = field(default_factory=Counter)
    problems: list[LineProblem] = field(default_factory=list)

    def about(self, index: int, reason: Skip, description: str | None = None) -> None:
        """Counts a line (its place in the batch) under a reason and names it."""
        self.left_out[reason] += 1
        if len(self.problems) < MAX_PROBLEMS:
            number = self.batch.first_line_number + index
            sentence = description or _WORDS[reason]
            self.problems.append(LineProblem(self.batch.file_name, number, reason, sentence))


def decoded(line: bytes) -> object:
    """The JSON of a line. Raises MalformedError.

    What the fast decoder refuses (a lone surrogate) gets a second hearing; texts are cleaned
    before they are stored.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise MalformedError(_WORDS[Skip.MALFORMED_JSON]) from None


def read_archive(
    complaints: Complaints, owners: Collection[str], now: int
) -> list[tuple[int, ArchiveEvent]]:
    """(place in the batch, event) of each line that is one of the wanted owners' (all if none).

    Empty lines are none. Owners in lower case. `now` in epoch seconds: what an event of a time to
    come says would stand against whatever is heard until then.
    """
    events: list[tuple[int, ArchiveEvent]] = []
    for index, line in enumerate(complaints.batch.lines):
        if not line.strip():
            continue
        try:
            raw = decoded(line)
        except MalformedError as error:
            complaints.about(index, Skip.MALFORMED_JSON, str(error))
            continue
        try:
            event = archive_frames.read_event(raw)
        except SkippedError as error:
            complaints.about(index, error.reason)
        except MalformedError as error:
            complaints.about(index, Skip.MALFORMED_EVENT, str(error))
        else:
            if not is_plausible(event.at, now):
                complaints.about(index, Skip.TIME_OUT_OF_RANGE)
            elif owners and event.owner.login.lower() not in owners:
                complaints.left_out[Skip.OTHER_OWNER] += 1
            else:
                events.append((index, event))
    return events
