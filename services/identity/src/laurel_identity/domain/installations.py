"""Installations as they are shown, and which of them a caller may know of."""

from dataclasses import dataclass
from datetime import datetime

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
class Visibility:
    """The tenants that a caller may know of: these installations; None means all."""

    installations: frozenset[int] | None = None

    def covers(self, installation_id: int) -> bool:
        """Whether the caller may know of this installation."""
        return self.installations is None or installation_id in self.installations
