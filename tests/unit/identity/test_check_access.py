"""What a user may see, while the database is slow."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from laurel_common.errors import DatabaseUnavailable
from laurel_common.testing.clock import FakeClock
from laurel_identity.application.check_access import CheckAccess
from laurel_identity.domain.access import Standing

SESSION, ACME = "5e" * 32, 42
OWNER = Standing(SESSION, 1, ACME, 1, "mona", 0, True, None, False, None, None)


class SlowReader:
    """Knows an owner, until it is `stuck`."""

    stuck = False

    async def standing(self, *_: object) -> Standing:
        if self.stuck:
            await asyncio.Event().wait()
        return OWNER

    async def private_repositories(self, _: Standing) -> Collection[int]:
        return ()

    async def foreign_secret_teams(self, _: Standing) -> Collection[int]:
        return ()


class NothingRecent:
    """Was never told anything."""

    def note(self, *_: object) -> None:
        pass

    async def find(self, *_: object) -> None:
        pass


async def test_a_database_that_does_not_answer_in_time_is_away() -> None:
    reader = SlowReader()
    unused = cast("Any", lambda _: None)
    check = CheckAccess(
        cast("Any", reader),
        cast("Any", NothingRecent()),
        unused,
        unused,
        FakeClock(),
        patience=60,
    )
    await check(SESSION, ACME)
    reader.stuck, check.patience = True, 0
    # What may be seen is known; whether the user is an admin has to be asked.
    await check(SESSION, ACME)
    with pytest.raises(DatabaseUnavailable):
        await check(SESSION, ACME, require_admin=True)
    check.forget()
    with pytest.raises(DatabaseUnavailable):
        await check(SESSION, ACME)
