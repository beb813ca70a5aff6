"""What of an installation the running call's caller may see."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller may see of one installation.

    `hidden_repositories` are its private ones that the caller can't read, `hidden_teams` its
    secret ones that the caller is not in; ids of either. `readable_repositories` None means a
    member, who sees the boards of every scope; a set means an outside collaborator, who sees the
    boards of just these repositories.
    """

    is_admin: bool = False
    hidden_repositories: frozenset[int] = frozenset()
    hidden_teams: frozenset[int] = frozenset()
    readable_repositories: frozenset[int] | None = None

    @staticmethod
    def full() -> "Access":
        """What services, backends and operators have."""
        return _FULL

    @staticmethod
    def none() -> "Access":
        """What a user has of an installation that the call does not name."""
        return _NONE

    @property
    def is_full(self) -> bool:
        """Whether nothing is hidden: what is shared may be answered as it is."""
        return not (
            self.hidden_repositories or self.hidden_teams or self.readable_repositories is not None
        )

    @property
    def is_member(self) -> bool:
        """Whether the caller sees the boards of the organization and of its teams."""
        return self.readable_repositories is None

    def sees_repository(self, repository_id: int) -> bool:
        """Whether the caller may learn which repository this is, and see its board."""
        if self.readable_repositories is not None:
            return repository_id in self.readable_repositories
        return repository_id not in self.hidden_repositories

    def sees_team(self, team_id: int) -> bool:
        """Whether the caller may learn which team this is, and see its board."""
        return self.is_member and team_id not in self.hidden_teams


_FULL = Access(is_admin=True)
_NONE = Access(readable_repositories=frozenset())


class AccessResolver(Protocol):
    """Asks identity what a user may see.

    An implementation keeps an answer for at most five seconds, so that a removed membership
    holds everywhere within them.
    """

    def known_access(
        self,
        session_id: str,  # noqa: ARG002 - here and below: whoever keeps nothing
        installation_id: int,  # noqa: ARG002 - likewise
        *,
        require_admin: bool,  # noqa: ARG002 - likewise
    ) -> Access | None:
        """The same where the answer is kept, at once; None where it has to be asked for."""
        return None

    async def access(self, session_id: str, installation_id: int, *, require_admin: bool) -> Access:
        """What the session's user may see of the installation.

        Raises InstallationNotFound where that is nothing, CallerNotAllowed where `require_admin`
        is set and GitHub does not call the user an admin, Unauthenticated for a session that is
        gone, and DependencyUnavailable while it can't be told.
        """
        ...
