"""A simulated GitHub with one organization of everything, and clients of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from githubkit import AppAuthStrategy, GitHub, TokenAuthStrategy
from githubkit.throttling import LocalThrottler

from laurel_common.testing.clock import FakeClock
from tests.support.github import GitHubSimulator, World, running_github
from tests.support.github.world import Account, Installation, Repository, Team


@dataclass
class Acme:
    """An organization, an outsider, and the App on the organization."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.organization: Account = self.world.organization("Acme")
        self.ann: Account = self.world.user("ann", name="Ann")
        self.bob: Account = self.world.user("bob")
        self.stranger: Account = self.world.user("stranger")
        self.world.join(self.organization, self.ann, "admin")
        self.world.join(self.organization, self.bob)
        self.public: Repository = self.world.repository(self.organization, "anvil")
        self.private: Repository = self.world.repository(self.organization, "vault", private=True)
        self.team: Team = self.world.team(
            self.organization,
            "smiths",
            members={self.bob.id: "maintainer"},
            repositories={self.private.id: "push"},
        )
        self.secret: Team = self.world.team(self.organization, "hidden", privacy="secret")
        self.installation: Installation = self.world.install(self.organization)


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
