"""What leaves no trace that a probe sees, and whose webhook was lost: a day's run looks through."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from laurel_ingest.application.import_events import GitSource, ImportEvents
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.domain.history.runs import Run, RunState
from tests.support.github.activity import Activity, Comment
from tests.support.github.history import BEGINNING
from tests.support.ingest_github import clone
from tests.support.ingest_ground import Ground, expected
from tests.support.ingest_losses import LOSSES

WEEK = timedelta(days=7)
OPEN = "SELECT id FROM ingest_runs WHERE state = 'queued'"
LOOKS = ["AllPulls", "AllIssues"]


async def reconciled(ground: Ground) -> tuple[Run, list[str]]:
    """The day's run, and what it asked."""
    asked = len(ground.github.queries)
    await ground.lane.reconcile()
    ((run_id,),) = ground.rows(OPEN)
    run = await ground.work_off(run_id)
    assert run.state is RunState.SUCCEEDED
    return run, ground.github.queries[asked:]


def counted(activity: Activity, other: Activity, spam: int = 0) -> dict[str, int]:
    return expected([activity, other]) | ({"spam": spam} if spam else {})


@pytest.mark.parametrize("lose", LOSSES)
async def test_what_was_deleted_unheard_is_withdrawn_and_nothing_else_is_touched(
    ground: Ground, lose: Callable[[Activity], int]
) -> None:
    await ground.run()
    activity, other = ground.activity(), ground.activity(1)
    before = expected([activity, other])
    lost = lose(activity)
    unheard = await ground.run()
    assert (unheard.withdrawn_count, ground.counts()) == (0, before)
    run, asked = await reconciled(ground)
    assert ground.counts() == expected([activity, other])
    assert (run.withdrawn_count, run.changed_count) == (lost, 0)
    assert run.new_count == sum(ground.counts().values()) - sum(before.values()) + lost
    assert sorted(asked) == sorted(["Probe", *LOOKS, *LOOKS])
    assert ground.rows("SELECT * FROM sighted_things") == []


async def test_what_was_minimized_unheard_is_spam_until_it_is_shown_again(ground: Ground) -> None:
    await ground.run()
    activity, other = ground.activity(), ground.activity(1)
    hidden = [
        activity.issues[1].comments[0],
        activity.pulls[max(activity.pulls)].comments[0],
        activity.pulls[max(activity.pulls)].reviews[0].comments[0],
    ]
    for each in hidden:
        each.minimized_as = "spam"
    activity.issues[2].lock_reason = "SPAM"
    run, _ = await reconciled(ground)
    assert ground.counts() == counted(activity, other, spam=4)
    assert (run.new_count, run.withdrawn_count) == (4, 0)
    for each in hidden:
        each.minimized_as = None
    ground.clock.advance(WEEK)
    run, _ = await reconciled(ground)
    assert ground.counts() == counted(activity, other, spam=1)
    assert (run.new_count, run.withdrawn_count) == (0, 3)


async def test_a_review_that_was_dismissed_unheard_keeps_the_state_it_was_submitted_with(
    ground: Ground,
) -> None:
    await ground.run()
    before = ground.signals()
    for pull in ground.activity().pulls.values():
        for review in pull.reviews:
            review.submitted_as, review.state = review.state, "DISMISSED"
    await reconciled(ground)
    assert ground.signals() == before


async def test_what_was_not_shown_once_comes_back_when_it_is(ground: Ground) -> None:
    await ground.run()
    before = ground.signals()
    activity = ground.activity()
    pull = activity.pulls[max(activity.pulls)]
    withheld, talk = activity.issues[1].comments.pop(), pull.comments
    pull.comments = []
    await reconciled(ground)
    assert ground.signals() != before
    activity.issues[1].comments.append(withheld)
    pull.comments = talk
    ground.clock.advance(WEEK)
    await reconciled(ground)
    assert ground.signals() == before


async def test_what_github_can_not_show_is_not_taken_for_deleted(ground: Ground) -> None:
    await ground.run()
    before = ground.counts()
    talk: list[Any] = ground.activity().issues[1].comments
    talk[0].is_hidden = True
    del talk[1]
    await reconciled(ground)
    assert ground.counts() == before
    talk[0].is_hidden = False
    ground.clock.advance(WEEK)
    await reconciled(ground)
    assert ground.counts() == expected([ground.activity(), ground.activity(1)])


async def test_repositories_take_turns_of_a_week_and_people_s_runs_have_none(
    ground: Ground,
) -> None:
    await ground.run()
    before, revisions = ground.signals(), "SELECT revision FROM installation_signal_states"
    revision = ground.rows(revisions)
    run, asked = await reconciled(ground)
    assert asked == ["Probe", *LOOKS, *LOOKS]
    assert (run.new_count, run.changed_count, run.duplicate_count) == (0, 0, 0)
    for days in (1, 4):
        ground.clock.advance(timedelta(days=days))
        _, asked = await reconciled(ground)
        assert asked == ["Probe"]
    asked_before = len(ground.github.queries)
    ground.clock.advance(WEEK)
    await ground.run()
    assert ground.github.queries[asked_before:] == ["Probe"]
    _, asked = await reconciled(ground)
    assert asked == ["Probe", *LOOKS, *LOOKS]
    assert (ground.signals(), ground.rows(revisions)) == (before, revision)


async def test_one_that_is_broken_off_goes_on_where_it_was(ground: Ground) -> None:
    await ground.run()
    ground.activity().pulls[max(ground.activity().pulls)].comments.pop()
    await ground.lane.reconcile()
    ((run_id,),) = ground.rows(OPEN)
    await ground.lane.run_ingest(run_id)
    first, second = ground.open_works(run_id)
    ground.github.faults.add("GRAPHQL AllIssues", status=500)
    asked = len(ground.github.queries)
    await ground.lane.read_repository(first)
    assert ground.open_works(run_id) == [first, second]
    await ground.lane.read_repository(first)
    assert ground.github.queries[asked:] == ["AllPulls", "AllIssues", "AllIssues"]
    await ground.work_off(run_id)
    assert ground.counts() == expected([ground.activity(), ground.activity(1)])


@pytest.mark.parametrize("imported", ["before the first walk", "before a walk", "after the last"])
async def test_a_clones_commits_that_no_walk_meets_are_withdrawn(
    ground: Ground, imports: ImportEvents, imported: str
) -> None:
    activity, other = ground.activity(), ground.activity(1)
    kept, commits = activity.head, dict(activity.commits)
    if imported != "before the first walk":
        await ground.run()
    activity.commit("forced-away", BEGINNING + timedelta(days=9))
    one = ground.story.repositories[0]
    source = GitSource(ground.story.world.full_name(one), one.id)
    await imports.git(source).take(RawBatch(clone(replace(activity))))
    activity.head, activity.commits = kept, commits
    if imported == "before a walk":
        activity.commit("instead", BEGINNING + timedelta(days=9))
    if imported == "after the last":
        await reconciled(ground)
    else:
        await ground.run()
    assert ground.counts() == expected([activity, other])


async def test_what_is_said_while_a_repository_is_looked_through_is_not_missed(
    ground: Ground,
) -> None:
    await ground.run()
    await ground.lane.reconcile()
    ((run_id,),) = ground.rows(OPEN)
    await ground.lane.run_ingest(run_id)
    issue, at = ground.activity().issues[1], ground.clock.now()
    issue.comments.append(Comment(77, issue.author_id, at))
    issue.updated_at = at
    await ground.run(only=ground.story.repositories[0].id)
    told = ground.counts()
    assert told == expected([ground.activity(), ground.activity(1)])
    del issue.comments[-1]  # as if its page had been read before
    await ground.work_off(run_id)
    assert ground.counts() == told


@pytest.mark.fair_weather
async def test_a_look_that_is_killed_again_and_again_takes_back_all_that_was_deleted(
    ground: Ground,
) -> None:
    issue = ground.activity().issues[1]
    issue.comments += [
        Comment(each, issue.author_id, issue.created_at) for each in range(1_000, 2_020)
    ]
    await ground.run()
    del issue.comments[::2]
    await ground.lane.reconcile()
    ((run_id,),) = ground.rows(OPEN)
    await ground.lane.run_ingest(run_id)
    kills, patience = 0, 0
    while works := ground.open_works(run_id):
        task = asyncio.create_task(ground.lane.read_repository(works[0]))
        patience += 2  # requests until the next kill
        before = len(ground.github.queries)
        while len(ground.github.queries) < before + patience and not task.done():
            await asyncio.sleep(0.001)
        kills += not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    run = await ground.work_off(run_id)
    assert (run.state, kills > 1) == (RunState.SUCCEEDED, True)
    assert ground.counts() == expected([ground.activity(), ground.activity(1)])
    assert run.withdrawn_count == 511
