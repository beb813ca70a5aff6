"""Which tenants the running call's caller may know of."""

from laurel_common.auth.principal import PrincipalKind, current_principal
from laurel_identity.domain.installations import Visibility


def current_visibility() -> Visibility:
    """All, or those of the caller's key, or those of the organizations that a user belongs to and
    those that GitHub listed to its session.
    """
    principal = current_principal()
    if principal.kind is PrincipalKind.USER:
        return Visibility(principal.installations or frozenset())
    return Visibility(principal.installations)
