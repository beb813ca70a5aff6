"""Whose sessions a call is about: a user's own, an operator's choice."""

from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import CallerNotAllowed, InvalidRequest
from laurel_common.surroundings import current_principal


def own_user_id() -> int | None:
    """The user to whose sessions the caller is held; None for operators."""
    principal = current_principal()
    return principal.user_id if principal.kind is PrincipalKind.USER else None


def whose(user_id: int) -> int:
    """The user that a request is about. Raises CallerNotAllowed for somebody else's sessions, and
    InvalidRequest where an operator does not say whose.
    """
    own = own_user_id()
    if own is None:
        if not user_id:
            raise InvalidRequest.of(("user_id", "operators have no sessions of their own"))
        return user_id
    if user_id not in {0, own}:
        raise CallerNotAllowed
    return own
