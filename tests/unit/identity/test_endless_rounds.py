"""What identity does again and again goes on, whatever one round comes to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from laurel_identity.application.keep_sessions import KeepSessions
from laurel_identity.storage import recent_answers
from laurel_identity.storage.recent_answers import RedisRecentAnswers


class Rounds:
    """Counts rounds; the first fails in a way that nobody foresaw."""

    def __init__(self) -> None:
        self.count = 0
        self.goes_on = asyncio.Event()

    async def __call__(self, **_: object) -> int:
        self.count += 1
        if self.count == 1:
            raise LookupError
        self.goes_on.set()
        return 0


def clearing(rounds: Rounds) -> Callable[[], Awaitable[None]]:
    store: Any = cast("Any", type("Store", (), {"clear_away": staticmethod(rounds.__call__)}))
    return KeepSessions(store, interval=0).run


def flushing(rounds: Rounds) -> Callable[[], Awaitable[None]]:
    recent = RedisRecentAnswers(cast("Any", None))
    recent.flush = rounds  # type: ignore[assignment, method-assign]  # in the place of Redis
    return recent.run


@pytest.mark.parametrize("made", [clearing, flushing], ids=["sessions", "recent-answers"])
async def test_a_fault_in_one_round_does_not_end_the_others(
    made: Callable[[Rounds], Callable[[], Awaitable[None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_answers, "_FLUSH_SECONDS", 0)
    rounds = Rounds()
    running = asyncio.ensure_future(made(rounds)())
    going_on = asyncio.ensure_future(rounds.goes_on.wait())
    await asyncio.wait({running, going_on}, return_when=asyncio.FIRST_COMPLETED)
    assert going_on.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
