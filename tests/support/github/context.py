"""What a route gets of the simulator beside the request."""

from typing import TYPE_CHECKING

from aiohttp import web

from tests.support.github.callers import Caller
from tests.support.github.world import World

if TYPE_CHECKING:
    from tests.support.github.server import GitHubSimulator

SIMULATOR: web.AppKey["GitHubSimulator"] = web.AppKey("simulator")
CALLER = web.RequestKey("caller", Caller)


def simulator_of(request: web.Request) -> "GitHubSimulator":
    """The simulator that got the request."""
    return request.config_dict[SIMULATOR]


def world_of(request: web.Request) -> World:
    """Its world."""
    return simulator_of(request).world


def caller_of(request: web.Request) -> Caller:
    """Who sent the request."""
    return request[CALLER]
