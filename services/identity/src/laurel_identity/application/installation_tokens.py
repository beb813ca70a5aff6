"""Tokens of installations: minted when needed, kept while they are fresh, one at a time each."""

import asyncio
from contextvars import Context

from laurel_common.clock import Clock
from laurel_identity.application.github import AppClient
from laurel_identity.domain.github import InstallationToken


class InstallationTokens:
    """Gives the same token to everybody until 5 minutes before it expires."""

    def __init__(self, app: AppClient, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._tokens: dict[int, InstallationToken] = {}
        self._minting: dict[int, asyncio.Task[InstallationToken]] = {}

    async def get(self, installation_id: int) -> InstallationToken:
        """A token that is fresh. Whoever comes while it is being minted gets the same one, or the
        same error; a caller who goes away spoils nothing for the others.
        """
        kept = self._tokens.get(installation_id)
        if kept is not None and kept.is_fresh(self._clock.now()):
            return kept
        task = self._minting.get(installation_id)
        if task is None:
            # A context of its own: the first caller's deadline is not that of all.
            task = asyncio.create_task(self._mint(installation_id), context=Context())
            self._minting[installation_id] = task
            task.add_done_callback(lambda done: self._settle(installation_id, done))
        return await asyncio.shield(task)

    def forget(self, installation_id: int, *, only: str | None = None) -> None:
        """Drops what is kept: the installation is suspended or gone, or GitHub refuses the token.
        What is being minted reaches who waits for it, and is not kept either.

        `only`: if it is this one; by now it may be another.
        """
        if only is None:
            self._minting.pop(installation_id, None)
        kept = self._tokens.get(installation_id)
        if kept is not None and only in (None, kept.token):
            del self._tokens[installation_id]

    async def _mint(self, installation_id: int) -> InstallationToken:
        return await self._app.create_token(installation_id)

    def _settle(self, installation_id: int, done: asyncio.Task[InstallationToken]) -> None:
        is_wanted = self._minting.get(installation_id) is done
        if is_wanted:
            del self._minting[installation_id]
        # Asking for the exception marks it as seen, should everybody have gone away.
        if not done.cancelled() and done.exception() is None and is_wanted:
            self._tokens[installation_id] = done.result()
