"""IngestService through its stub."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from laurel.common.v1 import types_pb2
from laurel.ingest.v1 import ingest_pb2_grpc
from laurel.ingest.v1 import ingest_runs_pb2 as pb
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_ingest.history_lane import HistoryLane
from laurel_ingest.rpc import convert_ingest_runs as convert
from tests.rpc.ingest.conftest import NOW, Service
from tests.support.ingest_builders import ACCOUNT_ID, REPOSITORY_ID
from tests.support.stack_running import until
from tests.support.unread import WINDOW, ended, unread

INSTALLATION_ID = 77
Stub = ingest_pb2_grpc.IngestServiceStub


@pytest.fixture
def operator(service: Service, world: None) -> Stub:
    with service.database.connect() as connection:
        connection.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 1, %s)",
            [INSTALLATION_ID, ACCOUNT_ID],
        )
    return Stub(service.server.channel(PrincipalKind.OPERATOR))


async def start(stub: Stub, **changes: object) -> pb.Ingest:
    wanted = {"installation_id": INSTALLATION_ID, **changes}
    request = pb.StartIngestRequest(**wanted)  # type: ignore[arg-type]  # a test's own
    answer: pb.StartIngestResponse = await stub.StartIngest(request)
    return answer.ingest


async def succeed(service: Service, run: pb.Ingest) -> None:
    """The end of a run whose repositories have all been read."""
    with service.database.connect() as connection:
        connection.execute(
            "UPDATE ingest_runs SET state = 'running', started_at = now(), is_planned = true"
            " WHERE id = %s",
            [run.id],
        )
    lane: HistoryLane = service.inner.history
    await lane.run_ingest(run.id)


async def test_a_run_is_answered_at_once_and_can_be_read(operator: Stub) -> None:
    run = await start(operator, time_period=types_pb2.TIME_PERIOD_MONTH)
    assert run.state == pb.INGEST_STATE_QUEUED
    assert run.create_time.ToDatetime() == NOW.replace(tzinfo=None)
    key = {"installation_id": INSTALLATION_ID, "ingest_id": run.id}
    assert (await operator.GetIngest(pb.GetIngestRequest(**key))).ingest == run
    listed = await operator.ListIngests(pb.ListIngestsRequest(installation_id=INSTALLATION_ID))
    assert list(listed.ingests) == [run]


async def test_a_repeated_request_is_answered_with_the_first_ones_run(operator: Stub) -> None:
    first = await start(operator, request_id="once")
    assert (await start(operator, request_id="once")).id == first.id


async def test_one_run_of_a_scope_at_a_time(operator: Stub) -> None:
    await start(operator)
    await start(operator, repository_id=REPOSITORY_ID)
    for scope in ({}, {"repository_id": REPOSITORY_ID}):
        with pytest.raises(RemoteError) as refused:
            await start(operator, **scope)
        assert (refused.value.code, refused.value.reason) == (
            "FAILED_PRECONDITION",
            "INGEST_RUNNING",
        )


async def test_a_scope_cools_down_for_a_day_unless_an_operator_forces_it(
    service: Service, operator: Stub
) -> None:
    await succeed(service, await start(operator))
    with pytest.raises(RemoteError) as refused:
        await start(operator)
    assert (refused.value.code, refused.value.reason) == (
        "RESOURCE_EXHAUSTED",
        "INGEST_COOLING_DOWN",
    )
    assert refused.value.retry_after is not None
    assert refused.value.retry_after.total_seconds() == 86_400
    assert (await start(operator, force=True)).state == pb.INGEST_STATE_QUEUED


@pytest.mark.parametrize(
    ("scope", "code", "reason"),
    [
        ({"installation_id": 4711}, "NOT_FOUND", "INSTALLATION_NOT_FOUND"),
        ({"repository_id": 4711}, "NOT_FOUND", "REPOSITORY_NOT_FOUND"),
        ({"team_id": 4711}, "NOT_FOUND", "TEAM_NOT_FOUND"),
        ({"installation_id": -1}, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ({"time_period": 99}, "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ({"request_id": "x" * 65}, "INVALID_ARGUMENT", "INVALID_REQUEST"),
    ],
    ids=str,
)
async def test_what_is_not_there_is_not_read(
    operator: Stub, scope: dict[str, int], code: str, reason: str
) -> None:
    request = pb.StartIngestRequest(**{"installation_id": INSTALLATION_ID, **scope})  # type: ignore[arg-type]  # a test's own
    with pytest.raises(RemoteError) as refused:
        await operator.StartIngest(request)
    assert (refused.value.code, refused.value.reason) == (code, reason)


async def test_a_watched_run_is_told_until_it_is_over(service: Service, operator: Stub) -> None:
    run = await start(operator)
    request = pb.WatchIngestRequest(installation_id=INSTALLATION_ID, ingest_id=run.id)
    answers: AsyncIterator[pb.WatchIngestResponse] = aiter(operator.WatchIngest(request))
    assert (await anext(answers)).ingest == run
    cancel = pb.CancelIngestRequest(installation_id=INSTALLATION_ID, ingest_id=run.id)
    ended = (await operator.CancelIngest(cancel)).ingest
    assert ended.state == pb.INGEST_STATE_CANCELLED
    assert [each.ingest async for each in answers] == [ended]
    assert (await operator.CancelIngest(cancel)).ingest == ended


async def test_an_ended_run_is_told_once_to_whoever_watches_it(
    service: Service, operator: Stub
) -> None:
    run = await start(operator)
    await succeed(service, run)
    request = pb.WatchIngestRequest(installation_id=INSTALLATION_ID, ingest_id=run.id)
    (only,) = [each.ingest async for each in operator.WatchIngest(request)]
    assert only.state == pb.INGEST_STATE_SUCCEEDED
    key = {"installation_id": INSTALLATION_ID, "ingest_id": run.id}
    assert (await operator.CancelIngest(pb.CancelIngestRequest(**key))).ingest == only


async def test_those_who_ask_at_once_get_one_run(service: Service, operator: Stub) -> None:
    again = Stub(service.server.channel(PrincipalKind.OPERATOR))
    asked = [start(each, request_id="once") for each in (operator, again) * 4]
    assert len({each.id for each in await asyncio.gather(*asked)}) == 1
    scopes = [start(each, repository_id=REPOSITORY_ID) for each in (operator, again) * 4]
    answers = await asyncio.gather(*scopes, return_exceptions=True)
    refused = [each.reason for each in answers if isinstance(each, RemoteError)]
    assert refused == ["INGEST_RUNNING"] * 7
    listed = await operator.ListIngests(pb.ListIngestsRequest(installation_id=INSTALLATION_ID))
    assert len(listed.ingests) == 2


async def test_nothing_of_a_run_leads_from_one_tenant_to_another(
    service: Service, operator: Stub
) -> None:
    with service.database.connect() as owner:
        owner.execute("INSERT INTO organizations (id, login) VALUES (4712, 'globex')")
        owner.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (4711, 1, 4712)"
        )
        owner.execute(
            "INSERT INTO repository_histories (repository_id, installation_id, checked_at)"
            " SELECT %s + n, %s, now() FROM generate_series(0, 1) AS n",
            [REPOSITORY_ID, INSTALLATION_ID],
        )
    run = await start(operator)
    await start(operator, repository_id=REPOSITORY_ID)
    stolen = {"installation_id": 4711, "ingest_id": run.id}
    for call in (
        operator.GetIngest(pb.GetIngestRequest(**stolen)),
        operator.CancelIngest(pb.CancelIngestRequest(**stolen)),
        anext(aiter(operator.WatchIngest(pb.WatchIngestRequest(**stolen)))),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.reason == "INGEST_NOT_FOUND"
    with pytest.raises(RemoteError) as refused:
        await start(operator, installation_id=4711, repository_id=REPOSITORY_ID)
    assert refused.value.reason == "REPOSITORY_NOT_FOUND"
    key = {"installation_id": INSTALLATION_ID, "ingest_id": run.id}
    still = (await operator.GetIngest(pb.GetIngestRequest(**key))).ingest
    assert still.state == pb.INGEST_STATE_QUEUED

    mine: dict[str, Any] = {"installation_id": INSTALLATION_ID, "page_size": 1}
    runs = (await operator.ListIngests(pb.ListIngestsRequest(**mine))).next_page_token
    covered = (await operator.GetCoverage(pb.GetCoverageRequest(**mine))).next_page_token
    assert runs
    assert covered
    for asking in (
        operator.ListIngests(pb.ListIngestsRequest(installation_id=4711, page_token=runs)),
        operator.GetCoverage(pb.GetCoverageRequest(installation_id=4711, page_token=covered)),
        # Nor from one list to another.
        operator.ListIngests(pb.ListIngestsRequest(**mine, page_token=covered)),
        operator.GetCoverage(pb.GetCoverageRequest(**mine, page_token=runs)),
    ):
        with pytest.raises(RemoteError) as refused:
            await asking
        assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_what_ends_a_watch_has_a_reason(
    service: Service, operator: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await start(operator)
    request = pb.WatchIngestRequest(installation_id=INSTALLATION_ID, ingest_id=run.id)
    stopped = operator.WatchIngest(request)
    await anext(aiter(stopped))
    # One takes nothing of what it is told.
    monkeypatch.setattr(convert, "ingest", lambda _: pb.Ingest(failure_reason="x" * WINDOW))
    async with unread(service.server) as caller:
        slow = caller.watch(Stub(caller.channel).WatchIngest, request)
        metrics = service.server.server.metrics
        await until(metrics.cut_offs.total, "it is cut off")
        taken, why = await ended(slow)
    assert (len(taken), why) == (1, ("RESOURCE_EXHAUSTED", "READER_TOO_SLOW"))
    # The server stops.
    service.server.server.endless.stop()
    assert await ended(stopped) == ([], ("UNAVAILABLE", "NOT_SERVING"))


async def test_a_run_that_is_erased_ends_its_watches(service: Service, operator: Stub) -> None:
    run = await start(operator)
    request = pb.WatchIngestRequest(installation_id=INSTALLATION_ID, ingest_id=run.id)
    stream = operator.WatchIngest(request)
    await anext(aiter(stream))
    with service.database.connect() as connection:
        connection.execute("DELETE FROM ingest_runs")
    assert await ended(stream) == ([], ("NOT_FOUND", "INGEST_NOT_FOUND"))


async def test_pages_of_runs_follow_each_other(operator: Stub) -> None:
    ids = [(await start(operator)).id]
    ids.append((await start(operator, repository_id=REPOSITORY_ID)).id)
    request = pb.ListIngestsRequest(installation_id=INSTALLATION_ID, page_size=1)
    first = await operator.ListIngests(request)
    request.page_token = first.next_page_token
    second = await operator.ListIngests(request)
    assert [each.id for each in (*first.ingests, *second.ingests)] == ids[::-1]
    assert second.next_page_token == ""
    request.page_token += "x"
    with pytest.raises(RemoteError) as refused:
        await operator.ListIngests(request)
    assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_a_run_that_is_not_there_is_not_found(operator: Stub) -> None:
    key = {"installation_id": INSTALLATION_ID, "ingest_id": 9}
    for call in (
        operator.GetIngest(pb.GetIngestRequest(**key)),
        operator.CancelIngest(pb.CancelIngestRequest(**key)),
        anext(aiter(operator.WatchIngest(pb.WatchIngestRequest(**key)))),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "INGEST_NOT_FOUND")


@pytest.mark.parametrize("kind", [PrincipalKind.BACKEND, PrincipalKind.SERVICE])
async def test_only_admins_and_operators_start_and_cancel(
    service: Service, operator: Stub, kind: PrincipalKind
) -> None:
    stub = Stub(service.server.channel(kind))
    for call in (
        stub.StartIngest(pb.StartIngestRequest(installation_id=INSTALLATION_ID)),
        stub.CancelIngest(pb.CancelIngestRequest(installation_id=INSTALLATION_ID, ingest_id=1)),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_coverage_counts_what_is_known_against_what_github_has(
    service: Service, operator: Stub
) -> None:
    with service.database.connect() as connection:
        connection.execute(
            "INSERT INTO repository_histories (repository_id, installation_id, head_sha, walked_at,"
            " commits_total, pulls_total, issues_total, checked_at)"
            " VALUES (%s, %s, 'a', now(), 3, 2, 1, now())",
            [REPOSITORY_ID, INSTALLATION_ID],
        )
        connection.execute(
            "INSERT INTO repository_histories (repository_id, installation_id, gap, checked_at)"
            " VALUES (%s, %s, 'GONE', now())",
            [REPOSITORY_ID + 1, INSTALLATION_ID],
        )
        connection.execute(
            "INSERT INTO repository_facts (repository_id, kind, key, standing, body) VALUES"
            " (%(id)s, 'commit', 'a', 3, '{\"walked\": [3, 1, true]}'),"
            " (%(id)s, 'commit', 'b', 3, '{\"walked\": [3, 1, false]}'),"
            " (%(id)s, 'pull_request', '1', 3, '{}'),"
            " (%(id)s, 'pull_request', '2', 3, '{\"is_deleted\": [3, 1, true]}')",
            {"id": REPOSITORY_ID},
        )
    request = pb.GetCoverageRequest(installation_id=INSTALLATION_ID, page_size=1)
    first = await operator.GetCoverage(request)
    request.page_token = first.next_page_token
    second = await operator.GetCoverage(request)
    (read,), (gone,) = first.repositories, second.repositories
    assert (read.commits.known, read.commits.total) == (1, 3)
    assert (read.pull_requests.known, read.pull_requests.total) == (1, 2)
    assert (read.issues.known, read.issues.total, read.gap) == (0, 1, "")
    assert (gone.gap, gone.commits.HasField("total")) == ("GONE", False)
