"""Readers are told that boards are behind, before and while they are computed anew."""

from datetime import timedelta

import pytest

from laurel.leaderboard.v1.materialization_pb2 import STALE_CAUSE_PRESET, STALE_CAUSE_SIGNALS
from laurel.scoring.v1 import preset_pb2, scoring_pb2
from laurel_common.errors import RetryableError
from laurel_scoring.domain.roster import Roster
from tests.rpc.scoring.conftest import Service
from tests.support.scoring_builders import AS_OF, a_signal


class Away(RetryableError):
    """A service that can't be reached."""

    reason = "DEPENDENCY_UNAVAILABLE"


@pytest.fixture(autouse=True)
def activity(service: Service) -> None:
    service.peers.identity.roster = Roster(77, frozenset({1}))
    service.peers.ingest.signals = [a_signal(at=AS_OF - timedelta(hours=1))]


async def test_a_run_marks_before_it_reads_and_publishes_under_its_mark(service: Service) -> None:
    service.peers.ingest.gate.clear()
    run = await service.start()
    await service.peers.ingest.begun.wait()
    marked = len(service.peers.leaderboard.marks)
    assert service.peers.leaderboard.marks == [STALE_CAUSE_SIGNALS] * marked
    # The word to readers, and the run's own.
    assert marked == 2
    service.peers.ingest.gate.set()
    await service.ended(run.id)
    headers = {each.header.stale_mark for each in service.peers.leaderboard.current.values()}
    assert headers == {marked}


async def test_what_is_asked_for_meanwhile_has_a_higher_mark(service: Service) -> None:
    service.peers.ingest.gate.clear()
    run = await service.start()
    await service.peers.ingest.begun.wait()
    following = await service.start()
    assert following.id != run.id
    marked = len(service.peers.leaderboard.marks)
    service.peers.ingest.gate.set()
    await service.ended(run.id)
    (header,) = {each.header.stale_mark for each in service.peers.leaderboard.current.values()}
    assert header < marked
    await service.ended(following.id)


async def test_an_activation_marks_at_once(service: Service) -> None:
    created = await service.presets.CreatePreset(
        preset_pb2.CreatePresetRequest(installation_id=service.installation, name="bold")
    )
    assert not service.peers.leaderboard.marks
    activated = await service.presets.ActivatePreset(
        preset_pb2.ActivatePresetRequest(
            installation_id=service.installation, preset_id=created.preset.id
        )
    )
    assert STALE_CAUSE_PRESET in service.peers.leaderboard.marks
    ended = await service.ended(activated.scoring_id)
    assert ended.state == scoring_pb2.SCORING_STATE_SUCCEEDED


async def test_a_run_is_begun_and_ends_well_although_leaderboard_was_away(
    service: Service,
) -> None:
    # The client tries each call four times: both words to leaderboard are lost.
    service.peers.failures.next("MarkStale", *(Away() for _ in range(8)))
    run = await service.start()
    ended = await service.ended(run.id)
    assert ended.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    headers = {each.header.stale_mark for each in service.peers.leaderboard.current.values()}
    assert headers == {len(service.peers.leaderboard.marks)}
