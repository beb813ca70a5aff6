"""Asks for all boards of an installation to be computed."""

from laurel_common.clock import Clock
from laurel_scoring.application.ports import PresetStore, RunStore
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.runs import Run


class StartScoring:
    """Answers at once; the work is a job's."""

    def __init__(self, presets: PresetStore, runs: RunStore, clock: Clock) -> None:
        self._presets = presets
        self._runs = runs
        self._clock = clock

    async def __call__(self, installation_id: int, *, request_id: str, requested_by: str) -> Run:
        """The run that will do it, a waiting one if there is one.

        Raises InstallationNotFound.
        """
        await self._presets.ensure_default(installation_id, DEFAULT_RULES)
        return await self._runs.request(
            installation_id,
            request_id=request_id,
            requested_by=requested_by,
            now=self._clock.now(),
        )
