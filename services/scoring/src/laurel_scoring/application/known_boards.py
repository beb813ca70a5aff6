"""What this process knows of the boards that it published last: enough to publish only changes."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from laurel_scoring.application.inputs import Inputs
from laurel_scoring.application.ports import PublicationHeader, UnchangedBoards
from laurel_scoring.domain.digests import BoardName, FamilyChanges, board_digests, board_names
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.merging import Pairs
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.touched import Scopes, crossed, scopes_of
from laurel_scoring.domain.vocabulary import TimePeriod

# Over all installations; about 250 bytes each.
MOST_BOARDS = 400_000


@dataclass(frozen=True)
class Known:
    """All boards of an installation as this process last published them.

    run_id: the run that published last. as_of: of the last run of all periods. checked: of each
    period, as_of and input mark that its boards have. pending: whom changes touched since as_of.
    """

    run_id: int
    preset_id: int
    rules_json: str
    roster: Roster
    as_of: datetime
    checked: Mapping[TimePeriod, tuple[datetime, str]]
    digests: Mapping[BoardName, bytes]
    pending: Pairs

    def touched_scopes(
        self, header: PublicationHeader, inputs: Inputs, windows: Windows
    ) -> Scopes | None:
        """The scopes whose boards can be others by now; None where anything else has changed."""
        if inputs.changed is None or header.as_of <= self.as_of:
            return None
        if (header.preset_id, header.rules_json) != (self.preset_id, self.rules_json):
            return None
        if inputs.roster != self.roster:
            return None
        before = Windows.of_periods(to_microseconds(self.as_of), windows.periods)
        slid = crossed(inputs.signals, before, windows)
        return scopes_of(self.pending.with_others(inputs.changed, slid), inputs.roster)


@dataclass
class Publication:
    """One publication as it is made: what is changed of what was known, and what will be known."""

    header: PublicationHeader
    evaluation: Evaluation
    known: Known | None
    digests: dict[BoardName, bytes] = field(default_factory=dict)
    _changed: dict[TimePeriod, int] = field(default_factory=dict)

    def families(self) -> Iterator[FamilyChanges]:
        """The evaluation's families, with the boards that have to be published."""
        for family in self.evaluation.families():
            names = list(board_names(family, self.header.periods))
            digests = list(board_digests(family, self.header.rules_json))
            changed = [
                number
                for number, (name, digest) in enumerate(zip(names, digests, strict=True))
                if self.known is None or self.known.digests.get(name) != digest
            ]
            self.digests.update(zip(names, digests, strict=True))
            for number in changed:
                period = names[number][-1]
                self._changed[period] = self._changed.get(period, 0) + 1
            yield FamilyChanges(family, digests, changed)

    def unchanged(self) -> Sequence[UnchangedBoards]:
        """The other boards of the periods, once all families are made."""
        if self.known is None:
            return []
        total = self.evaluation.board_count() // len(self.header.periods)
        return [
            UnchangedBoards(
                period, *self.known.checked[period], total - self._changed.get(period, 0)
            )
            for period in self.header.periods
        ]

    def known_after(self, run_id: int, inputs: Inputs) -> Known | None:
        """What is known once it is published; None where that is not everything."""
        whole = set(self.header.periods) == set(TimePeriod)
        mark = self.header.as_of, self.header.input_mark
        checked = dict.fromkeys(self.header.periods, mark)
        if self.known is None:
            if not whole:
                return None
            return Known(
                run_id,
                self.header.preset_id,
                self.header.rules_json,
                inputs.roster,
                self.header.as_of,
                checked,
                self.digests,
                Pairs.none(),
            )
        pending = self.known.pending.with_others(inputs.changed or Pairs.none())
        return replace(
            self.known,
            run_id=run_id,
            as_of=self.header.as_of if whole else self.known.as_of,
            checked={**self.known.checked, **checked},
            digests={**self.known.digests, **self.digests},
            pending=Pairs.none() if whole else pending,
        )


class KnownBoards:
    """By installation; those that were published longest ago are forgotten first."""

    def __init__(self, most_boards: int = MOST_BOARDS) -> None:
        self._most = most_boards
        self._known: OrderedDict[int, Known] = OrderedDict()

    def take(self, installation_id: int) -> Known | None:
        """What is known; nothing is, until it is given back: a failure on the way forgets it."""
        return self._known.pop(installation_id, None)

    def keep(self, installation_id: int, known: Known) -> None:
        """Remembers what was published."""
        self._known[installation_id] = known
        while sum(len(each.digests) for each in self._known.values()) > self._most:
            self._known.popitem(last=False)
