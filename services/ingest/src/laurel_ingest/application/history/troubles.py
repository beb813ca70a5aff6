"""Which errors another attempt may mend, and which are the end of a run or a repository of it."""

from typing import Final

from laurel_common.errors import LaurelError

_FINAL: Final = frozenset(
    {
        "INSTALLATION_NOT_FOUND",
        "TEAM_NOT_FOUND",
        "REPOSITORY_NOT_FOUND",
        "APP_NOT_INSTALLED",
        "INSTALLATION_SUSPENDED",
        "GITHUB_NOT_CONFIGURED",
    }
)


def is_final(error: LaurelError) -> bool:
    """Whether another attempt would end the same."""
    return error.reason in _FINAL
