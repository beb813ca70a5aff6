"""ScoringService on the wire."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from laurel.scoring.v1 import (
    explanation_pb2,
    preview_pb2,
    range_pb2,
    scoring_pb2,
    scoring_pb2_grpc,
)
from laurel_common.surroundings import current_access, current_principal
from laurel_scoring.application.explain_range import ExplainRange
from laurel_scoring.application.explain_score import ExplainScore
from laurel_scoring.application.explained import Explained
from laurel_scoring.application.ports import RunStore
from laurel_scoring.application.preview_rules import PreviewRules
from laurel_scoring.application.score_range import ScoreRange
from laurel_scoring.application.start_scoring import StartScoring
from laurel_scoring.application.watch_scoring import WatchScoring
from laurel_scoring.rpc import convert, convert_explanations, convert_previews, convert_ranges


class ScoringServicer(scoring_pb2_grpc.ScoringServiceServicer):
    """Computes boards and says why they are as they are."""

    def __init__(
        self,
        start: StartScoring,
        runs: RunStore,
        watch: WatchScoring,
        *,
        explain: ExplainScore,
        explain_range: ExplainRange,
        score_range: ScoreRange,
        preview: PreviewRules,
        web_url: str,
    ) -> None:
        self._start = start
        self._runs = runs
        self._watch = watch
        self._explain = explain
        self._explain_range = explain_range
        self._score_range = score_range
        self._preview = preview
        self._web_url = web_url

    async def StartScoring(
        self, request: scoring_pb2.StartScoringRequest, _context: Any
    ) -> scoring_pb2.StartScoringResponse:
        """Asks for all boards of an installation to be computed."""
        run = await self._start(
            request.installation_id,
            request_id=request.request_id,
            requested_by=current_principal().name,
        )
        return scoring_pb2.StartScoringResponse(scoring=convert.scoring(run))

    async def GetScoring(
        self, request: scoring_pb2.GetScoringRequest, _context: Any
    ) -> scoring_pb2.GetScoringResponse:
        """One run."""
        run = await self._runs.get(request.installation_id, request.scoring_id)
        return scoring_pb2.GetScoringResponse(scoring=convert.scoring(run))

    async def WatchScoring(
        self, request: scoring_pb2.WatchScoringRequest, _context: Any
    ) -> AsyncIterator[scoring_pb2.WatchScoringResponse]:
        """One run as it goes on, to its end."""
        async with aclosing(self._watch(request.installation_id, request.scoring_id)) as runs:
            async for run in runs:
                yield scoring_pb2.WatchScoringResponse(scoring=convert.scoring(run))

    async def ExplainScore(
        self, request: explanation_pb2.ExplainScoreRequest, _context: Any
    ) -> AsyncIterator[explanation_pb2.ExplainScoreResponse]:
        """The ledger of one entity on the current version of a board, or over a range."""
        told = await self._told(request)
        yield explanation_pb2.ExplainScoreResponse(header=convert_explanations.header(told))
        ledger = convert_explanations.LedgerConverter(told, self._web_url)
        for first in ledger.starts():
            lines = ledger.message(first, current_access())
            yield explanation_pb2.ExplainScoreResponse(lines=lines)

    async def _told(self, request: explanation_pb2.ExplainScoreRequest) -> Explained:
        question = convert_explanations.question(request)
        if request.HasField("range"):
            return await self._explain_range(
                convert_ranges.range_key(request.range), question, current_access()
            )
        key = convert.board_key(request.board)
        return await self._explain(key, question, request.version, current_access())

    async def ScoreRange(
        self, request: range_pb2.ScoreRangeRequest, _context: Any
    ) -> range_pb2.ScoreRangeResponse:
        """A page of a board over a range."""
        key = convert_ranges.range_key(request.range)
        page = await self._score_range(key, request.page_size, request.page_token, current_access())
        return convert_ranges.range_response(page)

    async def PreviewRules(
        self, request: preview_pb2.PreviewRulesRequest, _context: Any
    ) -> AsyncIterator[preview_pb2.PreviewRulesResponse]:
        """What a candidate rule set would make of a board."""
        found = await self._preview(
            convert_previews.board(request),
            convert_previews.candidate(request),
            request.max_entries,
            current_access(),
        )
        answer = convert_previews.PreviewConverter(found, request.top_size)
        yield preview_pb2.PreviewRulesResponse(header=answer.header())
        for first in answer.starts():
            entries = answer.message(first, current_access())
            yield preview_pb2.PreviewRulesResponse(entries=entries)
