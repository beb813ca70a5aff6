"""The echo service behind the whole chain."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from laurel_common.testing.server import RunningServer, serving
from tests.rpc.common.echo import EchoServicer, registration

Start = Callable[..., Any]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a server with a servicer: `running = await start(servicer, **options)`."""
    async with AsyncExitStack() as stack:
        number = 0

        async def start_one(servicer: EchoServicer | None = None, **options: Any) -> RunningServer:
            nonlocal number
            number += 1
            directory = tmp_path / str(number)
            directory.mkdir()
            registered = [registration(servicer or EchoServicer())]
            return await stack.enter_async_context(serving(registered, directory, **options))

        yield start_one
