"""A forced push while runs are reading: whoever comes to its end last leaves what GitHub has."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from laurel_ingest.application.history.github import Listing
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.domain.history.runs import RunState
from laurel_ingest.history_lane import HistoryLane
from tests.support.github.activity import Activity
from tests.support.github.history import BEGINNING
from tests.support.held_reading import Held
from tests.support.ingest_ground import Ground, expected


def rewrite(activity: Activity) -> None:
    """Forces another history onto the branch; some of what was there is gone."""
    activity.head = activity.history(activity.head or "")[4].oid
    activity.commit("instead", BEGINNING + timedelta(days=9))
    left = {one.oid for one in activity.history(activity.head or "")}
    activity.commits = {oid: one for oid, one in activity.commits.items() if oid in left}


async def planned(ground: Ground, **scope: Any) -> tuple[int, int]:
    """A run that knows the branch's head, and its repository that is to be read."""
    run = await ground.request(**scope)
    await ground.lane.run_ingest(run.id)
    (work_id,) = ground.open_works(run.id)
    return run.id, work_id


async def has_what_github_has(ground: Ground) -> None:
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    asked = len(ground.github.queries)
    await ground.run()
    assert ground.github.queries[asked:] == ["Probe"], "nothing was left to the next run"


@pytest.mark.parametrize("listing", [Listing.COMMITS, Listing.ISSUES])
@pytest.mark.parametrize("later", ["the one from before", "the one from after"])
async def test_two_runs_over_one_forced_push_end_in_what_is_there(
    ground: Ground,
    make_lane: Callable[[], HistoryLane],
    held: Held,
    later: str,
    listing: Listing,
) -> None:
    await ground.run()
    activity, only = ground.activity(), ground.story.repositories[0].id
    activity.commit("soon gone", BEGINNING + timedelta(days=8))
    before = await planned(ground)
    saved = dict(activity.commits)
    rewrite(activity)
    ground.clock.advance(timedelta(minutes=1))
    after = await planned(ground, only=only)
    # Whoever walks the old head is still shown its commits: GitHub keeps them for a while.
    standing, activity.commits = activity.commits, saved | activity.commits
    first, last = (after, before) if later == "the one from before" else (before, after)
    await held.reading(make_lane(), last[1], listing)
    run = await ground.work_off(first[0])
    assert run.state is RunState.SUCCEEDED
    await held.finish()
    activity.commits = standing
    run = await ground.work_off(last[0])
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    await has_what_github_has(ground)


@pytest.mark.parametrize("listing", [Listing.COMMITS, Listing.ISSUES])
async def test_a_forced_push_that_a_webhook_tells_of_during_a_run_is_seen_by_it(
    ground: Ground, held: Held, listing: Listing
) -> None:
    await ground.run()
    activity = ground.activity()
    activity.commit("soon gone", BEGINNING + timedelta(days=8))
    run_id, work_id = await planned(ground)
    await held.reading(ground.lane, work_id, listing)
    rewrite(activity)
    ground.clock.advance(timedelta(minutes=1))
    with ground.database.connect() as owner:
        owner.execute(
            "INSERT INTO coverage_gaps (repository_id, reason, last_at)"
            " VALUES (%s, 'history_rewritten', %s)",
            [ground.story.repositories[0].id, ground.clock.now()],
        )
    ground.clock.advance(timedelta(minutes=1))
    await held.finish()
    run = await ground.work_off(run_id)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    await has_what_github_has(ground)


@pytest.mark.parametrize(
    ("moves", "looks"),
    [
        pytest.param(False, 1, id="and is what was read"),
        pytest.param(True, 3, id="and is another one at each look"),
    ],
)
async def test_a_branch_that_is_told_to_be_rewritten_all_the_time_is_not_read_all_the_time(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, *, moves: bool, looks: int
) -> None:
    await ground.run()
    activity, real = ground.activity(), GraphQLHistory.probe
    activity.commit("one more", BEGINNING + timedelta(days=8))
    run_id, _ = await planned(ground)
    with ground.database.connect() as owner:
        owner.execute(
            "INSERT INTO coverage_gaps (repository_id, reason, last_at)"
            " VALUES (%s, 'history_rewritten', %s)",
            [ground.story.repositories[0].id, ground.clock.now() + timedelta(days=1)],
        )
    asked = len(ground.github.queries)

    async def probe(self: GraphQLHistory, *args: Any) -> Any:
        if moves:
            activity.commit(f"and {len(activity.commits)}", BEGINNING + timedelta(days=9))
        return await real(self, *args)

    monkeypatch.setattr(GraphQLHistory, "probe", probe)
    run = await ground.work_off(run_id)
    assert run.state is RunState.SUCCEEDED
    assert ground.github.queries[asked:].count("Probe") == looks
    assert ground.counts() == expected([activity, ground.activity(1)])
