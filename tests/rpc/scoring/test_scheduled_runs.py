"""What the schedule asks for: the boards that are due, without calling any of them stale."""

from datetime import timedelta

from laurel.scoring.v1 import scoring_pb2
from laurel_scoring.application.recheck_boards import RecheckBoards
from tests.rpc.scoring.conftest import Service
from tests.rpc.scoring.test_scoring import given


async def test_only_what_is_due_is_computed_and_nothing_is_marked(service: Service) -> None:
    given(service)
    first = await service.score()
    leaderboard = service.peers.leaderboard
    marks = len(leaderboard.marks)
    before = {key: stored.version for key, stored in leaderboard.current.items()}
    # The next day: whatever was of today is not any more.
    service.clock.advance(timedelta(hours=9))
    await RecheckBoards(service.runs, service.clock)()
    run = await service.ended(first.id + 1)
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    # Today, the week and the month, of 11 kinds of board each.
    assert (run.boards_total, run.boards_published) == (33, 33)
    assert len(leaderboard.marks) == marks
    changed = {key for key, stored in leaderboard.current.items() if before[key] < stored.version}
    assert 1 in {period for _, _, _, period in changed} <= {1, 2, 3}
    assert leaderboard.rows(1, 77, 1, 1) == []
