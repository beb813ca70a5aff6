"""What callers are told while something that scoring stands on is away."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from laurel.scoring.v1 import (
    explanation_pb2,
    preset_pb2,
    preview_pb2,
    range_pb2,
    scoring_pb2,
)
from laurel_common.errors import RemoteError, RetryableError
from laurel_scoring.domain.roster import Roster
from tests.rpc.scoring.conftest import Service
from tests.support.database import Database
from tests.support.scoring_builders import AS_OF, a_signal


class Away(RetryableError):
    """A service that can't be reached."""

    reason = "DEPENDENCY_UNAVAILABLE"


@pytest.fixture(autouse=True)
def activity(service: Service) -> None:
    service.peers.identity.roster = Roster(77, frozenset({1}))
    service.peers.ingest.signals = [a_signal(at=AS_OF - timedelta(hours=1))]


@pytest.mark.parametrize("method", ["ListMaterializations", "StreamSignals", "GetInstallation"])
async def test_an_explanation_says_that_another_service_is_away(
    service: Service, method: str
) -> None:
    await service.score()
    service.peers.failures.next(method, *(Away() for _ in range(8)))
    with pytest.raises(RemoteError) as refused:
        await service.explain(1)
    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
    assert refused.value.retry_after


def close_database(database: Database) -> None:
    """Lets nobody in any more, and throws out whoever is."""
    name = sql.Identifier(database.name)
    with psycopg.connect(database.endpoints.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()",
            (database.name,),
        )


def open_database(database: Database) -> None:
    """Lets everybody in again."""
    name = sql.Identifier(database.name)
    with psycopg.connect(database.endpoints.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(name))


async def start(service: Service) -> object:
    return await service.start()


async def get(service: Service) -> object:
    return await service.get(1)


async def get_preset(service: Service) -> object:
    return await service.presets.GetPreset(
        preset_pb2.GetPresetRequest(installation_id=service.installation)
    )


async def list_presets(service: Service) -> object:
    return await service.presets.ListPresets(
        preset_pb2.ListPresetsRequest(installation_id=service.installation)
    )


async def explain(service: Service) -> object:
    return await service.explain(1)


def a_range(service: Service) -> range_pb2.RangeBoard:
    board = service.board()
    window = range_pb2.RangeBoard(
        installation_id=board.installation_id,
        scope_type=board.scope_type,
        entity_type=board.entity_type,
    )
    window.start_time.FromDatetime(AS_OF - timedelta(days=1))
    window.end_time.FromDatetime(AS_OF)
    return window


async def score_range(service: Service) -> object:
    return await service.scoring.ScoreRange(range_pb2.ScoreRangeRequest(range=a_range(service)))


async def explain_range(service: Service) -> object:
    request = explanation_pb2.ExplainScoreRequest(range=a_range(service), entity_id=1)
    return [each async for each in service.scoring.ExplainScore(request)]


async def preview(service: Service) -> object:
    rules = preset_pb2.Rules(base_points=[preset_pb2.BasePoints(type=1, points_e4=10_000)])  # type: ignore[arg-type]  # the wire's number
    request = preview_pb2.PreviewRulesRequest(board=service.board(), rules=rules)
    return [each async for each in service.scoring.PreviewRules(request)]


async def create_preset(service: Service) -> object:
    return await service.presets.CreatePreset(
        preset_pb2.CreatePresetRequest(installation_id=service.installation, name="bold")
    )


async def update_preset(service: Service) -> object:
    return await service.presets.UpdatePreset(
        preset_pb2.UpdatePresetRequest(
            installation_id=service.installation, preset_id=1, name="bold", etag="1-1"
        )
    )


async def delete_preset(service: Service) -> object:
    return await service.presets.DeletePreset(
        preset_pb2.DeletePresetRequest(installation_id=service.installation, preset_id=1)
    )


async def activate_preset(service: Service) -> object:
    return await service.presets.ActivatePreset(
        preset_pb2.ActivatePresetRequest(installation_id=service.installation, preset_id=1)
    )


CALLS = [
    start,
    get,
    get_preset,
    list_presets,
    create_preset,
    update_preset,
    delete_preset,
    activate_preset,
    score_range,
    explain_range,
    preview,
]


@pytest.mark.parametrize("method", ["StreamSignals", "GetInstallation", "BatchGetUsers"])
async def test_what_is_computed_when_asked_for_says_that_another_service_is_away(
    service: Service, method: str
) -> None:
    for call in (score_range, explain_range, preview):
        service.peers.failures.queued[method] = [Away() for _ in range(8)]
        with pytest.raises(RemoteError) as refused:
            await call(service)
        told = refused.value.code, refused.value.reason
        assert told == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
        assert refused.value.retry_after
        # Nothing of it is left behind: no place taken, no computation that failed.
        service.peers.failures.queued.clear()
        assert await call(service)


async def test_an_explanation_says_that_the_database_is_away(service: Service) -> None:
    # The board is there: what is away is what says which run made it.
    await service.score()
    close_database(service.database)
    with pytest.raises(RemoteError) as refused:
        await explain(service)
    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_says_that_the_database_is_away(
    service: Service, call: Callable[[Service], Awaitable[object]]
) -> None:
    close_database(service.database)
    with pytest.raises(RemoteError) as refused:
        await call(service)
    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")


async def test_the_worker_comes_back_with_the_database(service: Service) -> None:
    assert (await service.score()).state == scoring_pb2.SCORING_STATE_SUCCEEDED
    close_database(service.database)
    with pytest.raises(RemoteError):
        await service.start()
    open_database(service.database)
    assert (await service.score()).state == scoring_pb2.SCORING_STATE_SUCCEEDED
