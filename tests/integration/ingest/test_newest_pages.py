"""While a token lives, REST's newest pages tell what a probe can't: those that are as they were
cost nothing of the rate limit, others are looked through.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from laurel_ingest.domain.history.runs import Run, RunState
from tests.support.github.activity import Activity
from tests.support.github.history import BEGINNING
from tests.support.github.server import Asked
from tests.support.ingest_ground import Ground, expected
from tests.support.ingest_losses import LOSSES, comment_of_an_issue

pytestmark = pytest.mark.fair_weather

LISTS = ["commits", "pulls", "issues", "issues/comments", "pulls/comments"]
LATER = BEGINNING + timedelta(days=9)
ETAGS = (
    "SELECT h.etags_given_to, s.commits_etag, s.pulls_etag, s.issues_etag, s.comments_etag,"
    " s.reviews_etag FROM repository_histories AS h"
    " JOIN repository_sync_state AS s USING (repository_id) ORDER BY repository_id"
)


@pytest.fixture
def ground(ground: Ground) -> Ground:
    ground.pause = timedelta(minutes=5)
    return ground


async def ran(ground: Ground, **changes: Any) -> tuple[Run, list[str], list[Asked]]:
    """A run, and what it asked over GraphQL and over REST."""
    queries, asked = len(ground.github.queries), len(ground.github.asked)
    run = await ground.run(**changes)
    over_rest = [each for each in ground.github.asked[asked:] if each.method == "GET"]
    return run, ground.github.queries[queries:], over_rest


def told(asked: list[Asked], name: str = "r0") -> dict[str, int]:
    """The lists that were asked of a repository, with their answers."""
    within = f"/repos/Acme/{name}/"
    return {
        each.path.removeprefix(within): each.status
        for each in asked
        if each.path.startswith(within)
    }


def whole(ground: Ground) -> dict[str, int]:
    return expected([ground.activity(), ground.activity(1)])


def used(ground: Ground) -> int:
    return ground.github.limits.bucket(ground.tokens.value).used


async def test_pages_that_are_as_they_were_cost_nothing_and_end_it(ground: Ground) -> None:
    await ground.run()
    before, etags, spent = ground.signals(), ground.rows(ETAGS), used(ground)
    assert all(tag.startswith('W/"') for row in etags for tag in row[1:])
    assert ground.tokens.value not in str(etags)
    run, queries, asked = await ran(ground)
    assert (run.state, run.repositories_done, queries) == (RunState.SUCCEEDED, 2, ["Probe"])
    assert told(asked) == told(asked, "r1") == dict.fromkeys(LISTS, 304)
    assert (used(ground), run.request_count) == (spent, len(asked))
    assert (ground.signals(), ground.rows(ETAGS)) == (before, etags)
    (family,) = ground.lane.metrics.collect()
    answers = {each.labels["answer"]: each.value for each in family.samples}
    assert answers == {"changed": 10, "unchanged": 10, "failed": 0}


@pytest.mark.parametrize("lose", LOSSES)
async def test_what_was_deleted_unheard_is_withdrawn_by_the_next_run_of_the_hour(
    ground: Ground, lose: Callable[[Activity], int]
) -> None:
    await ground.run()
    before = sum(ground.counts().values())
    lost = lose(ground.activity())
    run, queries, asked = await ran(ground)
    assert ground.counts() == whole(ground)
    assert (run.withdrawn_count, run.changed_count) == (lost, 0)
    assert run.new_count == sum(ground.counts().values()) - before + lost
    assert queries == ["Probe", "Pulls", "Issues"]
    assert set(told(asked, "r1").values()) == {304}
    _, queries, asked = await ran(ground)
    assert (queries, {each.status for each in asked}) == (["Probe"], {304})


async def test_an_address_that_has_become_somebodys_credits_its_commits(ground: Ground) -> None:
    activity, person = ground.activity(), ground.story.people[0]
    own = next(each for each in activity.commits.values() if len(each.parents) == 1)
    own.authors = [("Somebody", "somebody@elsewhere.example", None)]
    await ground.run()
    credited = "SELECT count(*) FROM signals WHERE type = 'commit' AND user_id = %s"
    ((before,),) = ground.rows(credited, person.id)
    own.authors = [("Somebody", "somebody@elsewhere.example", person.id)]
    run, queries, _ = await ran(ground)
    assert queries[:2] == ["Probe", "Commits"]
    assert ground.rows(credited, person.id) == [(before + 1,)]
    assert ground.counts() == whole(ground)
    activity.commit("on top", LATER)
    run, queries, _ = await ran(ground)
    assert (run.withdrawn_count, queries.count("Commits")) == (0, 1)
    assert ground.counts() == whole(ground)


async def test_etags_of_another_token_are_not_sent_and_are_overwritten(ground: Ground) -> None:
    await ground.run()
    ground.clock.advance(timedelta(hours=1))
    etags = ground.rows(ETAGS)
    lost = comment_of_an_issue(ground.activity())
    run, queries, asked = await ran(ground)
    assert (run.withdrawn_count, queries, asked) == (0, ["Probe"], [])
    ground.activity().commit("new", LATER)
    run, queries, asked = await ran(ground)
    assert (run.withdrawn_count, ground.counts()) == (lost, whole(ground)), "and what is read heals"
    assert [(each.etag, each.status) for each in asked] == [(None, 200)] * len(LISTS)
    first, second = ground.rows(ETAGS)
    assert (second, first[0] != etags[0][0]) == (etags[1], True)
    _, _, asked = await ran(ground)
    assert (set(told(asked).values()), told(asked, "r1")) == ({304}, {})


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        *(({"status": status}, "at once") for status in (403, 404, 410, 502)),
        ({"cut": True}, "by the next run"),
        ({"reset_seconds": 90}, "by the next run"),
        ({"retry_after": 30}, "after waiting"),
        ({"status": 401}, "once it is read"),
    ],
    ids=str,
)
async def test_a_list_that_fails_fails_no_run_and_hides_nothing(
    ground: Ground, fault: dict[str, Any], found: str
) -> None:
    await ground.run()
    etags = ground.rows(ETAGS)
    lost = comment_of_an_issue(ground.activity())
    ground.github.faults.add("GET /repos/Acme/r0/commits", **fault)
    run = await ground.run()
    if found == "after waiting":
        assert run.state is RunState.RUNNING
        run = await ground.work_off(run.id)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    is_found = found in {"at once", "after waiting"}
    assert (run.withdrawn_count, ground.rows(ETAGS) != etags) == (lost * is_found, is_found)
    if found == "once it is read":
        ground.activity().commit("new", LATER)
    await ground.run()
    assert ground.counts() == whole(ground)


async def test_lists_that_a_repository_does_not_have_are_done_without(ground: Ground) -> None:
    repository, activity = ground.story.repositories[0], ground.activity()
    repository.has_issues = False
    activity.issues, activity.commits, activity.head = {}, {}, None
    for pull in activity.pulls.values():
        pull.body, pull.merge_commit = "", None
    run, _, asked = await ran(ground)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    assert (told(asked)["commits"], told(asked)["issues"]) == (409, 410)
    activity.pulls[max(activity.pulls)].reviews[0].comments.pop()
    run, _, _ = await ran(ground)
    assert (run.withdrawn_count, ground.counts()) == (1, whole(ground))


async def test_what_github_can_not_show_is_not_taken_for_deleted(ground: Ground) -> None:
    await ground.run()
    before, talk = ground.counts(), ground.activity().issues[1].comments
    talk[0].is_hidden = True
    del talk[1]
    await ground.run()
    assert ground.counts() == before
    talk[0].is_hidden = False
    await ground.run()
    assert ground.counts() == whole(ground)


async def test_etags_are_kept_once_what_they_stand_for_is_known(ground: Ground) -> None:
    await ground.run()
    etags, talk = ground.rows(ETAGS), ground.activity().issues
    talk[1].comments.pop()
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    first = ground.open_works(asked.id)[0]
    ground.github.faults.add("GRAPHQL Issues", status=500)
    await ground.lane.read_repository(first)
    assert ground.rows(ETAGS) == etags
    talk[2].comments.pop()  # after the pages were asked for, and before it is read
    run = await ground.work_off(asked.id)
    assert (run.withdrawn_count, ground.counts()) == (2, whole(ground))
    assert ground.rows(ETAGS)[0] != etags[0]
    _, queries, asked_again = await ran(ground)
    assert told(asked_again)["issues/comments"] == 200, "that one was not in them"
    assert queries == ["Probe", "Pulls", "Issues"]
    _, queries, _ = await ran(ground)
    assert (queries, ground.counts()) == (["Probe"], whole(ground))


async def test_a_share_of_rests_limit_is_left_to_others(ground: Ground) -> None:
    ground.github.limits.limit = 10
    run, _, asked = await ran(ground)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    assert [each.status for each in asked] == [200] * 9
    assert ground.counts() == whole(ground)
