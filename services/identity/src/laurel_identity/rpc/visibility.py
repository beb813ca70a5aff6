"""Which tenants the running call's caller may know of."""

from laurel_common.auth.principal import PrincipalKind, current_principal
from laurel_identity.domain.installations import Visibility


def current_visibility() -> Visibility:
    """All, or those of the caller's key. A user's come with the session; without one, none."""
    principal = current_principal()
    if principal.kind is PrincipalKind.USER:
        return Visibility(principal.installations or frozenset())
    return Visibility(principal.installations)
