"""Reading boards and ledgers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from laurel.common.v1 import board_pb2
from laurel.leaderboard.v1 import export_pb2, leaderboard_pb2, leaderboard_pb2_grpc
from laurel.scoring.v1 import explanation_pb2, range_pb2, scoring_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_common.errors import LaurelError


@dataclass(frozen=True, slots=True)
class Explanation:
    """A ledger."""

    header: explanation_pb2.ExplainScoreHeader
    lines: list[explanation_pb2.LedgerLine]


class BrokenStreamError(LaurelError):
    """A stream ended before it said what it had to."""

    default_message = "the service ended its answer before it was whole"


async def get_board(
    caller: Caller, board: board_pb2.Board, *, limit: int, page_token: str = ""
) -> leaderboard_pb2.GetLeaderboardResponse:
    """One page of a board."""
    request = leaderboard_pb2.GetLeaderboardRequest(
        board=board, page_size=limit, page_token=page_token
    )
    async with caller.channel("leaderboard") as channel:
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
        answer: leaderboard_pb2.GetLeaderboardResponse = await stub.GetLeaderboard(request)
    return answer


async def export_board(
    caller: Caller,
    board: board_pb2.Board,
    form: export_pb2.ExportFormat.ValueType,
    version: int = 0,
) -> AsyncIterator[export_pb2.ExportLeaderboardResponse]:
    """A whole board as a file, in pieces; `version` 0 is the current one."""
    request = export_pb2.ExportLeaderboardRequest(
        board=board, format=form, materialization_id=version
    )
    async with caller.channel("leaderboard") as channel:
        stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
        async for part in stub.ExportLeaderboard(request):
            yield part


async def score_range(
    caller: Caller, board: range_pb2.RangeBoard, *, limit: int, page_token: str = ""
) -> range_pb2.ScoreRangeResponse:
    """One page of a board over a range."""
    request = range_pb2.ScoreRangeRequest(range=board, page_size=limit, page_token=page_token)
    async with caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        answer: range_pb2.ScoreRangeResponse = await stub.ScoreRange(request)
    return answer


async def explain(caller: Caller, request: explanation_pb2.ExplainScoreRequest) -> Explanation:
    """The ledger of one entity, as far as the request's filters let its lines through."""
    header: explanation_pb2.ExplainScoreHeader | None = None
    lines: list[explanation_pb2.LedgerLine] = []
    async with caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        async for answer in stub.ExplainScore(request):
            if answer.WhichOneof("message") == "header":
                header = answer.header
            else:
                lines.extend(answer.lines.lines)
    if header is None or len(lines) != header.line_count:
        raise BrokenStreamError
    return Explanation(header, lines)
