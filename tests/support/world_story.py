"""A module's small world: a story, told undisturbed to one tenant, to others while things break."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from laurel.common.v1 import board_pb2
from tests.support.stack_running import Laurel
from tests.support.world_actions import (
    import_lines,
    known_of,
    list_signals,
    put_roster,
    reading,
    score,
)
from tests.support.world_boards import board, expected_rows, shown_rows
from tests.support.world_integrity import Told, as_told, check_integrity
from tests.support.world_tenants import Tenant, story


@dataclass(slots=True)
class Story:
    """Lines of a year; `whole` is what they come to where nothing goes wrong, `first` the same
    of the lines before `cut`.
    """

    laurel: Laurel
    now: datetime
    lines: Sequence[bytes]
    cut: int
    first: list[Told] = field(default_factory=list)
    whole: list[Told] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def tenant(self) -> Tenant:
        """One that nobody has heard of yet."""
        return Tenant(next(self._numbers))

    def beginning(self, tenant: Tenant) -> list[bytes]:
        """The lines before the cut."""
        return [tenant.retold(line) for line in self.lines[: self.cut]]

    def rest(self, tenant: Tenant) -> list[bytes]:
        """The lines from the cut on."""
        return [tenant.retold(line) for line in self.lines[self.cut :]]

    async def settled(self) -> Tenant:
        """A tenant with the beginning told and scored."""
        tenant = self.tenant()
        await import_lines(self.laurel, self.beginning(tenant))
        await put_roster(self.laurel, tenant, self.now)
        await score(self.laurel, tenant.installation_id)
        return tenant

    async def check_signals(self, tenant: Tenant, expected: Sequence[Told]) -> None:
        """Nothing lost, nothing twice, nothing else."""
        found = as_told(tenant, await list_signals(self.laurel, tenant.installation_id))
        assert found == expected
        check_integrity(self.laurel.connect)

    async def check_boards(self, tenant: Tenant) -> None:
        """Every board is what the naive implementation makes of the signals."""
        known = await known_of(self.laurel, tenant)
        async with reading(self.laurel) as reader:
            for each in known.boards():
                walk = await reader.walk(each, page_size=500)
                as_of = walk.first.as_of.ToDatetime(tzinfo=UTC)
                expected = expected_rows(known.expected(each, as_of))
                assert shown_rows(walk.entries) == expected, each
        check_integrity(self.laurel.connect)


def watched_boards(tenant: Tenant) -> list[board_pb2.Board]:
    """Boards of an early, a middle and the last group that are published."""
    number = tenant.installation_id
    return [
        board(number, "organization", tenant.account_id, "contributor", "all_time"),
        board(number, "team", tenant.team_ids[3], "contributor", "half_year"),
        board(number, "organization", tenant.account_id, "team", "all_time"),
        board(number, "organization", tenant.account_id, "repository", "all_time"),
    ]


async def tell(laurel: Laurel, repositories: tuple[str, ...], length: int, cut: int) -> Story:
    """The last `length` lines of the year of some repositories, told to tenant 0 undisturbed."""
    now = datetime.now(UTC)
    told = Story(laurel, now, story(now, repositories)[-length:], cut)
    tenant = Tenant(0)
    await import_lines(laurel, told.beginning(tenant))
    told.first = as_told(tenant, await list_signals(laurel, tenant.installation_id))
    await import_lines(laurel, told.rest(tenant))
    told.whole = as_told(tenant, await list_signals(laurel, tenant.installation_id))
    assert len(told.whole) > len(told.first) > 0
    return told
