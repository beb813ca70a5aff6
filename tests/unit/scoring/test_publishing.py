"""Publishing family by family: nothing of a publication that failed goes on."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from laurel_common.errors import RemoteError
from laurel_scoring.clients.leaderboard import LeaderboardBoards


async def families(count: int) -> AsyncIterator[Any]:
    for _ in range(count):
        yield SimpleNamespace(changed=[0])


async def test_what_is_on_its_way_has_ended_when_a_publication_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent, ended = 0, 0

    async def send(_self: LeaderboardBoards, messages: AsyncIterator[Any]) -> int:
        nonlocal sent, ended
        sent += 1
        if sent == 1:
            await asyncio.sleep(0)
            raise RemoteError("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "away")
        try:
            return await asyncio.Event().wait()
        finally:
            ended += 1

    monkeypatch.setattr(LeaderboardBoards, "_send", send)
    async with grpc.aio.insecure_channel("localhost:1") as channel:
        with pytest.raises(RemoteError):
            await LeaderboardBoards(channel).publish(cast("Any", None), families(2))
    assert (sent, ended) == (2, 1)
