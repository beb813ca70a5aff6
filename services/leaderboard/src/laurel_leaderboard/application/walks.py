"""Page tokens of boards: bound to the installation, the version and the place in it."""

from laurel_common.page_token import PageTokens
from laurel_leaderboard.domain.entries import Position
from laurel_leaderboard.domain.versions import Version

_KIND = "leaderboard"


def seal_walk(tokens: PageTokens, version: Version, last: Position) -> str:
    """The token of the page behind `last`."""
    payload = {"m": version.id, "s": last.score_e4, "e": last.entity_id}
    return tokens.seal(_KIND, payload, binding=str(version.preset.installation_id))


def open_walk(tokens: PageTokens, token: str, installation_id: int) -> tuple[int, Position]:
    """The version that a token walks, and behind which place it goes on.

    Raises InvalidPageToken for anything but a token of this installation's boards.
    """
    payload = tokens.open(_KIND, token, binding=str(installation_id))
    return payload["m"], Position(payload["s"], payload["e"])
