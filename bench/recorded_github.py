"""A simulated GitHub in a process of its own, whose GraphQL answers are made once and kept.

What it takes to make them up is no part of what is measured: whoever reads comes second. They are
compressed, as GitHub's are, and come at once, or as late as somebody asks for.
"""

import asyncio
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.support.github import routes_graphql
from tests.support.github.history import Size
from tests.support.github.server import WEB_PATH, GitHubSimulator, Handler
from tests.support.github.tokens import Token
from tests.support.history_worker import TOKEN
from tests.support.ingest_github import Story

# Of each repository about two thousand signals, half of them commits.
SIZE = Size(commits=1_050, pulls=66, issues=66, reviews=2, comments=3)


def story(repository_count: int, *, is_filled: bool = True) -> Story:
    """The same world in every process that asks for it; the reader needs no more than names."""
    told = Story(repository_count, SIZE if is_filled else Size(0, 0, 0, 0, 0))
    told.world.tokens[TOKEN] = Token(TOKEN, "installation", told.installation.id, None)
    return told


@dataclass(frozen=True, slots=True)
class Recorded:
    """A GitHub that runs: its API's address, and the App as its owner knows it."""

    api_url: str
    app_id: int
    private_key: str
    process: "subprocess.Popen[bytes]"

    def answer_after(self, seconds: float) -> None:
        """From now on each answer takes so long."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"%f\n" % seconds)
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextmanager
def recorded_github(repository_count: int) -> Iterator[Recorded]:
    """A GitHub while it runs."""
    command = [sys.executable, "-m", "bench.recorded_github", str(repository_count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield Recorded(**json.loads(process.stdout.readline()), process=process)
        finally:
            process.kill()


class _RecordedGitHub(GitHubSimulator):
    """Answers a query that it has had before with the same bytes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.delay = 0.0
        self._kept: dict[bytes, bytes] = {}

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != WEB_PATH + routes_graphql.PATH:
            return await super()._middleware(request, handler)
        asked = await request.read()
        if self.delay:
            await asyncio.sleep(self.delay)
        if asked not in self._kept:
            response = await super()._middleware(request, handler)
            body = response.body if isinstance(response, web.Response) else None
            if response.status != web.HTTPOk.status_code or not isinstance(body, bytes):
                return response
            self._kept[asked] = gzip.compress(body)
        return web.Response(
            body=self._kept[asked],
            content_type="application/json",
            headers={"Content-Encoding": "gzip"},
        )


async def _serve(repository_count: int) -> None:
    simulator = _RecordedGitHub(story(repository_count).world)
    simulator.points.limit = 10_000_000
    await simulator.start()
    app = simulator.world.app
    key = app.private_key_pem().decode()
    _say({"api_url": simulator.api_url, "app_id": app.id, "private_key": key})
    # Until whoever started it is gone.
    while line := await asyncio.to_thread(sys.stdin.readline):
        simulator.delay = float(line)
        _say(simulator.delay)


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
