"""GitHub's objects in its JSON, as its OpenAPI description has them."""

import base64
from datetime import datetime
from typing import Any

from tests.support.github.world import Account, Installation, Repository, Team, World

_API = "https://api.github.invalid"
_WEB = "https://github.invalid"

_USER_LINKS = (
    "followers", "following", "gists", "starred", "subscriptions", "repos", "events",
    "received_events",
)  # fmt: skip
_REPOSITORY_LINKS = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits",
    "compare", "contents", "contributors", "deployments", "downloads", "events", "forks",
    "git_commits", "git_refs", "git_tags", "hooks", "issue_comment", "issue_events", "issues",
    "keys", "labels", "languages", "merges", "milestones", "notifications", "pulls", "releases",
    "stargazers", "statuses", "subscribers", "subscription", "tags", "teams", "trees",
)  # fmt: skip


def stamp(moment: datetime | None) -> str | None:
    """An instant as GitHub writes it, to the second."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def account(one: Account) -> dict[str, Any]:
    """A simple user; organizations come in this shape, too."""
    api = f"{_API}/users/{one.login}"
    return {
        "login": one.login,
        "id": one.id,
        "node_id": _node(one.type, one.id),
        "avatar_url": f"{_WEB}/avatars/{one.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{_WEB}/{one.login}",
        "organizations_url": f"{api}/orgs",
        "type": one.type,
        "user_view_type": "public",
        "site_admin": False,
    } | {f"{name}_url": f"{api}/{name}" for name in _USER_LINKS}


def user(one: Account) -> dict[str, Any]:
    """A user's public profile."""
    empty = ("company", "blog", "location", "hireable", "bio", "twitter_username")
    counts = ("public_repos", "public_gists", "followers", "following")
    return (
        account(one)
        | {"name": one.name, "email": one.email}
        | dict.fromkeys(empty)
        | dict.fromkeys(counts, 0)
        | {"created_at": stamp(one.created_at), "updated_at": stamp(one.updated_at)}
    )


def own_user(one: Account) -> dict[str, Any]:
    """A user's profile as the user itself gets it."""
    counts = (
        "private_gists", "total_private_repos", "owned_private_repos", "disk_usage",
        "collaborators",
    )  # fmt: skip
    return user(one) | dict.fromkeys(counts, 0) | {"two_factor_authentication": True}


def organization(one: Account) -> dict[str, Any]:
    """A simple organization."""
    api = f"{_API}/orgs/{one.login}"
    links = ("repos", "events", "hooks", "issues", "members", "public_members")
    return {
        "login": one.login,
        "id": one.id,
        "node_id": _node("Organization", one.id),
        "url": api,
        "avatar_url": f"{_WEB}/avatars/{one.id}",
        "description": None,
    } | {f"{name}_url": f"{api}/{name}" for name in links}


def full_organization(one: Account) -> dict[str, Any]:
    """An organization's profile."""
    return organization(one) | {
        "name": one.name,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": f"{_WEB}/{one.login}",
        "type": "Organization",
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "archived_at": None,
    }


def membership(world: World, organization_id: int, user_id: int) -> dict[str, Any]:
    """That a user belongs to an organization."""
    within = world.accounts[organization_id]
    member = world.accounts[user_id]
    return {
        "url": f"{_API}/orgs/{within.login}/memberships/{member.login}",
        "state": "active",
        "role": world.memberships[organization_id, user_id],
        "organization_url": f"{_API}/orgs/{within.login}",
        "organization": organization(within),
        "user": account(member),
    }


def repository(world: World, one: Repository) -> dict[str, Any]:
    """A repository with what every list of them tells."""
    full_name = world.full_name(one)
    api, web = f"{_API}/repos/{full_name}", f"{_WEB}/{full_name}"
    counts = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size",
              "open_issues", "open_issues_count")  # fmt: skip
    return (
        {
            "id": one.id,
            "node_id": _node("Repository", one.id),
            "name": one.name,
            "full_name": full_name,
            "owner": account(world.accounts[one.owner_id]),
            "private": one.private,
            "visibility": "private" if one.private else "public",
            "html_url": web,
            "description": one.description,
            "fork": one.fork,
            "url": api,
            "git_url": f"git:{web}.git",
            "ssh_url": f"git@github.invalid:{full_name}.git",
            "clone_url": f"{web}.git",
            "svn_url": web,
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            "topics": [],
            "archived": one.archived,
            "disabled": False,
            "has_pages": False,
            "default_branch": one.default_branch,
            "pushed_at": stamp(one.updated_at),
            "created_at": stamp(one.created_at),
            "updated_at": stamp(one.updated_at),
        }
        | {f"{name}_url": f"{api}/{name}" for name in _REPOSITORY_LINKS}
        | dict.fromkeys(counts, 0)
    )


def full_repository(world: World, one: Repository) -> dict[str, Any]:
    """A repository by itself."""
    has = ("has_issues", "has_projects", "has_wiki", "has_discussions")
    return (
        repository(world, one)
        | dict.fromkeys(has, True)
        | {"has_issues": one.has_issues}
        | {"subscribers_count": 0, "network_count": 0}
    )


def team(world: World, one: Team) -> dict[str, Any]:
    """A team with what every list of them tells."""
    login = world.accounts[one.organization_id].login
    api = f"{_API}/organizations/{one.organization_id}/team/{one.id}"
    return {
        "id": one.id,
        "node_id": _node("Team", one.id),
        "name": one.name,
        "slug": one.slug,
        "description": one.description,
        "privacy": one.privacy,
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": api,
        "html_url": f"{_WEB}/orgs/{login}/teams/{one.slug}",
        "members_url": f"{api}/members{{/member}}",
        "repositories_url": f"{api}/repos",
        "type": "organization",
        "organization_id": one.organization_id,
        "parent": None,
    }


def full_team(world: World, one: Team) -> dict[str, Any]:
    """A team by itself."""
    within = world.accounts[one.organization_id]
    return team(world, one) | {
        "members_count": len(one.members),
        "repos_count": len(one.repositories),
        "created_at": stamp(within.created_at),
        "updated_at": stamp(within.updated_at),
        "organization": full_organization(within),
    }


def team_repository(world: World, one: Repository, permission: str) -> dict[str, Any]:
    """A repository of a team, with what the team may do."""
    levels = ("pull", "triage", "push", "maintain", "admin")
    reach = levels.index(permission) if permission in levels else 0
    may = {level: at <= reach for at, level in enumerate(levels)}
    return repository(world, one) | {"permissions": may, "role_name": permission}


def installation(world: World, one: Installation) -> dict[str, Any]:
    """The App on an account."""
    owner = world.accounts[one.account_id]
    api = f"{_API}/app/installations/{one.id}"
    suspender = world.accounts.get(one.suspended_by or 0)
    return {
        "id": one.id,
        "account": account(owner),
        "repository_selection": one.repository_selection,
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{_API}/installation/repositories",
        "html_url": f"{_WEB}/settings/installations/{one.id}",
        "app_id": world.app.id,
        "client_id": world.app.client_id,
        "app_slug": world.app.slug,
        "target_id": owner.id,
        "target_type": owner.type,
        "permissions": world.app.permissions,
        "events": world.app.events,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "single_file_name": None,
        "suspended_by": None if suspender is None else account(suspender),
        "suspended_at": stamp(one.suspended_at),
    }


def app(world: World) -> dict[str, Any]:
    """The App itself; the simulator says that GitHub owns it."""
    owner = Account(1, "github", "Organization")
    return {
        "id": world.app.id,
        "slug": world.app.slug,
        "client_id": world.app.client_id,
        "node_id": _node("App", world.app.id),
        "owner": account(owner),
        "name": world.app.name,
        "description": "",
        "external_url": "https://laurel.invalid",
        "html_url": f"{_WEB}/apps/{world.app.slug}",
        "created_at": stamp(owner.created_at),
        "updated_at": stamp(owner.updated_at),
        "permissions": world.app.permissions,
        "events": world.app.events,
        "installations_count": len(world.installations),
    }


def _node(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}{number}".encode()).decode()
