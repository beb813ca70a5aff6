"""What GitHub says of the App's installations and accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from laurel_identity.domain.owners import AccountType

# A token is not handed out for less than this.
TOKEN_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """What an installation's requests to GitHub carry. Never shown, not even in a traceback."""

    token: str = field(repr=False)
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Whether it lasts for long enough to be given to somebody."""
        return now < self.expires_at - TOKEN_MARGIN


@dataclass(frozen=True, slots=True)
class GitHubAccount:
    """A user, a bot or an organization; `avatar_url` is empty where unknown."""

    id: int
    login: str
    account_type: AccountType
    avatar_url: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class AppInstallation:
    """An installation of the App as GitHub has it; `suspended_by` is a login."""

    installation_id: int
    app_id: int
    account: GitHubAccount
    repository_selection: str
    permissions: Mapping[str, str]
    suspended_at: datetime | None
    suspended_by: str | None
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """GitHub's attempt to deliver a webhook; `delivery_id` is the same at each one."""

    attempt_id: int
    delivery_id: str
    event: str
    attempted_at: datetime
    is_failed: bool
    installation_id: int | None
    repository_id: int | None
