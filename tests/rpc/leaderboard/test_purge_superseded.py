"""PurgeSuperseded over the wire."""

from datetime import datetime, timedelta

import pytest

from laurel.leaderboard.v1 import materialization_pb2_grpc
from laurel.leaderboard.v1.materialization_pb2 import (
    RETENTION_STATE_CURRENT,
    RETENTION_STATE_PURGED,
    RETENTION_STATE_SUPERSEDED,
    ListMaterializationsRequest,
    PurgeSupersededRequest,
)
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.application import purge_superseded
from tests.rpc.leaderboard.conftest import Service
from tests.support.database import Database
from tests.support.leaderboard_builders import INSTALLATION, BoardOf, stream_of

HOUR = timedelta(hours=1)


async def purge(service: Service, before: datetime | None = None) -> int:
    request = PurgeSupersededRequest()
    if before is not None:
        request.before_time.FromDatetime(before)
    return int((await service.versions.PurgeSuperseded(request)).purged_count)


async def states(service: Service) -> list[int]:
    answer = await service.versions.ListMaterializations(
        ListMaterializationsRequest(installation_id=INSTALLATION)
    )
    return [each.retention_state for each in answer.materializations]


async def versions(service: Service, count: int) -> None:
    """That many versions of a board, an hour apart."""
    for n in range(count):
        await service.publish(*stream_of(BoardOf({1: n}), as_of=service.clock.now()))
        service.clock.advance(HOUR)


async def test_what_is_past_its_retention_is_purged(service: Service) -> None:
    await versions(service, 3)
    assert await purge(service) == 0
    # The first was replaced two hours ago, the second one hour ago.
    service.clock.advance(22 * HOUR)
    assert await purge(service) == 0
    service.clock.advance(timedelta(microseconds=1))
    assert await purge(service) == 1
    assert await states(service) == [
        RETENTION_STATE_CURRENT,
        RETENTION_STATE_SUPERSEDED,
        RETENTION_STATE_PURGED,
    ]
    assert await purge(service) == 0


async def test_what_ran_out_later_than_asked_stays(service: Service) -> None:
    await versions(service, 3)
    now = service.clock.advance(48 * HOUR)
    assert await purge(service, now - 25 * HOUR) == 1
    assert await purge(service, now) == 1


async def test_everything_goes_slice_by_slice(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_superseded, "SLICE", 2)
    await versions(service, 6)
    service.clock.advance(48 * HOUR)
    assert await purge(service) == 5
    assert await states(service) == [RETENTION_STATE_CURRENT] + 5 * [RETENTION_STATE_PURGED]


async def test_days_are_written_before_their_versions_go(
    service: Service, database: Database
) -> None:
    await versions(service, 2)
    service.clock.advance(72 * HOUR)
    assert await purge(service) == 1
    with database.connect() as connection:
        found = connection.execute("SELECT count(*) FROM leaderboard_history_days").fetchone()
        assert found == (3,)


async def test_nothing_goes_while_another_replica_writes_a_day(
    service: Service, database: Database
) -> None:
    await versions(service, 2)
    service.clock.advance(72 * HOUR)
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('laurel.leaderboard.history', 0))")
        with pytest.raises(RemoteError) as failed:
            await purge(service)
    assert (failed.value.code, failed.value.reason) == ("ABORTED", "CONCURRENT_CHANGE")
    assert RETENTION_STATE_PURGED not in await states(service)


async def test_what_is_still_to_run_out_is_not_asked_for(service: Service) -> None:
    with pytest.raises(RemoteError) as failed:
        await purge(service, service.clock.now() + timedelta(microseconds=1))
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == ["before_time"]


async def test_an_instant_beyond_the_calendar_is_refused(service: Service) -> None:
    request = PurgeSupersededRequest()
    request.before_time.seconds = 10**15
    with pytest.raises(RemoteError) as failed:
        await service.versions.PurgeSuperseded(request)
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == ["before_time"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (PrincipalKind.SERVICE, "scoring"),
        (PrincipalKind.BACKEND, "backend"),
        (PrincipalKind.GATEWAY, "gateway"),
    ],
)
async def test_nobody_but_operators_purges(
    service: Service, kind: PrincipalKind, name: str
) -> None:
    channel = service.channel(kind, name=name)
    stub = materialization_pb2_grpc.MaterializationServiceStub(channel)
    with pytest.raises(RemoteError) as failed:
        await stub.PurgeSuperseded(PurgeSupersededRequest())
    assert (failed.value.code, failed.value.reason) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
