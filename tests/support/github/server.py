"""The simulator itself: routes, and what every request passes: faults, callers, limits, ETags."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from laurel_common.clock import Clock, SystemClock
from tests.support.github import (
    oauth,
    routes_app,
    routes_graphql,
    routes_hook,
    routes_lists,
    routes_organizations,
    routes_repositories,
    routes_teams,
    routes_users,
)
from tests.support.github.answers import GitHubError
from tests.support.github.callers import authenticate
from tests.support.github.context import CALLER, SIMULATOR
from tests.support.github.faults import Fault, Faults
from tests.support.github.limits import HOUR, RateLimits
from tests.support.github.weather import Weather
from tests.support.github.world import Attempt, World

# An Enterprise server may stand behind a path of its own.
WEB_PATH = "/enterprise"
API_PATH = "/api/v3"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# A family of routes more is a module more here.
API_ROUTES = (
    routes_app.ROUTES,
    routes_hook.ROUTES,
    routes_lists.ROUTES,
    routes_organizations.ROUTES,
    routes_repositories.ROUTES,
    routes_teams.ROUTES,
    routes_users.ROUTES,
)
WEB_ROUTES: tuple[web.RouteTableDef, ...] = (oauth.ROUTES, routes_graphql.ROUTES)


@dataclass(frozen=True)
class Asked:
    """A request that arrived; the path is the API's, without the query."""

    method: str
    path: str
    status: int
    etag: str | None = None


class GitHubSimulator:
    """A GitHub on a free port of loopback, laid out as an Enterprise server's.

    Tokens expire by `clock`; the App's JWT and the rate limits go by the machine's.
    """

    def __init__(self, world: World | None = None, clock: Clock | None = None) -> None:
        self.world = world or World()
        self.clock = clock or SystemClock()
        self.faults = Faults()
        self.weather = Weather()
        self.limits = RateLimits()
        # GraphQL's own hour, what was spent in it, its queries by name but for those that the
        # weather struck, and the page size above which it gives up.
        self.points = RateLimits()
        self.spent = 0
        self.queries: list[str] = []
        self.largest_page: int | None = None
        # Delivers a webhook again and answers the status that it got.
        self.deliver: Callable[[Attempt], Awaitable[int]] | None = None
        # Requests that began, and those that were answered.
        self.arrived = 0
        # Answers that a fault holds back.
        self.answering = 0
        self.asked: list[Asked] = []
        self.web_url = ""
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        """Where the REST API is."""
        return self.web_url + API_PATH

    def settings(self) -> dict[str, Any]:
        """What identity is told to find it, and the App."""
        return {
            "github_api_url": self.api_url,
            "github_web_url": self.web_url,
            "github_app_id": self.world.app.id,
            "github_app_private_key": self.world.app.private_key_pem().decode(),
        }

    def count(self, method: str, path: str) -> int:
        """How many requests for exactly this path arrived."""
        return sum(1 for one in self.asked if (one.method, one.path) == (method, path))

    async def start(self) -> None:
        """Listens on a port that is free."""
        application = web.Application(middlewares=[self._middleware])
        application[SIMULATOR] = self
        api = web.Application()
        for routes in API_ROUTES:
            api.add_routes(routes)
        site = web.Application()
        site.add_subapp(API_PATH, api)
        for routes in WEB_ROUTES:
            site.add_routes(routes)
        application.add_subapp(WEB_PATH, site)
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.web_url = f"http://{host}:{port}{WEB_PATH}"

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path.removeprefix(WEB_PATH).removeprefix(API_PATH)
        self.arrived += 1
        token, limits = "", self.limits
        try:
            fault = self.faults.take(request.method, path)
            if fault is not None:
                await self.fail(request, fault)
            caller = authenticate(
                self.world, request.headers.get("Authorization"), self.clock.now()
            )
            token = caller.token
            request[CALLER] = caller
            limits = self.points if path == routes_graphql.PATH else self.limits
            if limits is self.limits:
                self._within_limit(token)
            response = _tagged(request, token, await handler(request))
            if fault is not None and fault.holds_back:
                self.answering += 1
                await fault.let_go()
        except GitHubError as error:
            response = error.response()
        except web.HTTPNotFound:
            response = GitHubError(404, "Not Found").response()
        if response.status != web.HTTPNotModified.status_code and limits is self.limits:
            limits.bucket(token).used += 1
        resource = "core" if limits is self.limits else "graphql"
        for name, value in limits.headers(token, resource).items():
            response.headers.setdefault(name, value)
        etag = request.headers.get("If-None-Match")
        self.asked.append(Asked(request.method, path, response.status, etag))
        return response

    def _within_limit(self, token: str) -> None:
        if self.limits.bucket(token).remaining == 0:
            raise GitHubError(403, "API rate limit exceeded")

    async def fail_if_planned(self, request: web.Request, kind: str, name: str) -> None:
        """Fails a request that a plan names otherwise than by method and path."""
        if fault := self.faults.take(kind, name):
            await self.fail(request, fault)

    async def fail(self, request: web.Request, fault: Fault) -> None:
        """Fails a request as a fault says."""
        await asyncio.sleep(fault.delay)
        if fault.cut and request.transport is not None:
            request.transport.abort()
            raise GitHubError(500, "cut")
        if fault.retry_after is not None:
            headers = {"Retry-After": str(fault.retry_after)}
            raise GitHubError(403, "You have exceeded a secondary rate limit", headers)
        if fault.reset_seconds is not None:
            headers = {
                "X-RateLimit-Limit": str(self.limits.limit),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(int(time.time()) + min(fault.reset_seconds, HOUR)),
            }
            raise GitHubError(403, "API rate limit exceeded", headers)
        if fault.status is not None:
            raise GitHubError(fault.status, "Planned by the test")


@asynccontextmanager
async def running_github(
    world: World | None = None, clock: Clock | None = None
) -> AsyncIterator[GitHubSimulator]:
    """A simulator that serves until the block ends."""
    simulator = GitHubSimulator(world, clock)
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


def _tagged(request: web.Request, token: str, response: web.StreamResponse) -> web.StreamResponse:
    """With an ETag, which GitHub binds to the token; 304 to whoever has the body already."""
    if request.method != "GET" or response.status != 200 or not isinstance(response, web.Response):
        return response
    body = response.body if isinstance(response.body, bytes) else b""
    tag = f'W/"{hashlib.sha256(token.encode() + body).hexdigest()}"'
    if request.headers.get("If-None-Match") == tag:
        response = web.Response(status=304)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
    return response
