"""Sessions opened, listed, ended, and kept in order in auth_sessions and beside it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db.transaction import transaction
from laurel_common.errors import ReferenceMissing
from laurel_identity.domain.errors import SessionNotFound
from laurel_identity.domain.github_tokens import GitHubTokens
from laurel_identity.domain.sessions import Session
from laurel_identity.storage.columns import any_id
from laurel_identity.storage.session_rows import TOKEN_COLUMNS, columns_of, tokens_in
from laurel_identity.storage.sessions import SESSIONS
from laurel_identity.storage.tables import (
    auth_sessions,
    github_installations,
    organization_memberships,
    session_installations,
    session_leases,
    session_repositories,
)
from laurel_identity.storage.token_cipher import TokenCipher, TokenUnreadable

_REFERENCES = {
    "fk_auth_sessions_user": ReferenceMissing,
    "fk_session_repositories_session": SessionNotFound,
    "fk_session_installations_session": SessionNotFound,
    "fk_session_leases_session": SessionNotFound,
}


class SqlSessionStore:
    """A SessionStore over PostgreSQL."""

    def __init__(self, engine: AsyncEngine, cipher: TokenCipher) -> None:
        self._engine = engine
        self._cipher = cipher

    async def open(self, session: Session, tokens: GitHubTokens) -> None:
        """Writes a session down."""
        row = {
            "id": session.id,
            "user_id": session.user_id,
            "created_at": session.created_at,
            "expires_at": session.expires_at,
        }
        async with transaction(self._engine, constraints=_REFERENCES) as connection:
            columns = columns_of(self._cipher, session.id, tokens)
            await connection.execute(insert(auth_sessions).values(row | columns))

    async def tokens(self, session_id: str) -> GitHubTokens | None:
        """The GitHub tokens of a session."""
        query = select(*TOKEN_COLUMNS).where(
            auth_sessions.c.id == session_id, auth_sessions.c.tokens_encrypted
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        try:
            return tokens_in(self._cipher, row)[0]
        except TokenUnreadable:
            return None

    async def replace_tokens(self, session_id: str, tokens: GitHubTokens) -> bool:
        """Writes refreshed tokens down and gives the lease back."""
        async with transaction(self._engine) as connection:
            written = await connection.execute(
                update(auth_sessions)
                .where(auth_sessions.c.id == session_id)
                .values(columns_of(self._cipher, session_id, tokens))
            )
            await self._release(connection, session_id)
        return written.rowcount == 1

    async def lease(self, session_id: str, now: datetime, length: timedelta) -> bool:
        """Takes the lease on refreshing a session's token, where nobody has it."""
        until = now + length
        taken = (
            insert(session_leases)
            .values(session_id=session_id, leased_until=until)
            .on_conflict_do_update(
                index_elements=[session_leases.c.session_id],
                set_={"leased_until": until},
                where=session_leases.c.leased_until <= now,
            )
            .returning(session_leases.c.session_id)
        )
        async with transaction(self._engine, constraints=_REFERENCES) as connection:
            return (await connection.execute(taken)).one_or_none() is not None

    async def release(self, session_id: str) -> None:
        """Gives the lease back."""
        async with transaction(self._engine) as connection:
            await self._release(connection, session_id)

    async def sessions_of(
        self, user_id: int, now: datetime, after: str | None, limit: int
    ) -> Sequence[Session]:
        """At most `limit` sessions of a user that last, with ids above `after`."""
        page = (
            SESSIONS.where(auth_sessions.c.user_id == user_id, auth_sessions.c.expires_at > now)
            .order_by(auth_sessions.c.id)
            .limit(limit)
        )
        if after is not None:
            page = page.where(auth_sessions.c.id > after)
        async with transaction(self._engine) as connection:
            return [Session(*row) for row in await connection.execute(page)]

    async def end(self, session_id: str, *, user_id: int | None = None) -> bool:
        """Ends a session; only one of this user's, where one is given."""
        ending = delete(auth_sessions).where(auth_sessions.c.id == session_id)
        if user_id is not None:
            ending = ending.where(auth_sessions.c.user_id == user_id)
        async with transaction(self._engine) as connection:
            return (await connection.execute(ending)).rowcount == 1

    async def end_all(self, user_id: int, *, but: str | None = None) -> Collection[str]:
        """Ends a user's sessions; the ids of those that there were."""
        ending = delete(auth_sessions).where(auth_sessions.c.user_id == user_id)
        if but is not None:
            ending = ending.where(auth_sessions.c.id != but)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(ending.returning(auth_sessions.c.id))
            return [row[0] for row in rows]

    async def link(
        self,
        session_id: str,
        installations: Collection[int],
    ) -> Collection[int]:
        """Makes these installations, of those that are known, the ones that GitHub lists to the
        session; the known ones.
        """
        known = select(github_installations.c.installation_id).where(
            any_id(github_installations.c.installation_id, installations)
        )
        async with transaction(self._engine, constraints=_REFERENCES) as connection:
            found = [row[0] for row in await connection.execute(known)]
            await connection.execute(
                delete(session_installations).where(
                    session_installations.c.session_id == session_id,
                    not_(any_id(session_installations.c.installation_id, found)),
                )
            )
            if found:
                rows = [
                    {"session_id": session_id, "installation_id": each} for each in sorted(found)
                ]
                await connection.execute(
                    insert(session_installations).values(rows).on_conflict_do_nothing()
                )
        return found

    async def note_readable(
        self, session_id: str, installation_id: int, repository_ids: Collection[int], now: datetime
    ) -> None:
        """Keeps which repositories of an installation the session can read."""
        values = {"repository_ids": sorted(repository_ids), "read_at": now}
        row = {"session_id": session_id, "installation_id": installation_id} | values
        noted = (
            insert(session_repositories)
            .values(row)
            .on_conflict_do_update(
                index_elements=[
                    session_repositories.c.session_id,
                    session_repositories.c.installation_id,
                ],
                set_=values,
            )
        )
        async with transaction(self._engine, constraints=_REFERENCES) as connection:
            await connection.execute(noted)

    async def leave_others(self, user_id: int, organizations: Collection[int]) -> None:
        """Ends the user's memberships of all other organizations that have the App."""
        member = organization_memberships
        with_app = select(github_installations.c.organization_id).where(
            github_installations.c.organization_id.is_not(None), github_installations.c.app_id != 0
        )
        async with transaction(self._engine) as connection:
            await connection.execute(
                delete(member).where(
                    member.c.user_id == user_id,
                    member.c.organization_id.in_(with_app),
                    not_(any_id(member.c.organization_id, organizations)),
                )
            )

    async def note_role(self, user_id: int, organization_id: int, role: str) -> None:
        """Keeps a member's role as GitHub just told it."""
        member = organization_memberships
        async with transaction(self._engine) as connection:
            await connection.execute(
                update(member)
                .where(
                    member.c.user_id == user_id,
                    member.c.organization_id == organization_id,
                    member.c.role != role,
                )
                .values(role=role)
            )

    async def clear_away(self, *, wait: bool) -> int:
        """Deletes expired sessions; those in use only where it is to `wait` for them."""
        clearing = func.purge_expired_auth_sessions() if wait else func.cleanup_expired_sessions()
        async with transaction(self._engine) as connection:
            return int((await connection.execute(select(clearing))).scalar_one())

    async def rotate(self, after: str, limit: int) -> tuple[str | None, int, int]:
        """Encrypts a slice of sessions above an id anew; the last id of the slice (None at the
        end), how many were, and how many no key opens.
        """
        query = (
            select(*TOKEN_COLUMNS)
            .where(auth_sessions.c.id > after, auth_sessions.c.tokens_encrypted)
            .order_by(auth_sessions.c.id)
            .limit(limit)
            .with_for_update()
        )
        rotated = unreadable = 0
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
            for row in rows:
                try:
                    tokens, current = tokens_in(self._cipher, row)
                except TokenUnreadable:
                    unreadable += 1
                    continue
                if not current:
                    columns = columns_of(self._cipher, row.id, tokens)
                    await connection.execute(
                        update(auth_sessions).where(auth_sessions.c.id == row.id).values(columns)
                    )
                    rotated += 1
        return (rows[-1].id if len(rows) == limit else None), rotated, unreadable

    @staticmethod
    async def _release(connection: AsyncConnection, session_id: str) -> None:
        await connection.execute(
            delete(session_leases).where(session_leases.c.session_id == session_id)
        )
