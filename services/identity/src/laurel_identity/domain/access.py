"""What of an installation a session's user may see: a function of what is known about both."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

# How long what GitHub said about a session's repositories is believed without being read again.
READABLE_FOR = timedelta(hours=1)
# While GitHub can't be asked it is believed for a while longer, and then nothing private is shown.
BELIEVED_FOR = timedelta(hours=2)

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session's user stands to an installation's account.

    `role` is that of its membership, None without one; `owns` says that the account is the user
    itself. `linked`: GitHub listed the installation to the session. `readable` are the
    repositories of the installation that the session can read, as of `read_at`; None where they
    were never read.
    """

    session_id: str
    user_id: int
    installation_id: int
    account_id: int
    account_login: str
    app_id: int
    owns: bool
    role: str | None
    linked: bool
    readable: frozenset[int] | None
    read_at: datetime | None

    @property
    def is_member(self) -> bool:
        """Whether the user belongs to the account, or is it."""
        return self.owns or self.role is not None

    @property
    def is_admin(self) -> bool:
        """Whether the user administers the account, by the role last heard of."""
        return self.owns or self.role == ADMIN

    @property
    def is_seen(self) -> bool:
        """Whether the user may know of the installation at all."""
        return self.is_member or self.linked

    def wants_reading(self, now: datetime) -> bool:
        """Whether GitHub is to be asked again which repositories the session can read."""
        if self.owns or self.app_id == 0 or not self.is_seen:
            return False
        return self.read_at is None or now - self.read_at >= READABLE_FOR

    def believed(self, now: datetime) -> frozenset[int]:
        """The repositories that the session is taken to be able to read."""
        if self.readable is None or self.read_at is None or now - self.read_at >= BELIEVED_FOR:
            return frozenset()
        return self.readable


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user may see; the fields are those of laurel_common.auth.Access."""

    is_admin: bool
    hidden_repositories: frozenset[int]
    hidden_teams: frozenset[int]
    readable_repositories: frozenset[int] | None


def grant_of(
    standing: Standing,
    *,
    private_repositories: Collection[int],
    foreign_secret_teams: Collection[int],
    now: datetime,
) -> Grant:
    """What the user may see, of the account's private repositories and of its secret teams that
    the user is not in.
    """
    readable = standing.believed(now)
    if not standing.is_member:
        return Grant(False, frozenset(), frozenset(), readable)
    hidden = frozenset() if standing.owns else frozenset(private_repositories) - readable
    teams = frozenset() if standing.is_admin else frozenset(foreign_secret_teams)
    return Grant(standing.is_admin, hidden, teams, None)
