"""Installations as they are shown, and which of them a caller may know of."""

from dataclasses import dataclass
from datetime import datetime

from laurel_identity.domain.names import is_synthetic
from laurel_identity.domain.owners import AccountType

# Who suspended an installation that is none any more.
UNINSTALLED = "uninstalled"


@dataclass(frozen=True, slots=True)
class Installation:
    """A GitHub App installation, or an account that was only imported (`app_id` 0).

    `suspended_by` is a login, or UNINSTALLED.
    """

    installation_id: int
    app_id: int
    account_id: int
    account_login: str
    account_type: AccountType
    repository_selection: str
    repository_count: int
    suspended_at: datetime | None
    created_at: datetime
    updated_at: datetime
    suspended_by: str | None = None

    @property
    def is_installed(self) -> bool:
        """Whether GitHub has it, suspended or not."""
        return self.app_id != 0 and self.suspended_by != UNINSTALLED


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the times of its row."""

    id: int
    login: str
    name: str | None
    avatar_url: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user who looks, by a session."""

    user_id: int
    session_id: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """The tenants that a caller may know of: these installations; None means all. What a user may
    know of people and repositories depends on who it is.
    """

    installations: frozenset[int] | None = None
    viewer: Viewer | None = None

    def covers(self, installation_id: int) -> bool:
        """Whether the caller may know of this installation."""
        return self.installations is None or installation_id in self.installations

    def shows_user(self, user_id: int) -> bool:
        """Whether the caller may know of a user. GitHub's are public; whoever has no number there
        is known from somebody's signals alone.
        """
        return self.installations is None or not is_synthetic(user_id)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What of an installation is kept from a caller, by id. `repositories_only`, where it is not
    None, are all the repositories that the caller may know of, and then it knows of no team.
    """

    repositories: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()
    repositories_only: frozenset[int] | None = None

    @property
    def every_team(self) -> bool:
        """Whether the caller knows of no team at all."""
        return self.repositories_only is not None


NOTHING_HIDDEN = Hidden()
