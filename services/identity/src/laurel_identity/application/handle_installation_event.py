"""The use case HandleInstallationEvent: a webhook's event is a hint, GitHub's answer the truth."""

from enum import Enum, auto

from laurel_identity.application.installation_ports import AccountInstallations, SessionEnder
from laurel_identity.application.reread import Reread
from laurel_identity.application.take_in import TakeIn
from laurel_identity.domain.hints import Hint, Part, Payload, hint_of


class Outcome(Enum):
    """What became of an event: it was taken in, or concerns nothing that identity keeps."""

    HANDLED = auto()
    IGNORED = auto()


class HandleInstallationEvent:
    """Idempotent and safe out of order. Raises InvalidRequest, what Reread and TakeIn raise."""

    def __init__(
        self,
        reread: Reread,
        take_in: TakeIn,
        installations: AccountInstallations,
        sessions: SessionEnder,
    ) -> None:
        self._reread = reread
        self._take_in = take_in
        self._installations = installations
        self._sessions = sessions

    async def __call__(self, event: str, payload: Payload) -> Outcome:
        hint = hint_of(event, payload)
        if hint is None:
            return Outcome.IGNORED
        if hint.part is Part.AUTHORIZATION:
            await self._sessions.all_of(hint.user_id or 0)
            return Outcome.HANDLED
        installation_id = await self._installation_of(hint)
        if installation_id is None:
            return Outcome.IGNORED
        await self._take_in(await self._reread(installation_id, hint))
        return Outcome.HANDLED

    async def _installation_of(self, hint: Hint) -> int | None:
        """What the payload names; else the App's own one of the account."""
        if hint.installation_id is not None:
            return hint.installation_id
        return await self._installations.installed_on(hint.account_id or 0)
