"""Has GitHub send again what it could not deliver: it does not do so by itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from laurel_common.clock import Clock
from laurel_common.errors import RemoteError
from laurel_ingest.domain.deliveries import is_worked_on
from laurel_ingest.domain.redelivery import (
    KEPT_FOR,
    LOST_AFTER,
    FailedAttempt,
    asked_before,
    look_back_to,
)

log = structlog.get_logger(__name__)

CRON: Final = "17 * * * *"

MOST_ASKED: Final = 500
"""In one turn: GitHub frowns on many requests that change something. The rest waits an hour."""

_NO_APP: Final = "GITHUB_NOT_CONFIGURED"


class FailedWebhooks(Protocol):
    """GitHub's own account of the App's webhooks, by way of identity. Raises RemoteError."""

    async def page(self, since: datetime, token: str) -> tuple[Sequence[FailedAttempt], str]:
        """Failed attempts since a moment, newest first, and the token of the next page, empty on
        the last.
        """
        ...

    async def redeliver(self, attempt_id: int) -> bool:
        """Has GitHub deliver once more; False where it has the attempt no more."""
        ...


class Redeliveries(Protocol):
    """What has failed and has not come yet. Raises the typed errors of the database."""

    async def read_until(self) -> datetime | None:
        """Up to when GitHub's list was read to its end; None where it never was."""
        ...

    async def note(self, failed: Sequence[FailedAttempt]) -> None:
        """Keeps what has failed, unless the inbox has it; of several attempts the newest."""
        ...

    async def note_read(self, until: datetime) -> None:
        """The list was read to its end."""
        ...

    async def due(
        self, *, failed_since: datetime, asked_before: datetime, limit: int
    ) -> Sequence[FailedAttempt]:
        """What has not come, first failed since one moment and was not asked for since another;
        oldest first.
        """
        ...

    async def asked(self, delivery_id: str, now: datetime) -> None:
        """GitHub was asked for it."""
        ...

    async def lost(self, delivery_id: str, now: datetime) -> None:
        """GitHub has it no more: the inbox shows it as lost, and coverage as a gap."""
        ...

    async def settle(self, failed_before: datetime, now: datetime) -> tuple[int, int]:
        """Forgets what has come; what failed before a moment is lost. Answers how many of each."""
        ...


class RedeliverWebhooks:
    """Done hourly by one process, however many there are. A turn that breaks off is made up for by
    the next one: what was noted is noted, and what comes twice counts once.
    """

    def __init__(self, github: FailedWebhooks, redeliveries: Redeliveries, clock: Clock) -> None:
        self._github = github
        self._redeliveries = redeliveries
        self._clock = clock

    async def __call__(self) -> None:
        """Raises the typed errors of the database."""
        asked = 0
        try:
            await self._read()
            asked = await self._ask()
        except RemoteError as error:
            if error.reason != _NO_APP:
                log.warning("redelivery_broke_off", error=repr(error))
        now = self._clock.now()
        came, lost = await self._redeliveries.settle(now - LOST_AFTER, now)
        if lost:
            log.error("webhooks_lost", count=lost)
        if asked or came:
            log.info("webhooks_redelivered", asked=asked, came=came)

    async def _read(self) -> None:
        now = self._clock.now()
        since, token = look_back_to(await self._redeliveries.read_until(), now), ""
        while True:
            failed, token = await self._github.page(since, token)
            await self._redeliveries.note([each for each in failed if is_worked_on(each.event)])
            if not token:
                break
        await self._redeliveries.note_read(now)

    async def _ask(self) -> int:
        now = self._clock.now()
        due = await self._redeliveries.due(
            failed_since=now - KEPT_FOR, asked_before=asked_before(now), limit=MOST_ASKED
        )
        for each in due:
            if await self._github.redeliver(each.attempt_id):
                await self._redeliveries.asked(each.delivery_id, self._clock.now())
            else:
                log.error("webhook_lost", delivery_id=each.delivery_id, webhook=each.event)
                await self._redeliveries.lost(each.delivery_id, self._clock.now())
        return len(due)
