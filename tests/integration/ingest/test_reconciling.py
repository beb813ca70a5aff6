"""Runs that nobody asked for: one a day of each installation, whatever the cooldown."""

import asyncio
from datetime import timedelta

from laurel_ingest.application.history.ports import RunRequest
from laurel_ingest.application.history.reconcile import CRON
from laurel_ingest.domain.history.runs import Preset, RunState, Scope
from tests.support.github.history import BEGINNING
from tests.support.ingest_ground import Ground, expected

DAY = timedelta(days=1)
OPEN = "SELECT installation_id, id, is_reconciling FROM ingest_runs WHERE state = 'queued'"


def others(ground: Ground) -> None:
    """Installations that nothing can be read of: an imported one and a suspended one."""
    with ground.database.connect() as owner:
        for number, app_id, suspended in ((-5, 0, None), (6, 1, "2026-01-01")):
            owner.execute("INSERT INTO organizations (id, login) VALUES (%s, %s)", (number, number))
            owner.execute(
                "INSERT INTO github_installations"
                " (installation_id, app_id, organization_id, suspended_at)"
                " VALUES (%s, %s, %s, %s)",
                (number, app_id, number, suspended),
            )


async def test_the_days_run_finds_what_webhooks_have_missed_and_begins_no_cooldown(
    ground: Ground,
) -> None:
    others(ground)
    activity, at = ground.activity(), BEGINNING + timedelta(days=9)
    vanishing = min(activity.issues)
    activity.issues[vanishing].comments = []
    await ground.run()
    activity.commit("missed", at)
    del activity.issues[vanishing]
    closed = next(each for each in activity.issues.values() if each.closed_at is None)
    closed.closed_at = closed.updated_at = at
    closed.closed_by = (ground.story.people[0].id, None)

    await ground.lane.reconcile()
    ((installation_id, run_id, is_reconciling),) = ground.rows(OPEN)
    assert (installation_id, is_reconciling) == (ground.story.installation.id, True)
    run = await ground.work_off(run_id)
    assert (run.state, run.is_reconciling) == (RunState.SUCCEEDED, True)
    assert ground.counts() == expected([activity, ground.activity(1)])

    # The cooldown is still that of the run before.
    ground.clock.advance(DAY - timedelta(hours=1))
    asked = RunRequest(Scope(installation_id), Preset.ALL_TIME, "tests")
    later = await ground.runs.request(asked, ground.story.organization.id, ground.clock.now())
    assert not later.is_reconciling


async def test_a_day_has_one_run_however_often_and_by_whomever_it_is_asked_for(
    ground: Ground,
) -> None:
    await asyncio.gather(*(ground.lane.reconcile() for _ in range(3)))
    ((_, first, _),) = ground.rows(OPEN)
    await ground.work_off(first)
    await ground.lane.reconcile()
    assert ground.rows(OPEN) == []
    ground.clock.advance(DAY)
    await ground.lane.reconcile()
    assert len(ground.rows(OPEN)) == 1
    (schedule,) = ground.lane.queue.app.periodic_registry.periodic_tasks.values()
    assert schedule.cron == CRON


async def test_a_run_that_is_under_way_is_the_days_and_peoples_go_first(ground: Ground) -> None:
    asked = await ground.request()
    await ground.lane.reconcile()
    assert [row[1] for row in ground.rows(OPEN)] == [asked.id]
    await ground.runs.cancel(ground.story.installation.id, asked.id, ground.clock.now())
    await ground.lane.reconcile()
    ((_, run_id, _),) = ground.rows(OPEN)
    await ground.lane.run_ingest(run_id)
    await ground.request(only=ground.story.repositories[0].id)
    jobs = "SELECT queue_name, priority, count(*) FROM ingest_jobs.procrastinate_jobs GROUP BY 1, 2"
    assert sorted(ground.rows(jobs)) == [
        ("ingest_repositories", -10, 2),
        ("ingest_runs", -10, 1),
        ("ingest_runs", 0, 2),
    ]
