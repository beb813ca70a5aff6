"""What identity has of installations, in the same shape as what the simulated GitHub has."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.github.world import Account, World

State = dict[str, set[tuple[Any, ...]]]
_QUERIES = {
    "installations": """
        SELECT coalesce(organization_id, user_account_id), installation_id, repository_selection
        FROM github_installations
        WHERE suspended_at IS NULL AND coalesce(organization_id, user_account_id) = ANY(:accounts)
    """,
    "accounts": "SELECT id, login FROM organizations WHERE id = ANY(:accounts)",
    "repositories": """
        SELECT r.id, r.full_name, r.is_private, r.is_archived, i.installation_id
        FROM repositories AS r
        JOIN installation_repositories AS held ON held.repository_id = r.id
        JOIN github_installations AS i USING (installation_id)
        WHERE i.suspended_at IS NULL AND r.organization_id = ANY(:accounts)
    """,
    "members": """
        SELECT organization_id, user_id FROM organization_memberships
        WHERE organization_id = ANY(:accounts)
    """,
    "teams": """
        SELECT id, slug, name, privacy::text FROM teams WHERE organization_id = ANY(:accounts)
    """,
    "team_members": """
        SELECT m.team_id, m.user_id, m.role FROM team_members AS m JOIN teams AS t ON t.id = team_id
        WHERE t.organization_id = ANY(:accounts)
    """,
    "team_repositories": """
        SELECT h.team_id, h.repository_id, h.permission
        FROM team_repositories AS h JOIN teams AS t ON t.id = team_id
        WHERE t.organization_id = ANY(:accounts)
    """,
}


async def identity_state(engine: AsyncEngine, accounts: Collection[int]) -> State:
    """What identity has of these accounts."""
    async with engine.connect() as connection:
        return {
            name: {
                tuple(row)
                for row in await connection.execute(text(query), {"accounts": list(accounts)})
            }
            for name, query in _QUERIES.items()
        }


async def active_accounts(engine: AsyncEngine, accounts: Collection[int]) -> set[int]:
    """Those of the accounts that have an active installation in identity."""
    query = """
        SELECT DISTINCT coalesce(organization_id, user_account_id) FROM github_installations
        WHERE suspended_at IS NULL AND coalesce(organization_id, user_account_id) = ANY(:accounts)
    """
    async with engine.connect() as connection:
        return set(await connection.scalars(text(query), {"accounts": list(accounts)}))


def told(world: World, accounts: Collection[Account]) -> list[Account]:
    """Those of the accounts of which GitHub tells: they have the App, and nobody suspended it."""
    return [
        account
        for account in accounts
        if (installation := world.installation_of(account.id)) and not installation.suspended_at
    ]


def github_state(world: World, accounts: Collection[Account]) -> State:
    """What GitHub has of these accounts."""
    installed = [
        (account, installation)
        for account in accounts
        if (installation := world.installation_of(account.id))
    ]
    teams = [team for account in accounts for team in world.teams_of(account.id)]
    users = {(each.id, each.id) for each in accounts if each.type == "User"}
    ids = {account.id for account in accounts}
    return {
        "installations": {(a.id, i.id, i.repository_selection) for a, i in installed},
        "accounts": {(account.id, account.login) for account in accounts},
        "repositories": {
            (r.id, world.full_name(r), r.private, r.archived, installation.id)
            for _, installation in installed
            for r in world.installed_repositories(installation)
        },
        "members": {key for key in world.memberships if key[0] in ids} | users,
        "teams": {(team.id, team.slug, team.name, team.privacy) for team in teams},
        "team_members": {(t.id, user, role) for t in teams for user, role in t.members.items()},
        "team_repositories": {
            (t.id, each, permission) for t in teams for each, permission in t.repositories.items()
        },
    }
