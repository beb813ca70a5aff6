"""Ingest's methods for signed-in users: admins, members, and people of another tenant."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from laurel.ingest.v1 import ingest_pb2_grpc, signal_corrections_pb2, signal_pb2_grpc
from laurel.ingest.v1 import ingest_runs_pb2 as pb
from laurel_common.auth.access import Access
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import ACCOUNT_ID, REPOSITORY_ID
from tests.support.users import TOKEN

INSTALLATION_ID = 77
Call = Callable[[Any, Any], Awaitable[Any]]


async def _first(stream: Any) -> Any:
    return await anext(aiter(stream))


def _of(request: type, **fields: Any) -> Any:
    return request(installation_id=INSTALLATION_ID, **fields)


CHANGES: dict[str, Call] = {
    "StartIngest": lambda runs, _: runs.StartIngest(_of(pb.StartIngestRequest)),
    "CancelIngest": lambda runs, _: runs.CancelIngest(_of(pb.CancelIngestRequest, ingest_id=1)),
    "FlagSpam": lambda _, signals: signals.FlagSpam(
        _of(signal_corrections_pb2.FlagSpamRequest, signal_id=1)
    ),
    "UnflagSpam": lambda _, signals: signals.UnflagSpam(
        _of(signal_corrections_pb2.UnflagSpamRequest, signal_id=1)
    ),
    "UpdateBots": lambda _, signals: signals.UpdateBots(
        _of(signal_corrections_pb2.UpdateBotsRequest, add_user_ids=[3])
    ),
}
READS: dict[str, Call] = {
    "GetIngest": lambda runs, _: runs.GetIngest(_of(pb.GetIngestRequest, ingest_id=1)),
    "ListIngests": lambda runs, _: runs.ListIngests(_of(pb.ListIngestsRequest)),
    "WatchIngest": lambda runs, _: _first(
        runs.WatchIngest(_of(pb.WatchIngestRequest, ingest_id=1))
    ),
    "GetCoverage": lambda runs, _: runs.GetCoverage(_of(pb.GetCoverageRequest)),
    "SummarizeCoverage": lambda runs, _: runs.SummarizeCoverage(_of(pb.SummarizeCoverageRequest)),
    "ListBots": lambda _, signals: signals.ListBots(_of(signal_corrections_pb2.ListBotsRequest)),
}


@pytest.fixture
def stubs(service: Service, world: None) -> tuple[Any, Any]:
    """IngestService and SignalService as the user reaches them, and an installation."""
    with service.database.connect() as connection:
        connection.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 1, %s)",
            [INSTALLATION_ID, ACCOUNT_ID],
        )
    channel = service.server.channel_with(StaticToken(TOKEN))
    return (
        ingest_pb2_grpc.IngestServiceStub(channel),
        signal_pb2_grpc.SignalServiceStub(channel),
    )


async def refusal(call: Call, stubs: tuple[Any, Any]) -> str:
    with pytest.raises(RemoteError) as refused:
        await call(*stubs)
    return refused.value.reason


async def test_members_read_and_change_nothing(service: Service, stubs: tuple[Any, Any]) -> None:
    for name, call in CHANGES.items():
        assert await refusal(call, stubs) == "CALLER_NOT_ALLOWED", name
    for name in ("ListIngests", "GetCoverage", "SummarizeCoverage", "ListBots"):
        assert await READS[name](*stubs) is not None
    for name in ("GetIngest", "WatchIngest"):
        assert await refusal(READS[name], stubs) == "INGEST_NOT_FOUND"


async def test_another_tenants_people_find_nothing(
    service: Service, stubs: tuple[Any, Any]
) -> None:
    service.user.access_of_user = Access(is_admin=True)
    service.user.strange.add(INSTALLATION_ID)
    for name, call in (CHANGES | READS).items():
        assert await refusal(call, stubs) == "INSTALLATION_NOT_FOUND", name


async def test_outside_collaborators_learn_nothing_of_runs_and_bots(
    service: Service, stubs: tuple[Any, Any]
) -> None:
    service.user.access_of_user = Access(readable_repositories=frozenset({REPOSITORY_ID}))
    for name, call in (CHANGES | READS).items():
        assert await refusal(call, stubs) in {"CALLER_NOT_ALLOWED", "INSTALLATION_NOT_FOUND"}, name


async def test_admins_start_and_cancel_runs_and_name_bots_but_force_nothing(
    service: Service, stubs: tuple[Any, Any]
) -> None:
    service.user.access_of_user = Access(is_admin=True)
    runs, _ = stubs
    forced = pb.StartIngestRequest(installation_id=INSTALLATION_ID, force=True)
    assert await refusal(lambda *_: runs.StartIngest(forced), stubs) == "CALLER_NOT_ALLOWED"
    started = (await CHANGES["StartIngest"](*stubs)).ingest
    cancel = pb.CancelIngestRequest(installation_id=INSTALLATION_ID, ingest_id=started.id)
    assert (await runs.CancelIngest(cancel)).ingest.state == pb.INGEST_STATE_CANCELLED
    await CHANGES["UpdateBots"](*stubs)
    with service.database.connect() as connection:
        by = connection.execute("SELECT requested_by FROM ingest_runs").fetchall()
        audited = connection.execute(
            "SELECT action, user_id, actor_kind, actor_name FROM signal_corrections"
        ).fetchall()
    assert by == [("ada",)]
    assert audited == [("bot_added", 3, "user", "ada")]


async def test_what_is_hidden_from_a_user_is_neither_counted_nor_named(
    service: Service, stubs: tuple[Any, Any]
) -> None:
    runs, _ = stubs
    with service.database.connect() as connection:
        connection.execute(
            "INSERT INTO repository_histories"
            " (repository_id, installation_id, pulls_total, issues_total, checked_at)"
            " SELECT id, %s, 1, 1, now() FROM unnest(%s::bigint[]) AS id",
            [INSTALLATION_ID, [REPOSITORY_ID, REPOSITORY_ID + 1]],
        )
    service.user.access_of_user = Access(hidden_repositories=frozenset({REPOSITORY_ID}))
    coverage = await READS["GetCoverage"](*stubs)
    assert [each.repository_id for each in coverage.repositories] == [REPOSITORY_ID + 1]
    of_all = (await READS["SummarizeCoverage"](*stubs)).summary
    assert (of_all.repository_count, of_all.total_count) == (2, 4)
    assert of_all.line == "2 of 2 repositories whole, 4 of 4 commits, pull requests and issues"
    hidden = _of(pb.SummarizeCoverageRequest, repository_id=REPOSITORY_ID)
    assert (await runs.SummarizeCoverage(hidden)).summary.repository_count == 0
