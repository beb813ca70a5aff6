"""AdoptInstallation: what was an installation's is another one's, at once and without a loss."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from laurel.ingest.v1 import signal_corrections_pb2, signal_pb2_grpc
from laurel.ingest.v1 import signal_entities_pb2 as pb
from laurel.ingest.v1.signal_moves_pb2 import AdoptInstallationRequest, AdoptInstallationResponse
from laurel.ingest.v1.signal_reads_pb2 import ListSignalsRequest, StreamSignalsRequest
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_ingest.application.adopt_installation import Move
from laurel_ingest.application.turns import Turn
from laurel_ingest.storage import signal_slices
from tests.rpc.ingest.conftest import Service
from tests.rpc.ingest.test_read_signals import _rows, world_of_signals
from tests.support.ingest_builders import (
    ACCOUNT_ID,
    INSTALLATION_ID,
    REPOSITORY_ID,
    new_signal,
    sha,
)

pytestmark = pytest.mark.usefixtures("world")

APP = 4711  # the App's own installation on the account


@pytest.fixture(autouse=True)
def installed(service: Service, world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The App on the account, and slices that a test can count."""
    monkeypatch.setattr(signal_slices, "SLICE", 15)
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 9, %s)",
            [APP, ACCOUNT_ID],
        )


def identity(service: Service) -> signal_pb2_grpc.SignalServiceStub:
    return signal_pb2_grpc.SignalServiceStub(
        service.server.channel(PrincipalKind.SERVICE, name="identity")
    )


async def adopt(service: Service, **changes: Any) -> AdoptInstallationResponse:
    values = {
        "from_installation_id": INSTALLATION_ID,
        "into_installation_id": APP,
        **changes,
    }
    return await identity(service).AdoptInstallation(AdoptInstallationRequest(**values))


async def begun(service: Service, repository_id: int = 0) -> None:
    """As a call leaves it that died after its first slice."""
    move = Move(INSTALLATION_ID, APP, repository_id)
    do = service.inner.adopt_installation
    do.turn = Turn(seconds=0)
    done = await do(move)
    assert not done.is_complete
    do.turn = Turn()


async def held(service: Service, installation_id: int) -> dict[bytes, dict[str, Any]]:
    """What scoring reads of an installation, by content hash."""
    request = StreamSignalsRequest(installation_id=installation_id)
    answers = [each async for each in service.scoring.StreamSignals(request)]
    rows = _rows(answers[1:], "arrow")
    keyed = {row["content_hash"]: row for row in rows}
    assert len(keyed) == len(rows), "nothing twice"
    return keyed


def stored(service: Service) -> set[tuple[Any, ...]]:
    """(installation of the signal, of its key, count)."""
    with service.database.connect() as owner:
        return set(
            owner.execute(
                "SELECT s.installation_id, k.installation_id, count(*) FROM signals AS s"
                " JOIN signal_keys AS k ON k.content_hash = decode(s.content_hash, 'hex')"
                "   AND k.user_id = CASE s.type WHEN 'commit' THEN s.user_id ELSE 0 END"
                " GROUP BY 1, 2"
            ).fetchall()
        )


def rows(service: Service, query: str, values: Sequence[Any] = ()) -> list[Any]:
    with service.database.connect() as owner:
        return owner.execute(query, values).fetchall()


async def test_everything_moves_and_boards_follow(service: Service) -> None:
    await service.write(world_of_signals())
    before = await held(service, INSTALLATION_ID)
    await service.operator.UpdateBots(
        signal_corrections_pb2.UpdateBotsRequest(installation_id=INSTALLATION_ID, add_user_ids=[4])
    )
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO ingest_runs (installation_id, organization_id, requested_by, requested_at)"
            " VALUES (%s, %s, 'tests', now())",
            [INSTALLATION_ID, ACCOUNT_ID],
        )
        owner.execute("DELETE FROM scoring_notices")
    done = await adopt(service)
    assert (done.moved_count, done.is_complete) == (42, True)
    assert await held(service, APP) == before
    assert await held(service, INSTALLATION_ID) == {}
    assert stored(service) == {(APP, APP, 42)}
    assert rows(
        service, "SELECT installation_id, signal_count FROM installation_signal_states"
    ) == [(APP, 42)]
    assert rows(service, "SELECT installation_id, user_id FROM installation_bots") == [(APP, 4)]
    assert rows(service, "SELECT installation_id, action FROM signal_corrections") == [
        (APP, "bot_added")
    ]
    assert rows(service, "SELECT installation_id, state FROM ingest_runs") == [(APP, "cancelled")]
    assert rows(service, "SELECT installation_id FROM scoring_notices") == [(APP,)]
    again = await adopt(service)
    assert (again.moved_count, again.is_complete) == (0, True)


async def test_a_move_that_was_cut_off_shows_everything_and_goes_on(service: Service) -> None:
    await service.write(world_of_signals())
    before = await held(service, INSTALLATION_ID)
    await begun(service)
    assert len(stored(service)) == 2, "some rows have followed, some have not"
    assert await held(service, APP) == before
    assert await held(service, INSTALLATION_ID) == {}
    request = ListSignalsRequest(installation_id=APP, page_size=50)
    listed = (await service.backend.ListSignals(request)).signals
    assert {bytes.fromhex(each.content_hash) for each in listed} == before.keys()
    assert {each.installation_id for each in listed} == {APP}
    done = await adopt(service)
    assert done.is_complete
    assert 0 < done.moved_count < 42
    assert stored(service) == {(APP, APP, 42)}
    assert await held(service, APP) == before


async def test_what_comes_in_for_the_former_one_is_the_later_ones(service: Service) -> None:
    """A stream that began before goes on: new signals, better words, in the middle and after."""
    await service.write(
        [
            *world_of_signals(),
            new_signal(sha(7), type=1, user_id=1, event_time={"seconds": 1_500_000_000}),
        ],
        standing=pb.STANDING_ARCHIVE,
    )
    await begun(service)
    (header, *_) = [each async for each in service.scoring.StreamSignals(_stream())]
    since = header.header.input_mark
    # A commit that has not followed yet gets another author; a comment is new.
    await service.write([new_signal(sha(7), type=1, user_id=5), new_signal("777")])
    changed = [each async for each in service.scoring.StreamSignals(_stream(since_mark=since))]
    assert changed[0].header.changes_only
    assert {row["user_id"] for row in _rows(changed, "arrow")} >= {1, 5}
    assert (await adopt(service)).is_complete
    await service.write([new_signal("778")])
    found = await held(service, APP)
    assert len(found) == 45
    assert stored(service) == {(APP, APP, 45)}
    assert rows(service, "SELECT signal_count FROM installation_signal_states") == [(45,)]


def _stream(**changes: Any) -> StreamSignalsRequest:
    return StreamSignalsRequest(installation_id=APP, **changes)


async def test_two_calls_at_once_move_each_signal_once(service: Service) -> None:
    await service.write(world_of_signals())
    done = await asyncio.gather(*(adopt(service) for _ in range(3)))
    assert sum(each.moved_count for each in done) == 42
    assert stored(service) == {(APP, APP, 42)}


async def test_a_repository_moves_alone_and_back(service: Service) -> None:
    await service.write(world_of_signals())
    before = await held(service, INSTALLATION_ID)
    own = {key for key, row in before.items() if row["repository_id"] == REPOSITORY_ID}
    await begun(service, REPOSITORY_ID)
    assert (await adopt(service, repository_id=REPOSITORY_ID)).is_complete
    assert (await held(service, APP)).keys() == own
    assert (await held(service, INSTALLATION_ID)).keys() == before.keys() - own
    # Whoever still takes it for the former one's writes where it is.
    await service.write([new_signal("900")])
    assert len(await held(service, APP)) == len(own) + 1
    back = await adopt(
        service,
        from_installation_id=APP,
        into_installation_id=INSTALLATION_ID,
        repository_id=REPOSITORY_ID,
    )
    assert (back.moved_count, back.is_complete) == (len(own) + 1, True)
    assert len(await held(service, INSTALLATION_ID)) == 43
    counts = "SELECT installation_id, signal_count FROM installation_signal_states ORDER BY 1"
    assert rows(service, counts) == [(INSTALLATION_ID, 43), (APP, 0)]
    await service.write([new_signal("901")])
    assert len(await held(service, INSTALLATION_ID)) == 44
    notices = "SELECT installation_id FROM scoring_notices ORDER BY 1"
    assert rows(service, notices) == [(INSTALLATION_ID,), (APP,)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"into_installation_id": INSTALLATION_ID}, "INVALID_REQUEST", id="itself"),
        pytest.param({"from_installation_id": 0}, "INVALID_REQUEST", id="nobody"),
        pytest.param({"into_installation_id": 5}, "INSTALLATION_NOT_FOUND", id="into nothing"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    service: Service, changes: dict[str, int], reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await adopt(service, **changes)
    assert refused.value.reason == reason
    assert rows(service, "SELECT FROM signal_moves") == []


async def test_a_move_waits_for_another_one_of_the_same_installation(service: Service) -> None:
    await service.write(world_of_signals())
    await begun(service, REPOSITORY_ID)
    with pytest.raises(RemoteError) as refused:
        await adopt(service)
    assert refused.value.reason == "CONCURRENT_CHANGE"
    assert (await adopt(service, repository_id=REPOSITORY_ID)).is_complete
    assert (await adopt(service)).is_complete
    assert stored(service) == {(APP, APP, 42)}
