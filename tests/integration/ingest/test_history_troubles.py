"""Runs over a simulated GitHub: what stops them, and how they go on."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laurel_common.errors import RemoteError
from laurel_ingest.application.history.github import TooHeavyError
from laurel_ingest.application.history.ports import RunRequest
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.domain.history.runs import MAX_PLANS, Preset, RunState, Scope
from laurel_ingest.history_lane import HistoryLane
from tests.support.github.activity import activity_of
from tests.support.github.history import BEGINNING
from tests.support.ingest_ground import NOW, Ground, expected


async def test_pages_that_are_too_heavy_are_read_in_smaller_ones(ground: Ground) -> None:
    ground.github.largest_page = 7
    run = await ground.run()
    assert run.state is RunState.SUCCEEDED
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


async def test_a_run_that_is_killed_again_and_again_reads_each_page_once(ground: Ground) -> None:
    ground.github.largest_page = 4
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    kills = 0
    while works := ground.open_works(asked.id):
        task = asyncio.create_task(ground.lane.read_repository(works[0]))
        before = len(ground.github.queries)
        while len(ground.github.queries) < before + 7 and not task.done():
            await asyncio.sleep(0.001)
        kills += not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    run = await ground.work_off(asked.id)
    assert run.state is RunState.SUCCEEDED
    assert kills > 1
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    # Each kill repeats one page at most, and the attempts at finding its size.
    assert len(ground.github.queries) <= 40 + 5 * kills


@pytest.mark.parametrize("limit", [{"retry_after": 40}, {"reset_seconds": 40}], ids=str)
async def test_a_rate_limit_is_waited_out_by_the_time_that_github_names(
    ground: Ground, limit: dict[str, Any]
) -> None:
    ground.clock.set(datetime.now(UTC))
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    (first, second) = ground.open_works(asked.id)
    ground.github.faults.add("GRAPHQL Pulls", **limit)
    await ground.lane.read_repository(first)
    run = await ground.runs.get(ground.story.installation.id, asked.id)
    assert run.waiting_until is not None
    wait = run.waiting_until - ground.clock.now()
    if "reset_seconds" in limit:
        # A moment, in whole seconds of a clock that goes on meanwhile.
        assert timedelta(seconds=30) <= wait <= timedelta(seconds=41)
    else:
        assert wait == timedelta(seconds=40)
    before = len(ground.github.queries)
    await ground.lane.read_repository(second)
    assert len(ground.github.queries) == before, "the whole installation waits"
    ground.clock.advance(timedelta(seconds=41))
    run = await ground.work_off(asked.id)
    assert (run.state, run.waiting_until) == (RunState.SUCCEEDED, None)
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


async def test_a_probe_that_github_gives_up_on_is_no_repository_that_is_gone(
    ground: Ground,
) -> None:
    asked = await ground.request()
    outage = ground.github.faults.add("GRAPHQL Probe", times=20, status=502)
    for _ in range(3):
        await ground.lane.run_ingest(asked.id)
    run = await ground.runs.get(ground.story.installation.id, asked.id)
    assert (run.state, run.repositories_total) == (RunState.RUNNING, 0), "GitHub may be back"
    outage.times = 0
    run = await ground.work_off(asked.id)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


async def test_a_repository_that_no_probe_gets_through_to_is_left_out_in_the_end(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, poison = GraphQLHistory.probe, ground.story.repositories[0]

    async def probe(self: GraphQLHistory, installation_id: int, names: Sequence[str]) -> Any:
        if ground.story.world.full_name(poison) in names:
            raise TooHeavyError
        return await real(self, installation_id, names)

    monkeypatch.setattr(GraphQLHistory, "probe", probe)
    asked = await ground.request()
    for _ in range(MAX_PLANS - 1):
        await ground.lane.run_ingest(asked.id)
    assert ground.open_works(asked.id) == []
    run = await ground.work_off(asked.id)
    assert run.state is RunState.SUCCEEDED
    assert [(each.repository_id, each.reason) for each in run.troubles] == [
        (poison.id, "GITHUB_UNAVAILABLE")
    ]
    assert ground.counts() == expected([ground.activity(1)])


async def test_a_share_of_the_points_is_left_to_webhooks(ground: Ground) -> None:
    ground.clock.set(datetime.now(UTC))
    ground.github.points.limit = 10
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    for work_id in ground.open_works(asked.id):
        await ground.lane.read_repository(work_id)
    run = await ground.runs.get(ground.story.installation.id, asked.id)
    assert run.state is RunState.RUNNING
    # What the last request before cost more than was left, it took of the share.
    assert run.points_left is not None
    assert run.points_left <= 1
    assert run.waiting_until is not None
    assert run.waiting_until > ground.clock.now()
    spent = ground.github.spent
    for work_id in ground.open_works(asked.id):
        await ground.lane.read_repository(work_id)
    assert ground.github.spent == spent


@pytest.mark.fair_weather
async def test_a_thousand_unchanged_repositories_cost_at_most_forty_requests(
    ground: Ground,
) -> None:
    world, organization = ground.story.world, ground.story.organization
    made = [world.repository(organization, f"quiet{each}") for each in range(1_000)]
    with ground.database.connect() as connection:
        connection.execute(
            "INSERT INTO repositories (id, full_name, name, owner_login, organization_id)"
            " SELECT id, 'Acme/' || name, name, 'Acme', %s"
            " FROM unnest(%s::bigint[], %s::text[]) AS made (id, name)",
            [organization.id, [each.id for each in made], [each.name for each in made]],
        )
        connection.execute(
            "INSERT INTO repository_histories"
            " (repository_id, installation_id, pulls_total, issues_total, checked_at)"
            " SELECT id, %s, 0, 0, now() FROM unnest(%s::bigint[]) AS id",
            [ground.story.installation.id, [each.id for each in made]],
        )
    await ground.run()
    asked = ground.github.arrived
    run = await ground.run()
    assert (run.state, run.repositories_done) == (RunState.SUCCEEDED, 1_002)
    assert ground.github.arrived - asked == 21
    # While a token lives, the newest pages of some are asked for as well.
    ground.pause = timedelta(minutes=5)
    with ground.database.connect() as connection:
        some = [each.id for each in made[:4]]
        forget = "DELETE FROM repository_histories WHERE repository_id = ANY (%s)"
        connection.execute(forget, [some])
    for one in made[:4]:
        activity_of(world, one).commit(one.name, BEGINNING)
        await ground.run(only=one.id)
    asked, used = ground.github.arrived, ground.github.limits.bucket(ground.tokens.value).used
    run = await ground.run()
    assert (run.state, run.repositories_done) == (RunState.SUCCEEDED, 1_002)
    assert ground.github.arrived - asked == 21 + 3 * 5 <= 40
    assert ground.github.limits.bucket(ground.tokens.value).used == used


async def test_an_installation_that_is_suspended_ends_the_run_with_its_reason(
    ground: Ground,
) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    ground.story.installation.suspended_at = NOW
    for _ in range(8):
        for work_id in ground.open_works(asked.id):
            await ground.lane.read_repository(work_id)
    run = await ground.work_off(asked.id)
    assert run.state is RunState.FAILED
    assert {each.reason for each in run.troubles} == {"GITHUB_REFUSED"}


async def test_a_repository_that_went_to_another_account_is_left_out_and_keeps_its_signals(
    ground: Ground,
) -> None:
    await ground.run()
    before, world = ground.signals(), ground.story.world
    moved, other = ground.story.repositories[0], world.organization("Globex")
    world.former_names["acme/r0"] = moved.id
    moved.owner_id, moved.private = other.id, False
    activity = ground.activity(1)
    activity.commit("new", BEGINNING + timedelta(days=9))
    run = await ground.run()
    assert run.state is RunState.SUCCEEDED
    assert [(each.repository_id, each.reason, each.is_left_out) for each in run.troubles] == [
        (moved.id, "TRANSFERRED", True)
    ]
    assert [each for each in ground.signals() if each[0] == moved.id] == [
        each for each in before if each[0] == moved.id
    ]
    assert ground.counts() == expected([ground.activity(0), activity])
    assert ground.rows("SELECT gap FROM repository_histories WHERE gap IS NOT NULL") == [
        ("TRANSFERRED",)
    ]


@pytest.mark.parametrize("reason", ["APP_NOT_INSTALLED", "INSTALLATION_SUSPENDED"])
async def test_an_installation_that_is_gone_ends_the_run_at_once(
    ground: Ground, reason: str
) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    ground.tokens.refusal = RemoteError("FAILED_PRECONDITION", reason, "gone")
    run = await ground.work_off(asked.id)
    assert (run.state, run.failure_reason) == (RunState.FAILED, reason)
    assert {(each.reason, each.is_left_out) for each in run.troubles} == {(reason, True)}
    run = await ground.run()
    assert (run.state, run.failure_reason) == (RunState.FAILED, reason), "and one that begins then"


async def test_a_token_that_is_revoked_meanwhile_costs_one_request(ground: Ground) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    first, _ = ground.open_works(asked.id)
    await ground.lane.read_repository(first)
    ground.story.world.tokens[ground.tokens.value].revoked = True
    run = await ground.work_off(asked.id)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    assert [each.status for each in ground.github.asked].count(401) == 1


async def test_a_page_that_github_never_answers_leaves_one_repository_out(ground: Ground) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    first, second = ground.open_works(asked.id)
    ground.github.largest_page = 0
    for _ in range(8):
        await ground.lane.read_repository(first)
    ground.github.largest_page = None
    await ground.lane.read_repository(second)
    run = await ground.work_off(asked.id)
    assert run.state is RunState.SUCCEEDED
    assert [(each.reason, each.is_left_out) for each in run.troubles] == [
        ("GITHUB_UNAVAILABLE", True)
    ]
    assert ground.counts() == expected([ground.activity(1)])
    run = await ground.run()
    assert run.troubles == ()
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])


async def test_a_repository_that_goes_while_it_is_read_keeps_what_was_read(ground: Ground) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    gone = ground.story.repositories[0]
    ground.github.faults.add("GRAPHQL Issues", status=500)
    await ground.lane.read_repository(ground.open_works(asked.id)[0])
    del ground.story.world.repositories[gone.id]
    run = await ground.work_off(asked.id)
    assert run.state is RunState.SUCCEEDED
    assert [(each.repository_id, each.reason) for each in run.troubles] == [(gone.id, "GONE")]
    whole = expected([ground.activity(0), ground.activity(1)])
    alone = expected([ground.activity(1)])
    assert ground.counts()["commit"] == whole["commit"]
    assert ground.counts()["issue_open"] == alone["issue_open"]


async def test_replicas_share_the_repositories_of_a_run(
    ground: Ground, make_lane: Callable[[], HistoryLane]
) -> None:
    other = make_lane()
    asked = await ground.request()
    # Both get every job, as they do when one is thought to be dead: one of them reads it.
    await asyncio.gather(ground.lane.run_ingest(asked.id), other.run_ingest(asked.id))
    works = ground.open_works(asked.id)
    readers = (ground.lane.read_repository, other.read_repository)
    await asyncio.gather(*(read(work_id) for work_id in works for read in readers))
    run = await ground.work_off(asked.id)
    assert (run.state, run.repositories_done) == (RunState.SUCCEEDED, 2)
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
    assert run.new_count == sum(ground.counts().values()), "nothing was counted by both"


async def test_a_preset_reads_no_further_back(ground: Ground) -> None:
    ground.clock.set(BEGINNING + timedelta(hours=3, minutes=50))
    scope = Scope(ground.story.installation.id)
    asked = RunRequest(scope, Preset.TODAY, "tests", is_forced=True)
    run = await ground.runs.request(asked, ground.story.organization.id, ground.clock.now())
    run = await ground.work_off(run.id)
    assert run.state is RunState.SUCCEEDED
    assert ground.rows("SELECT count(*) FROM repository_histories") == [(0,)]
    ground.clock.set(NOW)
    run = await ground.run()
    assert ground.counts() == expected([ground.activity(0), ground.activity(1)])
