"""What the use cases about sessions need of the outside, and what an implementation owes them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from laurel_identity.domain.access import Standing
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
