"""Whom an installation counts as bots, and changes to that."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from laurel_common.clock import Clock
from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens
from laurel_ingest.application.corrections import Actor, BotList, InstallationBot
from laurel_ingest.application.ports import Directory

DEFAULT_PAGE_SIZE: Final = 50
_KIND: Final = "bots"


@dataclass(frozen=True, slots=True)
class BotPage:
    """A page; the token is empty on the last one."""

    bots: Sequence[InstallationBot]
    next_page_token: str


class ListBots:
    """Lists by keyset."""

    def __init__(self, bots: BotList, directory: Directory, tokens: PageTokens) -> None:
        self._bots = bots
        self._directory = directory
        self._tokens = tokens

    async def __call__(self, installation_id: int, page_size: int, page_token: str) -> BotPage:
        """One page. Raises InvalidPageToken, InstallationNotFound."""
        after = self._open(installation_id, page_token) if page_token else None
        if after is None:
            await self._directory.require_installation(installation_id)
        size = page_size or DEFAULT_PAGE_SIZE
        found = await self._bots.page(installation_id, after, size + 1)
        page, token = found[:size], ""
        if len(found) > size:
            last = {"id": page[-1].user_id}
            token = self._tokens.seal(_KIND, last, binding=str(installation_id))
        return BotPage(page, token)

    def _open(self, installation_id: int, token: str) -> int:
        payload = self._tokens.open(_KIND, token, binding=str(installation_id))
        try:
            return int(payload["id"])
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPageToken from error


class UpdateBots:
    """Changes whom an installation counts as bots; boards follow."""

    def __init__(
        self, bots: BotList, directory: Directory, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._bots = bots
        self._directory = directory
        self._clock = clock
        self._changed = changed

    async def __call__(
        self, installation_id: int, add: Collection[int], remove: Collection[int], *, by: Actor
    ) -> tuple[int, int]:
        """How many were added and removed. Raises InstallationNotFound, UserNotFound."""
        await self._directory.require_installation(installation_id)
        counts = await self._bots.change(installation_id, add, remove, by=by, now=self._clock.now())
        self._changed()
        return counts
