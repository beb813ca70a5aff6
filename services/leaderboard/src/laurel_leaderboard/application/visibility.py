"""What of boards a caller may see: hidden scopes have no board, hidden entities no name."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from laurel_common.auth.access import Access
from laurel_leaderboard.domain.boards import BoardAddress, EntityType, ScopeType
from laurel_leaderboard.domain.entries import Entry
from laurel_leaderboard.domain.errors import BoardNotFound


def require_board(access: Access, address: BoardAddress) -> None:
    """Raises BoardNotFound where the board's scope is hidden: as if it had never been scored."""
    if not sees_scope(access, address.scope_type, address.scope_id):
        raise BoardNotFound


def sees_scope(access: Access, scope: ScopeType, scope_id: int) -> bool:
    """Whether boards of this scope are there for the caller."""
    if scope is ScopeType.REPOSITORY:
        return access.sees_repository(scope_id)
    return access.sees_team(scope_id) if scope is ScopeType.TEAM else access.is_member


def hidden_of(access: Access, kind: EntityType, ids: Iterable[int]) -> frozenset[int]:
    """Those of these entities that the caller may not learn of. People never hide."""
    if access.is_full or kind is EntityType.CONTRIBUTOR:
        return frozenset()
    sees = access.sees_team if kind is EntityType.TEAM else access.sees_repository
    return frozenset(id_ for id_ in ids if not sees(id_))


def masked(access: Access, kind: EntityType, entries: Sequence[Entry]) -> list[Entry]:
    """The entries as the caller may see them."""
    hidden = hidden_of(access, kind, (entry.row.entity_id for entry in entries))
    return [
        replace(entry, hidden=True, profile=None) if entry.row.entity_id in hidden else entry
        for entry in entries
    ]
