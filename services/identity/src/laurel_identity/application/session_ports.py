"""What the use cases about sessions need of the outside, and what an implementation owes them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from laurel_identity.domain.access import Standing
from laurel_identity.domain.github_tokens import GitHubTokens
from laurel_identity.domain.sessions import Session


class SessionReader(Protocol):
    """Sessions by id. Raises DatabaseUnavailable."""

    async def sessions(self, ids: Collection[str]) -> Mapping[str, Session]:
        """The sessions with these ids, expired ones included; what there is none of is left out,
        and so is every row whose tokens are not encrypted.
        """
        ...

    async def end(self, session_id: str) -> None:
        """Deletes a session, if it is still there."""
        ...


class RecentAnswers(Protocol):
    """What was answered within the last minute, kept where it outlives PostgreSQL's absence.

    Best effort: raises nothing, and answers None where it is away itself.
    """

    def note(self, key: str, answer: bytes) -> None:
        """Keeps an answer for a minute from now. Returns at once; written a moment later."""
        ...

    async def find(self, session_id: str, key: str) -> bytes | None:
        """The answer, unless the session was revoked since."""
        ...


class AccessReader(Protocol):
    """What stands about a session and an installation. Raises DatabaseUnavailable."""

    async def standing(
        self, session_id: str, installation_id: int, now: datetime
    ) -> Standing | None:
        """How the session's user stands to the installation; None where there is no such
        installation. Raises SessionNotFound for a session that is not there or over.
        """
        ...

    async def private_repositories(self, standing: Standing) -> Collection[int]:
        """The private repositories of the installation and of its account."""
        ...

    async def foreign_secret_teams(self, standing: Standing) -> Collection[int]:
        """The account's secret teams that the user is not in."""
        ...

    async def seen_installations(self, session_id: str) -> Collection[int]:
        """The installations that the session's user may know of."""
        ...


class Revocations(Protocol):
    """Tells everybody that sessions are over."""

    async def revoke(self, session_ids: Collection[str]) -> None:
        """What anybody keeps about these sessions counts no more; told until it was heard."""
        ...


class SessionStore(Protocol):
    """Sessions with their GitHub tokens, which are encrypted at rest. Raises DatabaseUnavailable,
    and SessionNotFound where a session that is written about ended meanwhile.
    """

    async def open(self, session: Session, tokens: GitHubTokens) -> None:
        """Writes a session down."""
        ...

    async def tokens(self, session_id: str) -> GitHubTokens | None:
        """The GitHub tokens of a session; None where there is none, or no key opens them."""
        ...

    async def replace_tokens(self, session_id: str, tokens: GitHubTokens) -> bool:
        """Writes refreshed tokens down and gives the lease back; whether the session is there."""
        ...

    async def lease(self, session_id: str, now: datetime, length: timedelta) -> bool:
        """Takes the lease on refreshing a session's token: for one at a time, of all replicas."""
        ...

    async def release(self, session_id: str) -> None:
        """Gives the lease back."""
        ...

    async def sessions_of(
        self, user_id: int, now: datetime, after: str | None, limit: int
    ) -> Sequence[Session]:
        """At most `limit` sessions of a user that last, with ids above `after`, by id."""
        ...

    async def end(self, session_id: str, *, user_id: int | None = None) -> bool:
        """Ends a session, only one of this user's where one is given; whether there was one."""
        ...

    async def end_all(self, user_id: int, *, but: str | None = None) -> Collection[str]:
        """Ends a user's sessions; the ids of those that there were."""
        ...

    async def link(self, session_id: str, installations: Collection[int]) -> Collection[int]:
        """Makes these installations, of those that are known, the ones that GitHub lists to the
        session; the known ones.
        """
        ...

    async def note_readable(
        self, session_id: str, installation_id: int, repository_ids: Collection[int], now: datetime
    ) -> None:
        """Keeps which repositories of an installation the session can read."""
        ...

    async def leave_others(self, user_id: int, organizations: Collection[int]) -> None:
        """Ends the user's memberships of all other organizations that have the App."""
        ...

    async def note_role(self, user_id: int, organization_id: int, role: str) -> None:
        """Keeps a member's role as GitHub just told it."""
        ...

    async def clear_away(self, *, wait: bool) -> int:
        """Deletes expired sessions, those in use only where it is to `wait` for them; how many."""
        ...

    async def rotate(self, after: str, limit: int) -> tuple[str | None, int, int]:
        """Encrypts the tokens of `limit` sessions above an id with the current key; the last id
        (None at the end), how many were rewritten, and how many no key opens.
        """
        ...
