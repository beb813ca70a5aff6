"""The ways in which a call to the directory fails."""

from laurel_common.errors import LaurelError


class InstallationNotFound(LaurelError):
    """No such installation, or none that the caller may see."""

    reason = "INSTALLATION_NOT_FOUND"
    default_message = "no such installation"


class OrganizationNotFound(LaurelError):
    """No such account, or none that the caller may see."""

    reason = "ORGANIZATION_NOT_FOUND"
    default_message = "no such organization"


class TeamNotFound(LaurelError):
    """No such team of the account."""

    reason = "TEAM_NOT_FOUND"
    default_message = "no such team of this account"
