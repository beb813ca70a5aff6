"""What leaderboard's things are called in Redis."""

from laurel_leaderboard.domain.boards import BoardKey
from laurel_leaderboard.domain.pages import PageKey

# Part of every key: raised when what lies under the keys changes its form.
FORM = "laurel:lb:3"


def pointer_key(preset_id: int, board: BoardKey) -> str:
    """Where the current version of a board is noted; stands in `redis_cache_key`, too."""
    return f"{FORM}:board:{preset_id}:{':'.join(map(str, board))}"


def served_key(installation_id: int) -> str:
    """Where the preset that an installation serves is noted."""
    return f"{FORM}:served:{installation_id}"


def mark_key(installation_id: int) -> str:
    """Where the highest mark on all boards of an installation is."""
    return f"{FORM}:mark:{installation_id}"


def preset_key(preset_id: int) -> str:
    """Where it is noted whose a preset is."""
    return f"{FORM}:preset:{preset_id}"


def page_key(key: PageKey, epoch: int) -> str:
    """Where a full page lies with the names of that epoch."""
    after = f"{key.after.score_e4}.{key.after.entity_id}" if key.after is not None else "top"
    return f"{FORM}:page:{key.materialization_id}:{key.size}:{after}:{epoch}"
