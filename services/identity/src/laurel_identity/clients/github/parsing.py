"""GitHub's JSON into what the domain knows of it."""

from datetime import UTC, datetime
from typing import Any

from laurel_identity.domain.entities import Repository, Team, User
from laurel_identity.domain.github import AppInstallation, GitHubAccount, WebhookAttempt
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


def user(found: Json) -> User:
    """A person or a bot; lists do not tell the display name."""
    is_bot = found.get("type") == "Bot"
    return User(found["id"], found["login"], found.get("name"), found["avatar_url"], is_bot)


def repository(found: Json) -> Repository:
    """A repository with the account that owns it."""
    return Repository(
        id=found["id"],
        full_name=found["full_name"],
        organization_id=found["owner"]["id"],
        is_private=found["private"],
        is_archived=found.get("archived"),
        is_fork=found["fork"],
        default_branch=found.get("default_branch"),
        html_url=found["html_url"],
        github_updated_at=moment(found.get("updated_at")),
    )


def team(found: Json, organization_id: int) -> Team:
    """A team of an organization; one without a description has an empty one."""
    return Team(
        found["id"],
        organization_id,
        found["slug"],
        found["name"],
        found["description"] or "",
        found.get("privacy"),
    )


def webhook_attempt(found: Json) -> WebhookAttempt:
    """An attempt to deliver a webhook of the App's."""
    return WebhookAttempt(
        attempt_id=found["id"],
        delivery_id=found["guid"],
        event=found["event"],
        attempted_at=datetime.fromisoformat(found["delivered_at"]),
        is_failed=found["status"] != "OK",
        installation_id=found.get("installation_id"),
        repository_id=found.get("repository_id"),
    )
