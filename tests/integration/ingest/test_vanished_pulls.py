"""Pull requests that GitHub has no more, as of accounts that its staff deleted."""

from datetime import timedelta

import pytest

from laurel_ingest.domain.history.runs import Preset
from tests.support.github.activity import Activity, Issue, Pull
from tests.support.ingest_ground import Ground, expected


def vanish(activity: Activity) -> int:
    """One pull request less, and no trace of it; its number."""
    number = max(activity.pulls)
    del activity.pulls[number]
    for commit in activity.commits.values():
        commit.pulls = [each for each in commit.pulls if each != number]
    return number


@pytest.mark.parametrize("preset", [Preset.ALL_TIME, Preset.WEEK])
async def test_one_that_vanished_while_another_was_opened_is_withdrawn(
    ground: Ground, preset: Preset
) -> None:
    await ground.run()
    activity, at = ground.activity(), ground.clock.now() - timedelta(minutes=9)
    total = len(activity.pulls)
    gone = vanish(activity)
    activity.pulls[90] = Pull(90, ground.story.people[0].id, at, at)
    assert len(activity.pulls) == total
    await ground.run(preset=preset)
    assert ground.counts() == expected([activity, ground.activity(1)])
    left = "SELECT count(*) FROM signals WHERE repository_id = %s AND metadata ->> 'number' = %s"
    assert ground.rows(left, ground.story.repositories[0].id, str(gone)) == [(0,)]


async def test_one_that_github_counts_and_never_shows_is_looked_for_once(ground: Ground) -> None:
    activity = ground.activity()
    activity.pulls[min(activity.pulls)].is_hidden = True
    asked: list[list[str]] = []
    for number in (91, 92):
        before = len(ground.github.queries)
        await ground.run()
        asked.append(ground.github.queries[before:])
        at = ground.clock.now()
        activity.issues[number] = Issue(number, ground.story.people[0].id, at, at)
    assert ["PullNumbers" in each for each in asked] == [True, False]
    standing = ground.counts()
    vanish(activity)
    before = len(ground.github.queries)
    await ground.run()
    assert "PullNumbers" in ground.github.queries[before:]
    assert ground.counts()["pr_open"] == standing["pr_open"], "which of them is not to be told"
