"""Runs over a simulated GitHub: what they read, and what they read again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laurel_ingest.application.errors import IngestCoolingDown
from laurel_ingest.application.history.read_ingests import WatchIngest
from laurel_ingest.domain.history.runs import RunState
from tests.support.github.activity import Comment, Issue, activity_of
from tests.support.github.history import BEGINNING
from tests.support.github.weather import MILD, ROUGH
from tests.support.ingest_ground import Ground, expected

TEAM = "INSERT INTO teams (id, organization_id, slug, name) VALUES (%s, %s, 'core', 'Core')"


@pytest.mark.fair_weather
async def test_a_first_run_reads_everything(ground: Ground) -> None:
    run = await ground.run()
    assert (run.state, run.failure_reason, run.troubles) == (RunState.SUCCEEDED, None, ())
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    assert run.new_count == sum(ground.counts().values())
    assert (run.repositories_done, run.repositories_total) == (2, 2)
    assert run.request_count == ground.github.arrived - 1  # but for the probe


async def test_a_run_gets_over_whatever_weather_github_has(ground: Ground) -> None:
    for number in range(12):
        at = ground.clock.now()
        ground.activity().commit(f"{number}", at)
        ground.activity(1).issues[100 + number] = Issue(100 + number, None, at, at)
        run = await ground.run()
        assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    struck = ground.github.weather.struck
    assert [each for each in [*MILD, *ROUGH] if each not in struck] == []
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


@pytest.mark.fair_weather
async def test_who_watches_a_run_sees_how_far_it_is_and_what_it_waits_for(ground: Ground) -> None:
    ground.clock.set(datetime.now(UTC))
    asked = await ground.request()
    watch = WatchIngest(ground.runs, poll_seconds=0.01)(ground.story.installation.id, asked.id)
    seen = [await anext(watch)]
    await ground.lane.run_ingest(asked.id)
    seen.append(await anext(watch))
    first, second = ground.open_works(asked.id)
    await ground.lane.read_repository(first)
    seen.append(await anext(watch))
    ground.github.faults.add("GRAPHQL Commits", retry_after=40)
    await ground.lane.read_repository(second)
    seen.append(await anext(watch))
    ground.clock.advance(timedelta(seconds=41))
    await ground.lane.read_repository(second)
    seen.append(await anext(watch))
    await ground.lane.run_ingest(asked.id)
    seen += [each async for each in watch]
    queued, running, half, waiting, read, over = seen
    done = [(each.repositories_done, each.repositories_total) for each in seen]
    assert done == [(0, 0), (0, 2), (1, 2), (1, 2), (2, 2), (2, 2)]
    assert [each.state for each in (queued, running, read)] == [
        *(RunState.QUEUED, RunState.RUNNING, RunState.RUNNING)
    ]
    alone, whole = (
        expected([ground.activity(0)]),
        expected([ground.activity(0), ground.activity(1)]),
    )
    news = [each.new_count for each in seen]
    assert news == [0, 0, *[sum(alone.values())] * 2, *[sum(whole.values())] * 2]
    assert running.points_left == 5_000 - (ground.github.spent - over.point_count)
    assert over.points_left == 5_000 - ground.github.spent
    assert waiting.waiting_until == ground.clock.now() - timedelta(seconds=1)
    assert [each.waiting_until for each in (queued, running, half, read, over)] == [None] * 5
    assert (over.state, over.finished_at is not None) == (RunState.SUCCEEDED, True)


async def test_a_run_over_a_team_reads_its_repositories_alone(ground: Ground) -> None:
    one = ground.story.repositories[1]
    with ground.database.connect() as owner:
        owner.execute(TEAM, [7, ground.story.organization.id])
        owner.execute(
            "INSERT INTO team_repositories (team_id, repository_id) VALUES (7, %s)", [one.id]
        )
    run = await ground.run(team=7, is_forced=False)
    assert (run.state, run.repositories_total, run.scope.team_id) == (RunState.SUCCEEDED, 1, 7)
    assert ground.counts() == expected([ground.activity(1)])
    # Its cooldown is its own.
    with pytest.raises(IngestCoolingDown):
        await ground.request(team=7, is_forced=False)
    await ground.request(is_forced=False)
    await ground.request(only=one.id, is_forced=False)


@pytest.mark.fair_weather
async def test_what_comes_within_a_second_is_stored_once_and_together(ground: Ground) -> None:
    run = await ground.run()
    revisions = ground.rows("SELECT revision FROM installation_signal_states")
    assert revisions == [(len(ground.story.repositories),)]
    assert run.new_count == sum(ground.counts().values())
    assert (run.changed_count, run.duplicate_count, run.withdrawn_count) == (0, 0, 0)


async def test_a_run_over_what_is_unchanged_asks_once(ground: Ground) -> None:
    await ground.run()
    before, asked = ground.signals(), len(ground.github.queries)
    run = await ground.run()
    assert ground.github.queries[asked:] == ["Probe"]
    assert (run.state, run.new_count, run.repositories_done) == (RunState.SUCCEEDED, 0, 2)
    assert ground.signals() == before


async def test_what_is_new_is_read_and_what_is_known_is_not(ground: Ground) -> None:
    await ground.run()
    activity = ground.activity()
    activity.commit("new", BEGINNING + timedelta(days=9))
    at = BEGINNING + timedelta(days=10)
    activity.issues[50] = Issue(
        50, ground.story.people[0].id, at, at, comments=[Comment(5, None, at)]
    )
    asked = len(ground.github.queries)
    run = await ground.run()
    assert ground.github.queries[asked:] == ["Probe", "Commits", "Pulls", "Issues"]
    assert run.new_count == 3
    assert ground.counts() == expected([activity, ground.activity(1)])


async def test_a_forced_push_takes_lost_commits_back(ground: Ground) -> None:
    await ground.run()
    activity = ground.activity()
    history = activity.history(activity.head or "")
    kept = history[4]
    activity.head = kept.oid
    activity.commit("instead", BEGINNING + timedelta(days=9))
    left = {one.oid for one in activity.history(activity.head)}
    run = await ground.run()
    assert run.withdrawn_count > 0
    activity.commits = {oid: one for oid, one in activity.commits.items() if oid in left}
    assert ground.counts() == expected([activity, ground.activity(1)])


async def test_an_emptied_repository_keeps_what_is_not_commits(ground: Ground) -> None:
    await ground.run()
    activity = ground.activity()
    activity.head, activity.commits = None, {}
    for pull in activity.pulls.values():
        pull.merge_commit = None
    run = await ground.run()
    assert [(each.reason, each.is_left_out) for each in run.troubles] == [("EMPTIED", False)]
    assert ground.counts() == expected([activity, ground.activity(1)])


@pytest.mark.parametrize("kind", ["pulls", "issues"])
async def test_what_vanished_is_taken_back(ground: Ground, kind: str) -> None:
    await ground.run()
    activity = ground.activity()
    things: dict[int, Any] = getattr(activity, kind)
    number = max(things)
    for pull in activity.pulls.values():
        pull.body = ""
    gone = things.pop(number)
    for commit in activity.commits.values():
        commit.pulls = [each for each in commit.pulls if each != number]
    await ground.run()
    standing = ground.rows(
        "SELECT count(*) FROM signals WHERE repository_id = %s AND type::text LIKE %s"
        " AND (metadata ->> 'number')::bigint = %s",
        ground.story.repositories[0].id,
        "pr_%" if kind == "pulls" else "issue_%",
        gone.number,
    )
    assert standing == [(0,)]


async def test_a_repository_that_is_gone_is_noted_and_the_rest_goes_on(ground: Ground) -> None:
    gone = ground.story.repositories[0]
    del ground.story.world.repositories[gone.id]
    run = await ground.run()
    assert run.state is RunState.SUCCEEDED
    assert [(each.repository_id, each.reason) for each in run.troubles] == [(gone.id, "GONE")]
    assert ground.counts() == expected([ground.activity(1)])


async def test_a_repository_that_was_transferred_is_not_this_installations(ground: Ground) -> None:
    one = ground.story.repositories[0]
    ground.story.world.former_names["acme/r0"] = one.id
    one.owner_id, one.private = ground.story.world.organization("Elsewhere").id, False
    run = await ground.run()
    assert run.state is RunState.SUCCEEDED
    assert [(each.reason, each.is_left_out) for each in run.troubles] == [("TRANSFERRED", True)]
    assert ground.counts() == expected([ground.activity(1)])


async def test_what_was_read_for_another_account_is_the_accounts_that_has_it_now(
    ground: Ground,
) -> None:
    await ground.run()
    with ground.database.connect() as owner:
        owner.execute("INSERT INTO organizations (id, login) VALUES (4711, 'formerly')")
        owner.execute("UPDATE repository_sync_state SET organization_id = 4711")
    activity, moment = ground.activity(), ground.clock.now()
    activity.commit("one-more", moment, authors=[("dev0", "dev0@example.com", None)])
    await ground.run()
    with ground.database.connect() as owner:
        held = owner.execute("SELECT organization_id FROM repository_sync_state ORDER BY 1")
        assert {row[0] for row in held} == {4711, ground.story.organization.id}


async def test_an_empty_repository_is_read_and_has_no_gap(ground: Ground) -> None:
    activity = ground.activity()
    activity.commits, activity.pulls, activity.issues, activity.head = {}, {}, {}, None
    run = await ground.run()
    assert (run.state, run.troubles, run.repositories_done) == (RunState.SUCCEEDED, (), 2)
    assert ground.counts() == expected([ground.activity(1)])
    asked = len(ground.github.queries)
    await ground.run()
    assert ground.github.queries[asked:] == ["Probe"]


async def test_a_renamed_repository_is_read_under_its_new_name(ground: Ground) -> None:
    one = ground.story.repositories[0]
    ground.story.world.former_names["acme/r0"] = one.id
    one.name = "renamed"
    run = await ground.run()
    assert [(each.reason, each.is_left_out) for each in run.troubles] == [("RENAMED", False)]
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


async def test_a_name_that_another_repository_has_now_is_not_read(ground: Ground) -> None:
    one = ground.story.repositories[0]
    one.name = "moved"
    other = ground.story.world.repository(ground.story.organization, "r0")
    activity_of(ground.story.world, other).commit("theirs", BEGINNING)
    run = await ground.run()
    assert [(each.repository_id, each.reason) for each in run.troubles] == [(one.id, "NAME_TAKEN")]
    assert ground.counts() == expected([ground.activity(1)])
