"""One small made-up organization, as often as needed: the same events under other ids and names.

Two tenants' signals tell the same story, so one that was disturbed can be held against one that
was not, signal by signal.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from laurel.identity.v1 import directory_upserts_pb2
from laurel.ingest.v1 import signal_imports_pb2
from laurel_cli.demo import archive, roster, year
from laurel_cli.demo.cast import ORGANIZATION, REPOSITORIES, TEAMS
from laurel_cli.demo.events import Commented

_APART = 10_000_000_000
_IDS = re.compile(
    rb"\b(%s)\b" % b"|".join(str(each.id).encode() for each in (ORGANIZATION, *REPOSITORIES))
)
_LOGIN = ORGANIZATION.login.encode()


@dataclass(frozen=True, slots=True)
class Tenant:
    """An owner of repositories; 0 is the demo's own."""

    number: int

    @property
    def offset(self) -> int:
        """What its ids of account, repositories and teams lie above the demo's."""
        return self.number * _APART

    @property
    def login(self) -> str:
        """The organization's name on GitHub."""
        return f"{ORGANIZATION.login}-{self.number}" if self.number else ORGANIZATION.login

    @property
    def account_id(self) -> int:
        return ORGANIZATION.id + self.offset

    @property
    def installation_id(self) -> int:
        """What an owner that is only imported gets."""
        return -self.account_id

    @property
    def team_ids(self) -> list[int]:
        return [each.id + self.offset for each in TEAMS]

    def retold(self, line: bytes) -> bytes:
        """An event of the demo's organization as one of this one's."""
        moved = _IDS.sub(lambda found: str(int(found[1]) + self.offset).encode(), line)
        return moved.replace(_LOGIN, self.login.encode())

    def roster(self, now: datetime) -> directory_upserts_pb2.UpsertEntitiesRequest:
        """Its people, repositories and teams."""
        found = roster.request(now)
        for owner in found.imported_owners:
            owner.account_id += self.offset
            owner.login = self.login
        for repository in found.repositories:
            repository.id += self.offset
            repository.organization_id += self.offset
            repository.full_name = repository.full_name.replace(ORGANIZATION.login, self.login)
            repository.html_url = repository.html_url.replace(ORGANIZATION.login, self.login)
        for team in found.teams:
            team.id += self.offset
            team.organization_id += self.offset
        for member in found.team_members:
            member.team_id += self.offset
        for place in found.team_repositories:
            place.team_id += self.offset
            place.repository_id += self.offset
        for membership in found.memberships:
            membership.organization_id += self.offset
        return found


@lru_cache(maxsize=4)
def story(now: datetime, repositories: tuple[str, ...]) -> tuple[bytes, ...]:
    """GH Archive's lines of a year that ends at `now`, of some of the demo's repositories.

    Its last word is said at `now`: early in a day nothing else may have happened in them.
    """
    told = [each for each in year.tell(now) if each.repository.name in repositories]
    remark = next(
        each for each in reversed(told) if isinstance(each, Commented) and not each.actor.is_bot
    )
    told.append(
        replace(remark, at=now.replace(microsecond=0), comment_id=remark.comment_id + _APART)
    )
    return tuple(line for _, line in archive.lines(told))


def batches(
    lines: Sequence[bytes], size: int, *, file_name: str = "told.json"
) -> Iterator[signal_imports_pb2.EventBatch]:
    """The lines as ImportEvents takes them."""
    for first in range(0, len(lines), size):
        yield signal_imports_pb2.EventBatch(
            lines=lines[first : first + size], first_line_number=first + 1, file_name=file_name
        )
