"""Tenants for the scoring tests, made by the database's owner."""

from tests.support.database import Database

ORGANIZATION_ID = 70


def an_installation(database: Database, installation_id: int = 7) -> int:
    """An organization with an installation on it; returns the installation's id."""
    account = ORGANIZATION_ID + installation_id
    with database.connect() as owner:
        owner.execute(
            "INSERT INTO organizations (id, login) VALUES (%s, %s)", (account, f"org{account}")
        )
        owner.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 1, %s)",
            (installation_id, account),
        )
    return installation_id
