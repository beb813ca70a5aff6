"""GitHub's JSON into what the domain knows of it."""

from datetime import UTC, datetime
from typing import Any

from laurel_identity.domain.github import AppInstallation, GitHubAccount
from laurel_identity.domain.owners import AccountType

Json = dict[str, Any]
_TYPES = {"Organization": AccountType.ORGANIZATION}


def installation(found: Json) -> AppInstallation:
    """An installation of the App."""
    suspender = found.get("suspended_by") or {}
    return AppInstallation(
        installation_id=found["id"],
        app_id=found["app_id"],
        account=account(found["account"]),
        repository_selection=found["repository_selection"],
        permissions=found["permissions"],
        suspended_at=moment(found.get("suspended_at")),
        suspended_by=suspender.get("login"),
        created_at=moment(found["created_at"]),
        updated_at=moment(found["updated_at"]),
    )


def account(found: Json) -> GitHubAccount:
    """A user or organization; an enterprise has a slug where they have a login."""
    return GitHubAccount(
        id=found["id"],
        login=found.get("login") or found["slug"],
        account_type=_TYPES.get(found.get("type", ""), AccountType.USER),
        avatar_url=found.get("avatar_url") or "",
        is_bot=found.get("type") == "Bot",
    )


def moment(text: str | int | None) -> datetime | None:
    """An instant; GitHub writes some as seconds since the epoch."""
    if text is None:
        return None
    if isinstance(text, int):
        return datetime.fromtimestamp(text, tz=UTC)
    return datetime.fromisoformat(text)
