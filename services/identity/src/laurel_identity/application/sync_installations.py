"""The use case SyncInstallations: reads everything again, whatever webhooks told or did not."""

from laurel_common.errors import InstallationNotFound
from laurel_identity.application.github import AppClient
from laurel_identity.application.installation_ports import AccountInstallations
from laurel_identity.application.paging import Page, PageRequest
from laurel_identity.application.ports import TenantReader
from laurel_identity.application.reread import Reread
from laurel_identity.application.take_in import TakeIn
from laurel_identity.domain.errors import AppNotInstalled
from laurel_identity.domain.hints import Hint, Part
from laurel_identity.domain.installations import Installation

_EVERYTHING = Hint(Part.EVERYTHING)


class SyncInstallations:
    """Idempotent. Raises what Reread and TakeIn raise; installations before the one that failed
    have been taken in then.
    """

    def __init__(
        self,
        app: AppClient,
        reread: Reread,
        take_in: TakeIn,
        tenants: TenantReader,
        installations: AccountInstallations,
    ) -> None:
        self._app = app
        self._reread = reread
        self._take_in = take_in
        self._tenants = tenants
        self._installations = installations

    async def one(self, installation_id: int) -> Installation:
        """One installation, as it is now. Raises InstallationNotFound, and AppNotInstalled for an
        account that was only imported.
        """
        known = await self._tenants.installation(installation_id)
        if known is None:
            raise InstallationNotFound
        if known.app_id == 0:
            raise AppNotInstalled
        return await self._sync(installation_id) or known

    async def page(self, wanted: PageRequest[int]) -> Page[Installation, int]:
        """Some of all installations that GitHub or identity has, by id, as they are now."""
        after = wanted.after or 0
        ids = {each.installation_id async for each in self._app.installations()}
        ids |= set(await self._installations.installed_after(after, wanted.size + 1))
        chosen = sorted(each for each in ids if each > after)[: wanted.size + 1]
        found = [await self._sync(each) for each in chosen[: wanted.size]]
        rows = [each for each in found if each is not None]
        following = chosen[wanted.size - 1] if len(chosen) > wanted.size else None
        return Page(rows, following)

    async def _sync(self, installation_id: int) -> Installation | None:
        await self._take_in(await self._reread(installation_id, _EVERYTHING))
        return await self._tenants.installation(installation_id)
