"""A simulated GitHub, and clients of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from githubkit import AppAuthStrategy, GitHub, TokenAuthStrategy
from githubkit.throttling import LocalThrottler

from laurel_common.testing.clock import FakeClock
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.acme import Acme
from tests.support.github.world import Account


@dataclass
class Running:
    """The simulator, its world, and clients as whom it may concern."""

    github: GitHubSimulator
    acme: Acme
    clock: FakeClock

    def client(self, auth: Any, **options: Any) -> GitHub[Any]:
        """A client that neither caches nor tries again."""
        return GitHub(
            auth,
            base_url=self.github.api_url,
            http_cache=False,
            auto_retry=False,
            throttler=LocalThrottler(10),
            **options,
        )

    def app(self) -> GitHub[Any]:
        """The App."""
        app = self.github.world.app
        return self.client(AppAuthStrategy(app.id, app.private_key_pem().decode()))

    def user(self, user: Account) -> GitHub[Any]:
        """A user who has signed in through the App."""
        expiry = self.clock.now() + timedelta(hours=8)
        return self.client(TokenAuthStrategy(self.github.world.user_token(user, expiry)))

    async def installation(self) -> GitHub[Any]:
        """The App as installed on Acme."""
        client = self.app()
        answer = await client.rest.apps.async_create_installation_access_token(
            self.acme.installation.id
        )
        return self.client(TokenAuthStrategy(answer.parsed_data.token))


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """A simulator of the test's own."""
    acme, clock = Acme(), FakeClock()
    async with running_github(acme.world, clock) as github:
        yield Running(github, acme, clock)
