"""How sessions stand to installations."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db.errors import typed_errors
from laurel_identity.domain.access import Standing
from laurel_identity.domain.errors import SessionNotFound
from laurel_identity.storage.installation_queries import account_of
from laurel_identity.storage.tables import (
    auth_sessions,
    github_installations,
    installation_repositories,
    installation_works,
    organization_memberships,
    organizations,
    repositories,
    session_installations,
    session_repositories,
    team_members,
    teams,
)

_OWNS: ColumnElement[bool] = func.coalesce(
    github_installations.c.user_account_id == auth_sessions.c.user_id, literal(False)
)
_IS_MEMBER = and_(
    organization_memberships.c.user_id == auth_sessions.c.user_id,
    organization_memberships.c.organization_id == account_of,
)
_IS_LINKED = and_(
    session_installations.c.session_id == auth_sessions.c.id,
    session_installations.c.installation_id == github_installations.c.installation_id,
)


class SqlAccessReader:
    """An AccessReader over PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        # One statement each: a transaction around it would cost three more round trips.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def standing(
        self, session_id: str, installation_id: int, now: datetime
    ) -> Standing | None:
        """How the session's user stands to the installation."""
        rows = await self._rows(_standing(session_id, installation_id))
        if not rows or rows[0].expires_at <= now:
            raise SessionNotFound
        found = rows[0]
        if found.installation_id is None:
            return None
        return Standing(
            session_id=session_id,
            user_id=found.user_id,
            installation_id=installation_id,
            account_id=found.account_id,
            account_login=found.login,
            app_id=found.app_id,
            owns=found.owns,
            role=found.role,
            linked=found.linked_id is not None,
            readable=None if found.repository_ids is None else frozenset(found.repository_ids),
            read_at=found.read_at,
        )

    async def private_repositories(self, standing: Standing) -> Collection[int]:
        """The private repositories of the installation and of its account."""
        seen = installation_repositories
        in_installation = exists().where(
            seen.c.repository_id == repositories.c.id,
            seen.c.installation_id == standing.installation_id,
        )
        # Those that left the installation have left their signals in it, and those that left the
        # account too, until somebody has the App who they can follow them to.
        of_account = repositories.c.organization_id == standing.account_id
        left_account = exists().where(
            installation_works.c.repository_id == repositories.c.id,
            installation_works.c.installation_id == standing.installation_id,
        )
        query = select(repositories.c.id).where(
            repositories.c.is_private, or_(of_account, in_installation, left_account)
        )
        return [row[0] for row in await self._rows(query)]

    async def foreign_secret_teams(self, standing: Standing) -> Collection[int]:
        """The account's secret teams that the user is not in."""
        member = exists().where(
            team_members.c.team_id == teams.c.id, team_members.c.user_id == standing.user_id
        )
        query = select(teams.c.id).where(
            teams.c.organization_id == standing.account_id, teams.c.privacy == "secret", ~member
        )
        return [row[0] for row in await self._rows(query)]

    async def seen_installations(self, session_id: str) -> Collection[int]:
        """The installations that the session's user may know of."""
        session = auth_sessions.c.id == session_id
        linked = select(session_installations.c.installation_id).where(
            session_installations.c.session_id == session_id
        )
        member = (
            select(github_installations.c.installation_id)
            .join(
                organization_memberships, organization_memberships.c.organization_id == account_of
            )
            .join(auth_sessions, auth_sessions.c.user_id == organization_memberships.c.user_id)
            .where(session)
        )
        own = (
            select(github_installations.c.installation_id)
            .join(auth_sessions, auth_sessions.c.user_id == github_installations.c.user_account_id)
            .where(session)
        )
        return {row[0] for row in await self._rows(linked.union(member, own))}

    async def _rows(self, query: Any) -> list[Any]:
        with typed_errors():
            async with self._engine.connect() as connection:
                return list((await connection.execute(query)).all())


def _standing(session_id: str, installation_id: int) -> Select[Any]:
    """One row where there is the session; its installation_id is null where there is none."""
    installation = github_installations.c.installation_id == installation_id
    known = and_(
        session_repositories.c.session_id == auth_sessions.c.id,
        session_repositories.c.installation_id == installation_id,
    )
    return (
        select(
            auth_sessions.c.user_id,
            auth_sessions.c.expires_at,
            github_installations.c.installation_id,
            github_installations.c.app_id,
            account_of.label("account_id"),
            organizations.c.login,
            _OWNS.label("owns"),
            organization_memberships.c.role,
            session_installations.c.installation_id.label("linked_id"),
            session_repositories.c.repository_ids,
            session_repositories.c.read_at,
        )
        .select_from(auth_sessions)
        .outerjoin(github_installations, installation)
        .outerjoin(organizations, organizations.c.id == account_of)
        .outerjoin(organization_memberships, _IS_MEMBER)
        .outerjoin(session_installations, _IS_LINKED)
        .outerjoin(session_repositories, known)
        .where(auth_sessions.c.id == session_id, auth_sessions.c.tokens_encrypted)
    )
