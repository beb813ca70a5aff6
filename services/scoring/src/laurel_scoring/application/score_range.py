"""Boards over ranges, a page at a time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from laurel_common.auth.access import Access
from laurel_common.page_token import PageTokens
from laurel_common.single_flight import SingleFlight
from laurel_scoring.application.ports import Directory, Places
from laurel_scoring.application.range_results import RangeResult, RangeResults
from laurel_scoring.application.ranges import RangeKey, ReadRange
from laurel_scoring.application.visibility import require_scope, sees_entity
from laurel_scoring.domain.canonical import rules_to_json
from laurel_scoring.domain.digests import board_digests
from laurel_scoring.domain.errors import BoardNotFound, InputsChanged
from laurel_scoring.domain.explanation import scope_position
from laurel_scoring.domain.presets import Preset
from laurel_scoring.domain.results import Result

DEFAULT_PAGE_SIZE = 50
# Whoever asks has a deadline of its own; the computation is several callers'.
FLIGHT_SECONDS = 60.0
_KIND = "range"
_ETAG_DIGITS = 32


@dataclass(frozen=True)
class RangePage:
    """Some places of a board over a range, the names of those whom identity knows, and the ids
    of those whom the caller may not see.
    """

    results: list[Result]
    names: Mapping[int, str]
    hidden: frozenset[int]
    next_page_token: str
    total_size: int
    signal_count: int
    preset_id: int
    etag: str


class ScoreRange:
    """Computes equal ranges that are asked for at the same time once, and stores nothing.

    A page token names the result that its walk shows. Where this process no longer holds it, it
    is computed again, and serves if it came out the same.
    """

    def __init__(
        self,
        *,
        read: ReadRange,
        directory: Directory,
        results: RangeResults,
        places: Places,
        tokens: PageTokens,
    ) -> None:
        self._read = read
        self._directory = directory
        self._results = results
        self._places = places
        self._tokens = tokens
        self._flights = SingleFlight[tuple[RangeKey, str], RangeResult](seconds=FLIGHT_SECONDS)

    async def __call__(
        self, key: RangeKey, page_size: int, page_token: str, access: Access
    ) -> RangePage:
        """Raises InvalidPageToken, InstallationNotFound, PresetNotFound, BoardNotFound,
        InputsChanged, ScoreOutOfRange, InstallationBusy, Overloaded, RemoteError.
        """
        require_scope(access, key.scope_type, key.scope_id)
        first, etag = 0, ""
        if page_token:
            sealed = self._tokens.open(_KIND, page_token, binding=repr(key))
            first, etag = int(sealed["first"]), str(sealed["etag"])
        preset = await self._read.preset(key)
        result = await self._result(replace(key, preset_id=preset.id), preset, etag)
        return await self._page(key, result, first, page_size or DEFAULT_PAGE_SIZE, access)

    async def close(self) -> None:
        """Ends what is being computed."""
        await self._flights.close()

    async def _result(self, key: RangeKey, preset: Preset, etag: str) -> RangeResult:
        """The result that `etag` names, or the one of now where it is ""."""
        if etag and (held := self._results.get(key, etag)):
            return held
        result = await self._flights.run((key, preset.etag), lambda: self._compute(key, preset))
        if etag not in ("", result.etag):
            raise InputsChanged("the range came out otherwise than on the first page")
        return result

    async def _compute(self, key: RangeKey, preset: Preset) -> RangeResult:
        with self._places.place(key.installation_id):
            read = await self._read(key, preset)
            scope = scope_position(read.evaluation, key.scope_type, read.scope_id)
            if scope is None:
                raise BoardNotFound
            family = await asyncio.to_thread(
                read.evaluation.family, key.scope_type, key.entity_type
            )
        board = family.alone(scope, 0)
        (digest,) = board_digests(board, rules_to_json(preset.rules))
        result = RangeResult(board, digest.hex()[:_ETAG_DIGITS], preset.id)
        self._results.put(key, result)
        return result

    async def _page(
        self, key: RangeKey, result: RangeResult, first: int, size: int, access: Access
    ) -> RangePage:
        total = len(result.board.rank)
        end = min(first + size, total)
        places = [result.board.result(row) for row in range(first, end)]
        ids = {each.entity_id for each in places}
        seen = {each for each in ids if sees_entity(access, key.entity_type, each)}
        token = ""
        if end < total:
            payload = {"first": end, "etag": result.etag}
            token = self._tokens.seal(_KIND, payload, binding=repr(key))
        return RangePage(
            results=places,
            names=await self._directory.names(key.installation_id, key.entity_type, seen),
            hidden=frozenset(ids - seen),
            next_page_token=token,
            total_size=total,
            signal_count=int(result.board.signal_count[0]),
            preset_id=result.preset_id,
            etag=result.etag,
        )
