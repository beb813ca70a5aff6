"""Asking for boards to be scored, and waiting for them."""

import asyncio
from collections.abc import Callable

from laurel.scoring.v1 import scoring_pb2, scoring_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import LaurelError, RemoteError

_PAUSE = 1.0
_ENDED = (scoring_pb2.SCORING_STATE_SUCCEEDED, scoring_pb2.SCORING_STATE_FAILED)
# A stream that ends in one of these may be opened again.
_AWAY = frozenset(
    {"DATABASE_UNAVAILABLE", "NOT_SERVING", "DEPENDENCY_UNAVAILABLE", "READER_TOO_SLOW"}
)


class ScoringFailedError(LaurelError):
    """A run was given up."""

    reason = "SCORING_FAILED"


async def start_scoring(caller: Caller, installation_id: int) -> scoring_pb2.Scoring:
    """Asks for all boards of an installation; returns the run that will make them."""
    async with caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        request = scoring_pb2.StartScoringRequest(installation_id=installation_id)
        answer: scoring_pb2.StartScoringResponse = await stub.StartScoring(request)
    return answer.scoring


async def wait_for_scoring(
    caller: Caller,
    run: scoring_pb2.Scoring,
    on_progress: Callable[[scoring_pb2.Scoring], None],
) -> scoring_pb2.Scoring:
    """Waits until the run has ended; raises ScoringFailedError where it was given up."""
    async with caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        request = scoring_pb2.WatchScoringRequest(
            installation_id=run.installation_id, scoring_id=run.id
        )
        while run.state not in _ENDED:
            try:
                async for response in stub.WatchScoring(request):
                    run = response.scoring
                    on_progress(run)
            except RemoteError as error:
                if error.reason not in _AWAY:
                    raise
                await asyncio.sleep(_PAUSE)
    if run.state == scoring_pb2.SCORING_STATE_FAILED:
        raise ScoringFailedError(f"run {run.id} was given up: {run.failure_reason}")
    return run
