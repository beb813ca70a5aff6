"""GitHub for tests: speaks its REST over HTTP, out of a world that tests change at will.

The project's code knows nothing of it: it is told other base URLs.
"""

from tests.support.github.server import GitHubSimulator, running_github
from tests.support.github.world import World

__all__ = ["GitHubSimulator", "World", "running_github"]
