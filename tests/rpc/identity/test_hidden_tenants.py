"""A tenant that the caller may not see and one that is not there answer alike: with the same words,
and after the same work, so that nobody can tell them apart by waiting either.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from laurel.identity.v1 import directory_access_pb2 as access
from laurel.identity.v1 import directory_lists_pb2 as lists
from laurel.identity.v1 import directory_lookups_pb2 as lookups
from laurel.identity.v1 import directory_pb2_grpc, installation_pb2, installation_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.people import ACME, OPEN_TEAM, session_of, settle, token_of

# Zoe is an admin of another tenant.
STRANGER = "zoe"
NOWHERE = 999
Ask = Callable[["Stubs", Any], Any]


class Stubs:
    """Identity as the stranger calls it, and as a service asks about the stranger."""

    def __init__(self, identity: Identity) -> None:
        user = identity.server.channel_with(StaticToken(token_of(STRANGER)))
        self.directory = directory_pb2_grpc.DirectoryServiceStub(user)
        self.tenants = installation_pb2_grpc.InstallationServiceStub(user)
        service = identity.server.channel(PrincipalKind.SERVICE, name="scoring")
        self.service = directory_pb2_grpc.DirectoryServiceStub(service)


@pytest.fixture
async def identity(
    module_database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Identity]:
    """Time stands still: nothing that is kept lapses between two calls."""
    async with running_identity(
        module_database, redis_url, tmp_path, monotonic=lambda: 100.0
    ) as running:
        with module_database.connect() as owner:
            if owner.execute("SELECT 1 FROM github_installations").fetchone() is None:
                settle(owner, now=running.clock.now())
        yield running


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of the database, by any engine, meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        # How long it may take is what remains of the call's own time.
        if not statement.startswith("SET LOCAL statement_timeout"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("ask", "hidden", "missing"),
    [
        pytest.param(
            lambda to, id_: to.tenants.GetInstallation(
                installation_pb2.GetInstallationRequest(installation_id=id_)
            ),
            ACME,
            NOWHERE,
            id="GetInstallation",
        ),
        pytest.param(
            lambda to, login: to.tenants.GetInstallation(
                installation_pb2.GetInstallationRequest(account_login=login)
            ),
            "acme",
            "nowhere",
            id="GetInstallation, by login",
        ),
        pytest.param(
            lambda to, id_: to.tenants.SyncInstallations(
                installation_pb2.SyncInstallationsRequest(installation_id=id_)
            ),
            ACME,
            NOWHERE,
            id="SyncInstallations",
        ),
        pytest.param(
            lambda to, id_: to.directory.GetOrganization(
                lookups.GetOrganizationRequest(organization_id=id_)
            ),
            10,
            NOWHERE,
            id="GetOrganization",
        ),
        pytest.param(
            lambda to, login: to.directory.GetOrganization(
                lookups.GetOrganizationRequest(login=login)
            ),
            "acme",
            "nowhere",
            id="GetOrganization, by login",
        ),
        pytest.param(
            lambda to, id_: to.directory.ListRepositories(
                lists.ListRepositoriesRequest(installation_id=id_)
            ),
            ACME,
            NOWHERE,
            id="ListRepositories",
        ),
        pytest.param(
            lambda to, id_: to.directory.ListTeams(lists.ListTeamsRequest(installation_id=id_)),
            ACME,
            NOWHERE,
            id="ListTeams",
        ),
        pytest.param(
            lambda to, id_: to.directory.ListTeamMembers(
                lists.ListTeamMembersRequest(installation_id=id_, team_id=OPEN_TEAM)
            ),
            ACME,
            NOWHERE,
            id="ListTeamMembers",
        ),
        pytest.param(
            lambda to, id_: to.directory.ListTeamRepositories(
                lists.ListTeamRepositoriesRequest(installation_id=id_)
            ),
            ACME,
            NOWHERE,
            id="ListTeamRepositories",
        ),
        pytest.param(
            lambda to, id_: to.service.CheckAccess(
                access.CheckAccessRequest(session_id=session_of(STRANGER), installation_id=id_)
            ),
            ACME,
            NOWHERE,
            id="CheckAccess",
        ),
        pytest.param(
            lambda to, id_: to.service.CheckAccess(
                access.CheckAccessRequest(
                    session_id=session_of(STRANGER), installation_id=id_, require_admin=True
                )
            ),
            ACME,
            NOWHERE,
            id="CheckAccess, for admins",
        ),
    ],
)
async def test_what_is_hidden_is_answered_as_what_is_not_there(
    identity: Identity, ask: Ask, hidden: Any, missing: Any
) -> None:
    stubs = Stubs(identity)

    async def answered(what: Any) -> tuple[Any, list[str]]:
        """The words of the refusal, and the statements that were run for it."""
        identity.forget()
        with statements() as seen, pytest.raises(RemoteError) as refused:
            await ask(stubs, what)
        told = refused.value
        words = (
            *(told.code, told.reason, told.message),
            *(told.violations, told.retry_after, told.metadata),
        )
        return words, seen

    # Once for what is only done at a session's first call.
    await answered(missing)
    words, work = await answered(hidden)
    assert words[0] == "NOT_FOUND"
    assert (words, work) == await answered(missing)
    # Nor does what is kept of it tell them apart.
    assert (words, work) == await answered(hidden)
