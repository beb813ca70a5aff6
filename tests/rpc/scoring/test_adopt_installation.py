"""PresetService.AdoptInstallation: an installation's presets become another one's, and score it."""

from typing import Any

import pytest

from laurel.scoring.v1 import preset_moves_pb2 as moves
from laurel.scoring.v1 import preset_pb2_grpc, scoring_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from tests.rpc.scoring.conftest import Service
from tests.rpc.scoring.preset_calls import (
    activate,
    audit,
    create,
    get,
    refused,
    told,
)
from tests.support.scoring_builders import a_signal
from tests.support.scoring_database import an_installation


def identity(service: Service) -> preset_pb2_grpc.PresetServiceStub:
    return preset_pb2_grpc.PresetServiceStub(
        service.channel(PrincipalKind.SERVICE, name="identity")
    )


async def adopt(service: Service, later: int) -> moves.AdoptInstallationResponse:
    return await identity(service).AdoptInstallation(
        moves.AdoptInstallationRequest(
            from_installation_id=service.installation, into_installation_id=later
        )
    )


async def names(service: Service, installation_id: int) -> dict[str, tuple[int, bool]]:
    """(id, whether it is active) by name; nothing is made by asking."""
    with service.database.connect() as owner:
        rows = owner.execute(
            "SELECT preset_name, id, is_active FROM scoring_presets WHERE installation_id = %s",
            [installation_id],
        ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}


async def test_the_moved_presets_win_and_score_their_new_installation(service: Service) -> None:
    service.peers.ingest.signals = [a_signal()]
    bold = await create(service)
    await activate(service, bold)
    scored = await service.score()
    former, later = service.installation, an_installation(service.database, 8)
    # The later one has presets of its own by now: `default`, and another one.
    service.installation = later
    own = await create(service, "own")
    lost = await get(service)
    service.installation = former
    moved = await names(service, former)
    done = await adopt(service, later)
    assert done.adopted_preset_count == 2
    assert await names(service, former) == {}
    assert await names(service, later) == moved | {"own": (own.id, False)}
    service.installation = later
    assert (await get(service)).id == bold.id
    run = await service.ended(done.scoring_id)
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    assert (await service.get(scored.id)).id == scored.id, "past runs moved along"
    assert [row[:3] for row in audit(service)] == [
        ("created", "bold", "operator"),
        ("activated", "bold", "operator"),
        ("created", "own", "operator"),
        ("deleted", "default", "service"),
    ]
    with service.database.connect() as owner:
        assert owner.execute(
            "SELECT DISTINCT installation_id FROM scoring_preset_changes"
        ).fetchall() == [(later,)]
        assert (
            owner.execute("SELECT id FROM scoring_presets WHERE id = %s", [lost.id]).rowcount == 0
        )
        assert owner.execute("SELECT DISTINCT installation_id FROM scoring_checks").fetchall() == [
            (later,)
        ]
    # Again, and with nothing to adopt: nothing happens.
    service.installation = former
    again = await adopt(service, later)
    assert (again.adopted_preset_count, again.scoring_id) == (0, 0)
    assert await names(service, later) == moved | {"own": (own.id, False)}


async def test_a_run_of_the_former_one_ends(service: Service) -> None:
    later = an_installation(service.database, 8)
    service.peers.ingest.signals = [a_signal()]
    await service.score()
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO scoring_runs (installation_id, requested_by, reason)"
            " VALUES (%s, 'tests', 'requested')",
            [service.installation],
        )
    await adopt(service, later)
    with service.database.connect() as owner:
        open_runs = owner.execute(
            "SELECT FROM scoring_runs WHERE state IN ('queued', 'running')"
            " AND installation_id = %s",
            [service.installation],
        ).rowcount
    assert open_runs == 0


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param((7, 7), ("INVALID_ARGUMENT", "INVALID_REQUEST"), id="itself"),
        pytest.param((0, 7), ("INVALID_ARGUMENT", "INVALID_REQUEST"), id="nobody"),
        pytest.param((None, 404), ("NOT_FOUND", "INSTALLATION_NOT_FOUND"), id="into nothing"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    service: Service, request_: tuple[int | None, int], expected: tuple[str, str]
) -> None:
    await get(service)
    former, later = request_
    request = moves.AdoptInstallationRequest(
        from_installation_id=service.installation if former is None else former,
        into_installation_id=later,
    )
    assert told(await refused(identity(service).AdoptInstallation(request))) == expected
    assert "default" in await names(service, service.installation)


async def test_only_identity_may_have_presets_adopted(service: Service) -> None:
    request = moves.AdoptInstallationRequest(from_installation_id=1, into_installation_id=2)
    channels: list[Any] = [
        service.channel(PrincipalKind.OPERATOR),
        service.channel(PrincipalKind.BACKEND),
        service.channel(PrincipalKind.GATEWAY),
        service.channel(PrincipalKind.SERVICE, name="ingest"),
    ]
    for channel in channels:
        error = await refused(preset_pb2_grpc.PresetServiceStub(channel).AdoptInstallation(request))
        assert told(error) == ("PERMISSION_DENIED", "CALLER_NOT_ALLOWED")
    nobody = service.server.channel_with(StaticToken("0" * 64))
    error = await refused(preset_pb2_grpc.PresetServiceStub(nobody).AdoptInstallation(request))
    assert told(error) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
