"""What an import came to, added up over its batches."""

from collections import Counter
from dataclasses import dataclass, field

from laurel.ingest.v1 import signal_imports_pb2

# More lines than anybody reads are counted, not kept.
_MAX_PROBLEMS = 1_000


@dataclass(slots=True)
class TypeTotals:
    """Signals of one type."""

    new: int = 0
    changed: int = 0
    duplicate: int = 0


@dataclass(slots=True)
class ImportSummary:
    """Totals; `signals` is by number of SignalType, `skipped` by reason."""

    events: int = 0
    withdrawn: int = 0
    signals: dict[int, TypeTotals] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    problems: list[signal_imports_pb2.LineProblem] = field(default_factory=list)
    installation_ids: set[int] = field(default_factory=set)

    def add(self, answer: signal_imports_pb2.ImportEventsResponse) -> None:
        """Adds what ingest says of one batch."""
        self.events += answer.event_count
        self.withdrawn += answer.withdrawn_count
        for each in answer.signals:
            totals = self.signals.setdefault(each.type, TypeTotals())
            totals.new += each.new_count
            totals.changed += each.changed_count
            totals.duplicate += each.duplicate_count
        for skipped in answer.skipped:
            self.skipped[skipped.reason] += skipped.count
        for problem in answer.problems:
            self.add_problem(problem)
        self.installation_ids.update(answer.installation_ids)

    def add_problem(self, problem: signal_imports_pb2.LineProblem) -> None:
        """Keeps a line, or a file, that could not be read."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)

    def clear(self) -> None:
        """Forgets everything: the import starts over."""
        self.events = self.withdrawn = 0
        self.signals.clear()
        self.skipped.clear()
        self.problems.clear()
        self.installation_ids.clear()

    @property
    def totals(self) -> TypeTotals:
        """Signals of all types."""
        each = self.signals.values()
        return TypeTotals(
            sum(one.new for one in each),
            sum(one.changed for one in each),
            sum(one.duplicate for one in each),
        )
