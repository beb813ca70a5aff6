"""Ingest's lane of history over a simulated GitHub, its jobs done when a test says so."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.history.ports import RunRequest, RunStore
from laurel_ingest.domain.history.runs import Preset, Run, Scope
from laurel_ingest.history_lane import HistoryLane
from tests.support.database import Database
from tests.support.github import GitHubSimulator
from tests.support.github.activity import Activity, activity_of
from tests.support.ingest_github import FixedTokens, Story

# Longer than GitHub's secondary limit lasts in the weather of tests.
_A_MOMENT = timedelta(seconds=2)
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@dataclass
class Ground:
    story: Story
    github: GitHubSimulator
    database: Database
    lane: HistoryLane
    runs: RunStore
    clock: FakeClock
    tokens: FixedTokens
    # From the end of a run to the next: by then a token is another one.
    pause: timedelta = timedelta(hours=1)

    def activity(self, place: int = 0) -> Activity:
        return activity_of(self.story.world, self.story.repositories[place])

    async def request(self, **changes: Any) -> Run:
        scope = Scope(
            self.story.installation.id, changes.pop("team", None), changes.pop("only", None)
        )
        preset = changes.pop("preset", Preset.ALL_TIME)
        asked = RunRequest(scope, preset, "tests", **{"is_forced": True, **changes})
        return await self.runs.request(asked, self.story.organization.id, self.clock.now())

    async def run(self, **changes: Any) -> Run:
        """A run from its request to its end, every job done once."""
        asked = await self.request(**changes)
        return await self.work_off(asked.id)

    async def work_off(self, run_id: int) -> Run:
        """Every job once, and again where the weather struck."""
        weather = self.github.weather
        with weather.rough():
            struck = -1
            while struck < len(weather.struck):
                struck = len(weather.struck)
                await self.lane.run_ingest(run_id)
                for work_id in self.open_works(run_id):
                    await self.lane.read_repository(work_id)
                await self.lane.run_ingest(run_id)
                run = await self.runs.get(self.story.installation.id, run_id)
                if run.state.is_over:
                    break
                self.clock.advance(_A_MOMENT)
        self.clock.advance(self.pause)
        return run

    def open_works(self, run_id: int) -> list[int]:
        rows = self.rows(
            "SELECT id FROM ingest_run_repositories WHERE run_id = %s"
            " AND state IN ('waiting', 'reading') ORDER BY id",
            run_id,
        )
        return [row[0] for row in rows]

    def rows(self, query: str, *values: Any) -> list[Any]:
        with self.database.connect() as connection:
            return connection.execute(query, values).fetchall()

    def signals(self) -> list[Any]:
        """Every signal by what is told of it, whoever wrote it when."""
        return self.rows(
            "SELECT repository_id, type::text, user_id, content_hash, event_timestamp, metadata"
            " FROM signals ORDER BY 1, 2, 4, 3"
        )

    def counts(self) -> dict[str, int]:
        return dict(self.rows("SELECT type::text, count(*) FROM signals GROUP BY 1"))


def expected(activities: list[Activity]) -> dict[str, int]:
    """How many signals of each type a history makes."""
    counts: dict[str, int] = {}

    def add(kind: str, count: int) -> None:
        counts[kind] = counts.get(kind, 0) + count

    for one in activities:
        plain = [each for each in one.commits.values() if len(each.parents) < 2]
        add("commit", sum(len(each.authors) for each in plain))
        add("pr_open", len(one.pulls))
        add("pr_merge", sum(1 for each in one.pulls.values() if each.merged_at))
        closed = (each for each in one.pulls.values() if each.closed_at and not each.merged_at)
        add("pr_close_no_merge", sum(1 for _ in closed))
        add("issue_open", len(one.issues))
        add("issue_close", sum(1 for each in one.issues.values() if each.closed_at))
        reviews = [each for pull in one.pulls.values() for each in pull.reviews]
        add("review", len(reviews))
        add("review_comment", sum(len(each.comments) for each in reviews))
        things = [*one.pulls.values(), *one.issues.values()]
        add("comment", sum(len(each.comments) for each in things))
    return {kind: count for kind, count in counts.items() if count}
