"""Which tenants the running call's caller may know of."""

from laurel_common.auth.principal import PrincipalKind
from laurel_common.surroundings import current_access, current_principal
from laurel_identity.domain.installations import Hidden, Viewer, Visibility


def current_visibility() -> Visibility:
    """All, or those of the caller's key, or those of the organizations that a user belongs to and
    those that GitHub listed to its session.
    """
    principal = current_principal()
    if principal.kind is PrincipalKind.USER and principal.user_id is not None:
        viewer = Viewer(principal.user_id, principal.token_id)
        return Visibility(principal.installations or frozenset(), viewer)
    return Visibility(principal.installations)


def currently_hidden() -> Hidden:
    """What of the installation that the request names is kept from the running call's caller."""
    access = current_access()
    return Hidden(access.hidden_repositories, access.hidden_teams, access.readable_repositories)
