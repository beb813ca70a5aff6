"""The use case CheckAccess: what of an installation a session's user may see."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from laurel_common.clock import Clock
from laurel_common.errors import DatabaseUnavailable, InstallationNotFound
from laurel_common.remembered import Remembered
from laurel_identity.application.ask_github import AskGitHub
from laurel_identity.application.discover_again import DiscoverAgain
from laurel_identity.application.introspect_token import KEPT_HERE_SECONDS, KEPT_SECONDS
from laurel_identity.application.session_ports import AccessReader, RecentAnswers
from laurel_identity.application.session_text import grant_from_text, grant_to_text
from laurel_identity.domain.access import Grant, Standing, grant_of

_MAX_KEPT = 10_000

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found at an instant of the monotonic clock; None where nothing may be seen."""

    grant: Grant | None
    at: float


class CheckAccess:
    """Raises InstallationNotFound for what is not there and for what the user may not see,
    SessionNotFound for a session that is gone, and DatabaseUnavailable, also for a database that
    takes longer than `patience` seconds.
    """

    def __init__(
        self,
        access: AccessReader,
        recent: RecentAnswers,
        github: AskGitHub,
        discover_again: DiscoverAgain,
        clock: Clock,
        *,
        patience: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access = access
        self._recent = recent
        self._github = github
        self._discover_again = discover_again
        self._clock = clock
        self.patience = patience
        self._monotonic = monotonic
        self._kept: Remembered[Key, _Read] = Remembered(limit=_MAX_KEPT, monotonic=monotonic)

    async def __call__(
        self, session_id: str, installation_id: int, *, require_admin: bool = False
    ) -> tuple[Grant, timedelta]:
        """The grant, and how long it may be kept. With `require_admin`, whether the user is an
        admin is what GitHub says.
        """
        grant, keep = await self._seen(session_id, installation_id)
        if require_admin:
            standing = await self._standing(session_id, installation_id)
            if standing is None:
                raise InstallationNotFound
            grant = replace(grant, is_admin=await self._github.is_admin(standing))
        return grant, keep

    async def _seen(self, session_id: str, installation_id: int) -> tuple[Grant, timedelta]:
        key = (session_id, installation_id)
        read = self._kept.find(key) or await self._kept.get(key, lambda: self._read(key))
        if read.grant is None:
            raise InstallationNotFound
        keep = timedelta(seconds=max(0.0, read.at + KEPT_SECONDS - self._monotonic()))
        return read.grant, keep

    def forget(self, concerns: Callable[[str], bool] = lambda _: True) -> None:
        """Finds out again, when asked, for the sessions whose ids `concerns` holds for."""
        self._kept.forget(lambda key: concerns(key[0]))

    async def _read(self, key: Key) -> tuple[_Read, float]:
        at = self._monotonic()
        session_id, installation_id = key
        name = f"{session_id}:{installation_id}"
        try:
            grant = await self._find(session_id, installation_id)
        except DatabaseUnavailable:
            kept = await self._recent.find(session_id, name)
            if kept is None:
                raise
            grant = grant_from_text(kept)
        else:
            self._recent.note(name, grant_to_text(grant))
        return _Read(grant, at), KEPT_HERE_SECONDS

    async def _find(self, session_id: str, installation_id: int) -> Grant | None:
        standing = await self._standing(session_id, installation_id)
        self._discover_again(session_id)
        if standing is None:
            return None
        if standing.wants_reading(self._clock.now()):
            standing = await self._github.reread(standing)
        return await self._grant(standing)

    async def _standing(self, session_id: str, installation_id: int) -> Standing | None:
        """How the user stands to the installation; None where it may not know of it."""
        async with _in_time(self.patience):
            standing = await self._access.standing(session_id, installation_id, self._clock.now())
        return standing if standing is not None and standing.is_seen else None

    async def _grant(self, standing: Standing) -> Grant:
        async with _in_time(self.patience):
            repositories, teams = await asyncio.gather(
                self._access.private_repositories(standing),
                self._access.foreign_secret_teams(standing),
            )
        return grant_of(
            standing,
            private_repositories=repositories,
            foreign_secret_teams=teams,
            now=self._clock.now(),
        )


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    """Raises DatabaseUnavailable where what is read inside does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise DatabaseUnavailable from error
