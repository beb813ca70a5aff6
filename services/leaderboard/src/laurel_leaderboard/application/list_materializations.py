"""Lists the versions of an installation's boards, newest first."""

from laurel_common.errors import InvalidRequest
from laurel_common.page_token import PageTokens
from laurel_leaderboard.application.ports import Versions
from laurel_leaderboard.domain.boards import BoardAddress
from laurel_leaderboard.domain.versions import VersionRecord

DEFAULT_PAGE_SIZE = 50
_KIND = "materializations"


class ListMaterializations:
    """Versions in every state, tombstones included."""

    def __init__(self, versions: Versions, tokens: PageTokens) -> None:
        self._versions = versions
        self._tokens = tokens

    async def __call__(
        self,
        installation_id: int,
        address: BoardAddress | None,
        *,
        current_only: bool,
        page_size: int,
        page_token: str,
    ) -> tuple[list[VersionRecord], str]:
        """A page, and the token of the next one or nothing."""
        if address is not None and address.installation_id != installation_id:
            raise InvalidRequest.of(("board.installation_id", "is not the request's installation"))
        size = page_size or DEFAULT_PAGE_SIZE
        board = address.text() if address is not None else ""
        binding = f"{installation_id}/{board}/{current_only}"
        before = None
        if page_token:
            before = self._tokens.open(_KIND, page_token, binding=binding)["before"]
        found = await self._versions.records(
            installation_id, address, current_only=current_only, before_id=before, limit=size + 1
        )
        if len(found) <= size:
            return found, ""
        page = found[:size]
        payload = {"before": page[-1].version.id}
        return page, self._tokens.seal(_KIND, payload, binding=binding)
