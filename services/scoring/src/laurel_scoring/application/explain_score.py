"""Why an entity stands where it stands on the current version of a board."""

import asyncio

from laurel_common.auth.access import Access
from laurel_common.clock import Clock
from laurel_common.deadline import remaining
from laurel_scoring.application.explained import Explained, LookUp, Origin, Question
from laurel_scoring.application.inputs import ReadInputs
from laurel_scoring.application.ports import (
    BoardKey,
    Boards,
    Places,
    PublishedVersion,
    RunStore,
)
from laurel_scoring.application.visibility import require_entity, require_scope
from laurel_scoring.domain.canonical import rules_from_json
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.errors import (
    BoardNotFound,
    EntityNotFound,
    InputsChanged,
    VersionNotCurrent,
)
from laurel_scoring.domain.explanation import explain
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.runs import Run, RunState
from laurel_scoring.domain.vocabulary import ScopeType

# What is left of the deadline for reading and telling once a new version is there.
_RESERVE_SECONDS = 2.0
_PATIENCE_SECONDS = 45.0
_POLL_SECONDS = 0.1


class ExplainScore:
    """Rereads the inputs as of the version; where they have moved, scores first."""

    def __init__(
        self,
        *,
        boards: Boards,
        runs: RunStore,
        inputs: ReadInputs,
        look_up: LookUp,
        places: Places,
        clock: Clock,
    ) -> None:
        self._boards = boards
        self._runs = runs
        self._inputs = inputs
        self._look_up = look_up
        self._places = places
        self._clock = clock

    async def __call__(
        self, key: BoardKey, question: Question, version: int, access: Access
    ) -> Explained:
        """Explains an entity on the board's current version, which `version` names unless 0.

        Raises BoardNotFound, VersionNotCurrent, EntityNotFound, InputsChanged, InstallationBusy,
        Overloaded, RemoteError.
        """
        require_scope(access, key.scope_type, key.scope_id)
        published = await self._current(key, version)
        require_entity(access, question.entity_type, question.entity_id)
        told = await self._explain(key, published, question)
        if told is None:
            # Without a place: a run takes its time, and others need not wait for it.
            if not await self._score_again(key.installation_id):
                raise InputsChanged
            published = await self._current(key, 0)
            told = await self._explain(key, published, question)
        if told is None:
            raise InputsChanged
        return told

    async def _current(self, key: BoardKey, version: int) -> PublishedVersion:
        published = await self._boards.current(key)
        if published is None:
            raise BoardNotFound
        if version not in (0, published.version):
            raise VersionNotCurrent(metadata={"current_version": str(published.version)})
        return published

    async def _explain(
        self, key: BoardKey, published: PublishedVersion, question: Question
    ) -> Explained | None:
        """The explanation; None where the inputs have moved since the version was made."""
        with self._places.place(key.installation_id):
            return await self._explained(key, published, question)

    async def _explained(
        self, key: BoardKey, published: PublishedVersion, question: Question
    ) -> Explained | None:
        as_of, mark = published.as_of, published.input_mark
        # A board that came out unchanged keeps its version: it equals what the last run that
        # succeeded computed, from inputs that may have had another name when it was published.
        last = await self._runs.last_success(published.preset_id)
        if last is not None and last.as_of is not None and last.as_of > as_of:
            as_of, mark = last.as_of, last.input_mark or ""
        inputs = await self._inputs(key.installation_id, until=as_of)
        if inputs.mark != mark:
            return None
        rules = rules_from_json(published.rules_json)
        window = Windows.of_periods(to_microseconds(as_of), [key.time_period])
        evaluation = Evaluation(inputs.timeline, inputs.roster, rules, window)
        scope_id = key.scope_id
        if key.scope_type is ScopeType.ORGANIZATION:
            scope_id = inputs.roster.organization_id
        found = await asyncio.to_thread(
            explain, evaluation, key.scope_type, scope_id, key.entity_type, question.entity_id
        )
        if found is None:
            raise EntityNotFound
        origin = Origin(
            published.preset_id,
            to_microseconds(as_of),
            rules,
            published.materialization_id,
            published.version,
        )
        return await self._look_up(question, origin, evaluation, inputs.signals, found)

    async def _score_again(self, installation_id: int) -> bool:
        """Asks for a run and waits for it; whether it succeeded while time was left."""
        run = await self._runs.request(
            installation_id, request_id="", requested_by="explain", now=self._clock.now()
        )
        left = remaining()
        patience = _PATIENCE_SECONDS
        if left is not None:
            patience = min(patience, left - _RESERVE_SECONDS)
        try:
            async with asyncio.timeout(max(patience, 0)):
                return (await self._ended(run)).state is RunState.SUCCEEDED
        except TimeoutError:
            return False

    async def _ended(self, run: Run) -> Run:
        while run.state in (RunState.QUEUED, RunState.RUNNING):
            await asyncio.sleep(_POLL_SECONDS)
            run = await self._runs.get(run.installation_id, run.id)
        return run
