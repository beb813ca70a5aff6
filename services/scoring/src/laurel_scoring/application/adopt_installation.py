"""Makes an installation's presets another one's, and has that one scored by them."""

from laurel_common.clock import Clock
from laurel_scoring.application.ports import Actor, PresetAdopter
from laurel_scoring.domain.runs import Run


class AdoptInstallation:
    """Doing it again does what is left to do."""

    def __init__(self, presets: PresetAdopter, clock: Clock) -> None:
        self._presets = presets
        self._clock = clock

    async def __call__(self, former: int, later: int, *, by: Actor) -> tuple[int, Run | None]:
        """How many presets moved, and the run that scores by them if any did.

        Raises InstallationNotFound.
        """
        return await self._presets.adopt(former, later, by=by, now=self._clock.now())
