"""The people, accounts, repositories and teams of the directory, and how news of them is taken in.

In what a source says, None (an empty login or avatar_url likewise) means that it does not tell.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any, Protocol, Self

from laurel_identity.domain.names import folded, tombstone


class Kind(IntEnum):
    """What an observation is of. The numbers are stored."""

    USER = 1
    ORGANIZATION = 2
    REPOSITORY = 3
    TEAM = 4
    MEMBERSHIP = 5
    TEAM_MEMBER = 6
    TEAM_REPOSITORY = 7
    INSTALLATION = 8
    INSTALLATION_REPOSITORY = 9


class Entity(Protocol):
    """Something with an id, and a name that no other of its kind has at the same time."""

    @property
    def id(self) -> int: ...

    @property
    def name_key(self) -> Hashable:
        """The name as it is compared."""

    @property
    def names(self) -> tuple[Any, ...]:
        """The values that the unique keys hold."""

    def absorb(self, newer: Self) -> Self:
        """This, after a newer (or as new) word on it."""

    def tombstoned(self) -> Self:
        """This, without a name of its own."""


@dataclass(frozen=True, slots=True)
class User:
    """A GitHub user, a bot, or a synthetic user; `avatar_url` is empty where unknown."""

    id: int
    login: str
    name: str | None = None
    avatar_url: str = ""
    is_bot: bool = False

    @property
    def name_key(self) -> str:
        return folded(self.login)

    @property
    def names(self) -> tuple[str]:
        return (self.login,)

    def absorb(self, newer: "User") -> "User":
        return User(
            self.id,
            newer.login or self.login,
            newer.name if newer.name is not None else self.name,
            newer.avatar_url or self.avatar_url,
            # Accounts never turn from bots into people, and many sources can't tell.
            self.is_bot or newer.is_bot,
        )

    def tombstoned(self) -> "User":
        return replace(self, login=tombstone(self.id))


@dataclass(frozen=True, slots=True)
class Organization:
    """An account that owns repositories: an organization, or a user account that stands for one."""

    id: int
    login: str
    name: str | None = None
    avatar_url: str | None = None

    @property
    def name_key(self) -> str:
        return folded(self.login)

    @property
    def names(self) -> tuple[str]:
        return (self.login,)

    def absorb(self, newer: "Organization") -> "Organization":
        return Organization(
            self.id,
            newer.login or self.login,
            newer.name if newer.name is not None else self.name,
            newer.avatar_url or self.avatar_url,
        )

    def tombstoned(self) -> "Organization":
        return replace(self, login=tombstone(self.id))


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository; `organization_id` is its owner's account, None where unknown."""

    id: int
    full_name: str
    organization_id: int | None = None
    is_private: bool | None = None
    is_archived: bool | None = None
    is_fork: bool | None = None
    default_branch: str | None = None
    html_url: str | None = None
    github_updated_at: datetime | None = None

    @property
    def owner_login(self) -> str:
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]

    @property
    def name_key(self) -> str:
        return folded(self.full_name)

    @property
    def names(self) -> tuple[str]:
        return (self.full_name,)

    def absorb(self, newer: "Repository") -> "Repository":
        same_owner = folded(newer.owner_login) == folded(self.owner_login)
        # Another owner's login without an id: whose it is now, nobody knows.
        account = newer.organization_id
        if account is None and same_owner:
            account = self.organization_id
        return Repository(
            self.id,
            newer.full_name,
            account,
            _told(newer.is_private, self.is_private),
            _told(newer.is_archived, self.is_archived),
            _told(newer.is_fork, self.is_fork),
            newer.default_branch or self.default_branch,
            newer.html_url or self.html_url,
            _latest(self.github_updated_at, newer.github_updated_at),
        )

    def tombstoned(self) -> "Repository":
        return replace(self, full_name=f"{self.owner_login}/{tombstone(self.id)}")


@dataclass(frozen=True, slots=True)
class Team:
    """A team of an organization; `privacy` is secret, closed or open, None where untold."""

    id: int
    organization_id: int
    slug: str
    name: str
    description: str | None = None
    privacy: str | None = None

    @property
    def name_key(self) -> tuple[int, str]:
        return (self.organization_id, folded(self.slug))

    @property
    def names(self) -> tuple[int, str]:
        return (self.organization_id, self.slug)

    def absorb(self, newer: "Team") -> "Team":
        return Team(
            self.id,
            newer.organization_id,
            newer.slug,
            newer.name,
            newer.description if newer.description is not None else self.description,
            newer.privacy or self.privacy,
        )

    def tombstoned(self) -> "Team":
        return replace(self, slug=tombstone(self.id))


@dataclass(frozen=True, slots=True)
class Relation:
    """That one thing belongs to another, in a role (a permission, for a team's repository).

    `left` and `right`: organization and user, team and user, or team and repository.
    """

    left: int
    right: int
    role: str

    @property
    def key(self) -> tuple[int, int]:
        return (self.left, self.right)


def _told(newer: bool | None, known: bool | None) -> bool | None:
    return known if newer is None else newer


def _latest(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return max(first, second)
