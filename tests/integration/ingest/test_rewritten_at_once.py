"""A forced push that a webhook tells of: what it took away goes within seconds, whatever runs."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson
import pytest

from laurel_ingest.application.batch_store import BatchStore
from laurel_ingest.application.enrolment import Enrolment
from laurel_ingest.application.webhook_batch import read_batch
from laurel_ingest.domain.deliveries import Delivery, DeliveryState
from laurel_ingest.domain.history.runs import RunState
from laurel_ingest.history_lane import HistoryLane
from laurel_ingest.storage.postgres import PostgresStorage
from tests.support.github.activity import Activity
from tests.support.github.history import BEGINNING
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_ground import Ground, expected

SOON, LATER = timedelta(seconds=2), timedelta(minutes=11)


class Tell(Protocol):
    async def __call__(self, before: str) -> None:
        """Takes in the webhook of a forced push that led from a commit to the present head."""


@pytest.fixture
def tell(ground: Ground, storage: PostgresStorage) -> Tell:
    async def push(before: str) -> None:
        activity, repository = ground.activity(), ground.story.repositories[0]
        head = activity.commits[activity.head or ""]
        shown = {
            "id": head.oid,
            "message": head.message,
            "timestamp": head.authored_at.isoformat(),
            "author": {"name": head.authors[0][0], "email": head.authors[0][1]},
        }
        body = {
            "ref": "refs/heads/main",
            "before": before,
            "after": head.oid,
            "forced": True,
            "deleted": False,
            "commits": [shown],
            "head_commit": shown,
            "repository": {
                "id": repository.id,
                "full_name": ground.story.world.full_name(repository),
                "owner": {"login": "Acme", "id": ground.story.organization.id},
                "default_branch": "main",
                "pushed_at": int(ground.clock.now().timestamp()),
            },
        }
        delivery = Delivery(
            *(1, "d", "push", None, None, DeliveryState.WAITING, ground.clock.now()),
            body=orjson.dumps(body),
        )
        batch = read_batch([delivery])
        assert batch.errors == {}
        installations = await Enrolment(DatabaseDirectory(ground.database.url()), storage).enter(
            batch.told
        )
        now = int(ground.clock.now().timestamp())
        await BatchStore(storage).store(batch.told, installations, now)

    return push


def rewrite(activity: Activity, behind: int = 1) -> str:
    """Forces another history onto the branch, some commits behind; answers the head from before."""
    before = activity.head or ""
    activity.head = activity.history(before)[behind].oid
    activity.commit(f"instead of {before}", BEGINNING + timedelta(days=9))
    left = {one.oid for one in activity.history(activity.head or "")}
    activity.commits = {oid: one for oid, one in activity.commits.items() if oid in left}
    return before


def urgent(ground: Ground) -> list[tuple[int, str]]:
    """The urgent runs over the first repository, oldest first, with their states."""
    found = "SELECT id, state FROM ingest_runs WHERE is_urgent AND repository_id = %s ORDER BY id"
    return ground.rows(found, ground.story.repositories[0].id)


async def work_off(ground: Ground) -> Any:
    """The newest urgent run to its end, with the clock standing still; answers it."""
    run_id = urgent(ground)[-1][0]
    await ground.lane.run_ingest(run_id)
    for work_id in ground.open_works(run_id):
        await ground.lane.read_repository(work_id)
    await ground.lane.run_ingest(run_id)
    return await ground.runs.get(ground.story.installation.id, run_id)


async def test_what_a_forced_push_took_away_is_withdrawn_by_a_run_that_begins_at_once(
    ground: Ground, tell: Tell
) -> None:
    await ground.run(is_forced=False)
    await ground.lane.read_rewritten()
    assert urgent(ground) == [], "nothing was told"
    cooldown = ground.rows("SELECT installation_id, last_successful_ingest_at FROM ingest_log")
    before = rewrite(ground.activity(), behind=4)
    whole = expected([ground.activity(0), ground.activity(1)])
    await tell(before)
    assert ground.counts()["commit"] > whole["commit"], "the push tells of one alone"

    ground.clock.advance(SOON)
    await ground.lane.read_rewritten()
    run = await work_off(ground)
    assert (run.state, run.is_urgent, run.repositories_total) == (RunState.SUCCEEDED, True, 1)
    assert ground.counts() == whole
    log = "SELECT installation_id, last_successful_ingest_at FROM ingest_log"
    assert ground.rows(log) == cooldown, "nobody's cooldown has begun by it"

    # GitHub may have been behind its webhook: one more look, and then no more.
    for queries in (["Probe", "Commits", "Pulls", "Issues"], [], []):
        ground.clock.advance(LATER)
        asked, runs = len(ground.github.queries), len(urgent(ground))
        await ground.lane.read_rewritten()
        assert len(urgent(ground)) - runs == bool(queries)
        if queries:
            await work_off(ground)
        assert ground.github.queries[asked:] == queries
    assert ground.counts() == whole


async def test_pushes_upon_pushes_are_few_runs(
    ground: Ground, tell: Tell, make_lane: Callable[[], HistoryLane]
) -> None:
    await ground.run()
    other = make_lane()
    for _ in range(5):
        await tell(rewrite(ground.activity()))
        ground.clock.advance(SOON)
        # Two processes are woken, and only one run is begun.
        await asyncio.gather(ground.lane.read_rewritten(), other.read_rewritten())
    assert [state for _, state in urgent(ground)] == ["queued"]
    await work_off(ground)
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    ground.clock.advance(timedelta(minutes=2))
    await tell(rewrite(ground.activity()))
    ground.clock.advance(SOON)
    await ground.lane.read_rewritten()
    assert len(urgent(ground)) == 1, "the last one has only just ended"
    ground.clock.advance(LATER)
    await ground.lane.read_rewritten()
    await work_off(ground)
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    # One that took an hour leaves as long for others.
    await tell(rewrite(ground.activity()))
    with ground.database.connect() as owner:
        owner.execute(
            "UPDATE ingest_runs SET requested_at = finished_at - interval '1 hour' WHERE is_urgent"
        )
    ground.clock.advance(LATER)
    await ground.lane.read_rewritten()
    assert len(urgent(ground)) == 2
    ground.clock.advance(timedelta(hours=1))
    await ground.lane.read_rewritten()
    assert len(urgent(ground)) == 3


async def test_a_head_that_is_back_is_not_taken_for_lost(ground: Ground, tell: Tell) -> None:
    await ground.run()
    activity = ground.activity()
    commits, head = dict(activity.commits), activity.head
    before = rewrite(activity)
    await tell(before)
    # What puts the former history back never comes.
    activity.commits, activity.head = commits, head
    ground.clock.advance(SOON)
    run = await ground.run()
    assert run.state is RunState.SUCCEEDED
    whole = expected([activity, ground.activity(1)])
    # What the lost push has brought may have come after GitHub was looked at.
    assert ground.counts()["commit"] == whole["commit"] + 1
    await ground.run()
    assert ground.counts() == whole
    asked = len(ground.github.queries)
    await ground.run()
    assert ground.github.queries[asked:] == ["Probe"], "and is not read again and again"


async def test_it_may_spend_what_is_kept_back_and_waits_for_no_backfill(
    ground: Ground, tell: Tell
) -> None:
    await ground.run()
    before = rewrite(ground.activity())
    ground.clock.set(datetime.now(UTC))
    await tell(before)
    ground.activity(1).commit("of the backfill", BEGINNING + timedelta(days=9))
    backfill = await ground.request()
    await ground.lane.run_ingest(backfill.id)
    bucket = ground.github.points.bucket(ground.tokens.value)
    bucket.used = bucket.limit * 95 // 100
    for work_id in ground.open_works(backfill.id):
        await ground.lane.read_repository(work_id)
    waiting = await ground.runs.get(ground.story.installation.id, backfill.id)
    assert waiting.waiting_until is not None, "history has come to what is kept back"

    ground.clock.advance(SOON)
    await ground.lane.read_rewritten()
    ((run_id, _),) = urgent(ground)
    await ground.lane.run_ingest(run_id)
    queues = ground.rows(
        "SELECT queue_name, args ->> 'work_id' FROM ingest_jobs.procrastinate_jobs"
        " WHERE queue_name IN ('ingest_urgent', 'ingest_repositories') ORDER BY 1"
    )
    (urgent_work,) = ground.open_works(run_id)
    assert ("ingest_urgent", str(urgent_work)) in queues
    assert [each for each in queues if each[0] == "ingest_urgent"] == queues[-1:]
    run = await work_off(ground)
    assert run.state is RunState.SUCCEEDED
    standing = ground.rows(
        "SELECT count(*) FROM signals WHERE type = 'commit' AND repository_id = %s",
        ground.story.repositories[0].id,
    )
    assert standing == [(expected([ground.activity()])["commit"],)]
    bucket.used = bucket.limit - bucket.limit // 100
    await tell(rewrite(ground.activity()))
    ground.clock.advance(LATER)
    await ground.lane.read_rewritten()
    spent = ground.github.spent
    run = await work_off(ground)
    assert (run.state, ground.github.spent - spent) == (RunState.RUNNING, 1), "but not the last"
    assert run.waiting_until is not None


async def test_what_is_not_there_any_more_is_left_to_the_days_run(
    ground: Ground, tell: Tell
) -> None:
    await ground.run()
    await tell(rewrite(ground.activity()))
    del ground.story.world.repositories[ground.story.repositories[0].id]
    ground.clock.advance(SOON)
    await ground.lane.read_rewritten()
    run = await work_off(ground)
    assert (run.state, run.failure_reason) == (RunState.FAILED, "GONE")
    for _ in range(3):
        ground.clock.advance(LATER)
        await ground.lane.read_rewritten()
    assert len(urgent(ground)) == 1
