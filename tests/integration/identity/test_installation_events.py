"""Installation events: in whatever order they arrive, identity ends with GitHub's state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db.engine import create_engine
from laurel_common.page_token import PageTokens
from laurel_common.testing.clock import FakeClock
from laurel_identity.application.begin_install import InstallStates
from laurel_identity.application.handle_installation_event import HandleInstallationEvent, Outcome
from laurel_identity.bootstrap_installations import UserSide, github_of, installation_use_cases
from laurel_identity.config import IdentitySettings
from laurel_identity.storage.directory import SqlDirectory
from tests.integration.identity.github_state import (
    active_accounts,
    github_state,
    identity_state,
    told,
)
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.events import Event
from tests.support.github.life import Life
from tests.support.github.steps import Step, Steps
from tests.support.github.world import World

_numbers = count(1)
# Stands for users' sessions, of which these events touch none.
nothing: Any = None
NOWHERE = {
    "database_url": "postgresql://nobody@localhost:1/none",
    "redis_url": "redis://localhost:1",
    "trust_file": "trust.toml",
    "key_file": "identity.key",
    "token_keys": "0" * 64,
}
STEPS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 11), st.integers(0, 11), st.integers(0, 11)),
    max_size=14,
)


@dataclass
class Scene:
    """A world of its own, and identity that hears of it. `delivered` counts events, not kinds."""

    history: Life
    steps: Steps
    github: GitHubSimulator
    handle: HandleInstallationEvent
    clock: FakeClock
    engine: AsyncEngine

    async def deliver(self, event: Event) -> Outcome:
        """Hands an event over; time goes on."""
        self.clock.advance(timedelta(seconds=1))
        return await self.handle(event.name, event.payload)

    async def deliver_all(self) -> None:
        """Hands over whatever happened, in order, once."""
        for event in self.history.events:
            await self.deliver(event)

    async def agrees(self) -> None:
        """Fails where identity has something else than GitHub."""
        owners, world = self.steps.owners, self.history.world
        there = told(world, owners)
        held = await identity_state(self.engine, [account.id for account in there])
        assert held == github_state(world, there)
        assert await active_accounts(self.engine, [account.id for account in owners]) == {
            account.id for account in there
        }


async def _forget(installation_id: int, team_id: int) -> None:
    """Nobody holds anything of a team."""


@asynccontextmanager
async def scene(database: Database) -> AsyncIterator[Scene]:
    """Ids and names that no other scene of the database has."""
    number = next(_numbers)
    world = World(last_id=number * 1_000_000)
    history = Life(world)
    steps = Steps(history, f"s{number}")
    clock = FakeClock(datetime(2026, 1, 15, 12, tzinfo=UTC))
    engine = create_engine(database.url("laurel_identity"), application_name="test", pool_size=4)
    async with running_github(world, clock) as simulator:
        settings = IdentitySettings.model_validate(NOWHERE | simulator.settings())
        github = github_of(settings)
        states = InstallStates(PageTokens(b"k" * 32), nothing, clock)
        users = UserSide(nothing, nothing, nothing, nothing, states)
        do = installation_use_cases(
            engine,
            SqlDirectory(engine),
            github,
            users=users,
            forget_team=_forget,
            clock=clock,
        )
        yield Scene(history, steps, simulator, do.handle_installation_event, clock, engine)
        await github.http.aclose()
    await engine.dispose()


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, seed=st.integers(0, 2**32))
@example(steps=[(0, 0, 0, 0), (0, 0, 0, 0), (6, 0, 3, 1)], seed=1)  # installed again, transferred
def test_any_order_and_repetition_of_a_history_ends_in_what_github_has(
    module_database: Database, steps: list[Step], seed: int
) -> None:
    async def live() -> None:
        chance = Random(seed)  # noqa: S311 - drawn by hypothesis, not secret
        async with scene(module_database) as it:
            for step in steps:
                it.steps.take(step, it.clock.now())
                # Some of what happened so far arrives now, in any order, and perhaps again.
                if chance.random() < 0.4:
                    await it.deliver(chance.choice(it.history.events))
            rest = [*it.history.events, *chance.sample(it.history.events, 3)]
            chance.shuffle(rest)
            for event in rest:
                await it.deliver(event)
            await it.agrees()

    asyncio.run(live())
