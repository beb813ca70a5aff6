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
from laurel_identity.application.work_on_installations import WorkOnInstallations
from laurel_identity.bootstrap_installations import UserSide, github_of, installation_use_cases
from laurel_identity.config import IdentitySettings
from laurel_identity.storage.directory import SqlDirectory
from laurel_identity.storage.works import WorkTable
from tests.integration.identity.github_state import (
    active_accounts,
    github_state,
    identity_state,
    told,
)
from tests.integration.identity.held_history import HeldHistory
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.events import Event
from tests.support.github.life import Life
from tests.support.github.steps import Step, Steps
from tests.support.github.world import World

_numbers = count(1)
_SURE = Random(1)  # noqa: S311 - where nothing is drawn
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
    works: WorkTable
    work: WorkOnInstallations
    held: HeldHistory

    async def deliver(self, event: Event) -> Outcome:
        """Hands an event over; time goes on."""
        self.clock.advance(timedelta(seconds=1))
        outcome = await self.handle(event.name, event.payload)
        await self.held.ingest(self.engine)
        return outcome

    async def work_off(self) -> None:
        """Does what there is to do by now, once."""
        for account_id in await self.works.open_subjects():
            await self.work(account_id)

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

    async def has_moved(self) -> None:
        """Fails where history is not with the installation that the account has now."""
        while await self.works.open_subjects():
            await self.work_off()
            self.clock.advance(timedelta(minutes=10))
        world = self.history.world
        for installation in world.installations.values():
            for repository in world.installed_repositories(installation):
                held_by = self.held.places.get(repository.id, installation.id)
                assert installation.suspended_at or held_by == installation.id, repository


async def _forget(installation_id: int, team_id: int) -> None:
    """Nobody holds anything of a team."""


@asynccontextmanager
async def scene(database: Database, chance: Random = _SURE) -> AsyncIterator[Scene]:
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
            erasures=nothing,
            clock=clock,
        )
        held = HeldHistory(chance)
        # Jobs are not what is tested: a test does the works itself.
        works = WorkTable(engine, nothing, clock)
        yield Scene(
            history,
            steps,
            simulator,
            do.handle_installation_event,
            clock,
            engine,
            works,
            WorkOnInstallations(works, held, clock),
            held,
        )
        await github.http.aclose()
    await engine.dispose()


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, seed=st.integers(0, 2**32))
@example(steps=[(0, 0, 0, 0), (0, 0, 0, 0), (6, 0, 3, 1)], seed=1)  # installed again, transferred
@example(
    # Deleted, and its account renamed before that; what is told last is no list of repositories.
    steps=[(0, 4, 0, 0), (5, 0, 0, 0), (0, 11, 0, 0), (1, 0, 0, 0), (0, 8, 0, 0), (5, 0, 0, 2),
        (6, 0, 4, 0)],
    seed=52,
)  # fmt: skip
@example(
    # Transferred to an account without the App, on to another one, which is installed again.
    steps=[(0, 1, 0, 0), (6, 0, 3, 1), (6, 0, 3, 2), (0, 2, 0, 0), (0, 2, 0, 0), (0, 1, 0, 0)],
    seed=2,
)
def test_any_order_and_repetition_of_a_history_ends_in_what_github_has(
    module_database: Database, steps: list[Step], seed: int
) -> None:
    async def live() -> None:
        chance = Random(seed)  # noqa: S311 - drawn by hypothesis, not secret
        async with scene(module_database, chance) as it:
            for step in steps:
                it.steps.take(step, it.clock.now())
                # Some of what happened so far arrives now, in any order, and perhaps again.
                if chance.random() < 0.4:
                    await it.deliver(chance.choice(it.history.events))
                if chance.random() < 0.3:
                    await it.work_off()
            rest = [*it.history.events, *chance.sample(it.history.events, 3)]
            chance.shuffle(rest)
            for event in rest:
                await it.deliver(event)
                if chance.random() < 0.2:
                    await it.work_off()
            await it.agrees()
            await it.has_moved()
            await it.agrees()

    asyncio.run(live())


async def test_a_transferred_repository_takes_its_signals_along_and_leaves_no_boards(
    database: Database,
) -> None:
    async with scene(database) as it:
        world, (former, later, _) = it.history.world, it.steps.owners
        repository = world.repository(former, "walks")
        homes = [
            world.installation_of(each.id) or it.history.install(each) for each in (former, later)
        ]
        await it.deliver_all()
        assert it.held.places[repository.id] == homes[0].id
        it.history.transfer(repository, later)
        await it.deliver(it.history.events[-1])
        assert it.held.boardless == set()
        await it.has_moved()
        assert it.held.places[repository.id] == homes[1].id
        assert it.held.boardless == {(homes[0].id, repository.id)}
