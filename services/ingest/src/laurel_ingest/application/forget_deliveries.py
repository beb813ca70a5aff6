"""Drops what the webhook inbox need not keep any longer."""

from datetime import timedelta
from typing import Final

from laurel_common.clock import Clock
from laurel_ingest.application.inbox import Inbox

BODIES_FOR: Final = timedelta(days=7)
"""After success; a body holds people's addresses and private code's titles."""

ROWS_FOR: Final = timedelta(days=90)
"""Without their bodies, so that a delivery which comes again is known; parked ones stay."""

_AT_ONCE: Final = 1_000


class ForgetDeliveries:
    """Takes short turns until nothing is left to drop."""

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    async def __call__(self) -> None:
        """Raises the typed errors of the database."""
        now = self._clock.now()
        while await self._inbox.forget(
            bodies_before=now - BODIES_FOR, rows_before=now - ROWS_FOR, limit=_AT_ONCE
        ):
            pass
