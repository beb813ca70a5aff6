"""Lists the boards of an installation with their current versions."""

from laurel_common.page_token import PageTokens
from laurel_common.surroundings import current_access
from laurel_leaderboard.application.ports import Versions
from laurel_leaderboard.domain.boards import BoardKey, EntityType, ScopeType, TimePeriod
from laurel_leaderboard.domain.versions import Version

DEFAULT_PAGE_SIZE = 100
_KIND = "boards"


class ListBoards:
    """Boards of the served preset that the running call's caller may see, by board."""

    def __init__(self, versions: Versions, tokens: PageTokens) -> None:
        self._versions = versions
        self._tokens = tokens

    async def __call__(
        self, installation_id: int, scope: ScopeType | None, page_size: int, page_token: str
    ) -> tuple[list[Version], str]:
        """A page, and the token of the next one or nothing."""
        size = page_size or DEFAULT_PAGE_SIZE
        binding = f"{installation_id}/{scope or ''}"
        after = None
        if page_token:
            place = self._tokens.open(_KIND, page_token, binding=binding)["after"]
            after = BoardKey(
                ScopeType(place[0]), place[1], EntityType(place[2]), TimePeriod(place[3])
            )
        found = await self._versions.served_boards(
            installation_id, scope, after, size + 1, current_access()
        )
        if len(found) <= size:
            return found, ""
        page = found[:size]
        place = list(page[-1].board)
        return page, self._tokens.seal(_KIND, {"after": place}, binding=binding)
