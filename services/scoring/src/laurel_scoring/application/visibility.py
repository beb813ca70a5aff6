"""What of boards a caller may not see is not there for it."""

from laurel_common.auth.access import Access
from laurel_scoring.domain.errors import BoardNotFound, EntityNotFound
from laurel_scoring.domain.vocabulary import EntityType, ScopeType


def require_scope(access: Access, scope_type: ScopeType, scope_id: int) -> None:
    """Raises BoardNotFound for boards of a scope that is hidden from the caller."""
    seen = access.is_member
    if scope_type is ScopeType.TEAM:
        seen = access.sees_team(scope_id)
    elif scope_type is ScopeType.REPOSITORY:
        seen = access.sees_repository(scope_id)
    if not seen:
        raise BoardNotFound


def sees_entity(access: Access, entity_type: EntityType, entity_id: int) -> bool:
    """Whether the caller may learn which entity of a board this is."""
    if entity_type is EntityType.TEAM:
        return access.sees_team(entity_id)
    if entity_type is EntityType.REPOSITORY:
        return access.sees_repository(entity_id)
    return True


def require_entity(access: Access, entity_type: EntityType, entity_id: int) -> None:
    """Raises EntityNotFound for an entity that is hidden from the caller."""
    if not sees_entity(access, entity_type, entity_id):
        raise EntityNotFound
