"""EraseInstallation, and erasing by schedule what was uninstalled long ago."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier
from structlog.testing import capture_logs

from laurel.identity.v1 import installation_pb2 as pb
from laurel.identity.v1 import installation_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import DependencyUnavailable, RemoteError
from laurel_common.testing.clock import FakeClock
from laurel_identity.domain.works import Heir
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.rows import Rows

INSTALLED, UNINSTALLED, IMPORTED = 71, 72, -700


@dataclass
class Others:
    """The services that hold something of installations: they need two calls, and may fail."""

    asked: list[int] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    async def forget(self, installation_id: int) -> bool:
        self.asked.append(installation_id)
        if self.trouble:
            raise self.trouble.pop()
        return self.asked.count(installation_id) % 2 == 0

    async def signals(self, former: int, later: int, repository_id: int = 0) -> bool:
        raise AssertionError("nothing moves")

    async def boards(self, former: int, heir: Heir) -> None:
        raise AssertionError("nothing moves")

    async def repository_boards(self, former: int, repository_id: int) -> None:
        raise AssertionError("nothing moves")

    async def presets(self, former: int, later: int) -> None:
        raise AssertionError("nothing moves")


@dataclass
class Tenants:
    """Identity with an installation of each kind, each on an account of its own."""

    identity: Identity
    others: Others
    database: Database

    async def erase(self, installation_id: int) -> None:
        request = pb.EraseInstallationRequest(installation_id=installation_id)
        await self.identity.installations.EraseInstallation(request)

    async def work(self) -> None:
        """Does what there is to do by now."""
        lane = self.identity.built.lane
        for account_id in await lane.works.open_subjects():
            await lane.work(account_id)

    def left(self) -> set[int]:
        with self.database.connect() as owner:
            rows = owner.execute("SELECT installation_id FROM github_installations").fetchall()
        return {row[0] for row in rows}


@pytest.fixture
async def tenants(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Tenants]:
    clock, others = FakeClock(), Others()
    with database.connect() as owner:
        rows = Rows(owner)
        gone = {"suspended_at": clock.now(), "suspended_by": "uninstalled"}
        kinds: dict[int, dict[str, Any]] = {
            INSTALLED: {"app_id": 9},
            UNINSTALLED: {"app_id": 9, **gone},
            IMPORTED: {"app_id": 0},
        }
        for number, (installation_id, changes) in enumerate(kinds.items()):
            account = rows.organization(id=700 + number, login=f"acme-{number}")
            rows.installation(installation_id=installation_id, organization_id=account, **changes)
    async with running_identity(
        database, redis_url, tmp_path, clock=clock, history=others
    ) as identity:
        yield Tenants(identity, others, database)


async def test_what_an_operator_erases_goes_whatever_fails_on_the_way(tenants: Tenants) -> None:
    tenants.others.trouble.append(DependencyUnavailable())
    for _ in range(2):
        await tenants.erase(IMPORTED)
    await tenants.work()
    assert IMPORTED in tenants.left(), "the attempt failed"
    await tenants.work()
    assert tenants.others.asked == [IMPORTED], "the next attempt is not due yet"
    tenants.identity.clock.advance(timedelta(minutes=10))
    await tenants.work()
    assert tenants.left() == {INSTALLED, UNINSTALLED}
    with pytest.raises(RemoteError) as gone:
        await tenants.erase(IMPORTED)
    assert (gone.value.code, gone.value.reason) == ("NOT_FOUND", "INSTALLATION_NOT_FOUND")


async def test_what_was_uninstalled_is_erased_after_thirty_days(tenants: Tenants) -> None:
    schedule, clock = tenants.identity.built.lane.erase_uninstalled, tenants.identity.clock
    clock.advance(timedelta(days=29, hours=23))
    await schedule()
    await tenants.work()
    assert tenants.left() == {INSTALLED, UNINSTALLED, IMPORTED}
    clock.advance(timedelta(hours=2))
    for _ in range(2):
        await schedule()
    await tenants.work()
    assert tenants.left() == {INSTALLED, IMPORTED}
    assert set(tenants.others.asked) == {UNINSTALLED}


async def test_nothing_of_the_tenant_stands_anywhere_but_in_the_log_of_what_was_done(
    tenants: Tenants,
) -> None:
    account, kept = 702, 701
    with tenants.database.connect() as owner:
        rows = Rows(owner)
        user = rows.user(id=880_001)
        repository = rows.repository(id=880_002, organization_id=account)
        team = rows.team(account, id=880_003)
        other = rows.repository(id=880_004, organization_id=kept)
        rows.insert("organization_memberships", organization_id=account, user_id=user)
        rows.insert("team_members", team_id=team, user_id=user)
        rows.insert("team_repositories", team_id=team, repository_id=repository)
        rows.insert("installation_repositories", installation_id=IMPORTED, repository_id=repository)
        for kind, id_ in ((1, user), (2, account), (3, repository), (4, team), (3, other)):
            rows.insert(
                "entity_observations", kind=kind, entity_id=id_, observed_at="2026-01-01T00:00Z"
            )
        heard = {"kind": 6, "entity_id": team, "related_id": user}
        rows.insert("entity_observations", **heard, observed_at="2026-01-01T00:00Z")
        assert _places(owner, [repository]) > {"repositories", "installation_repositories"}
    await tenants.erase(IMPORTED)
    await tenants.work()
    with tenants.database.connect() as owner:
        assert _places(owner, [IMPORTED, account, repository, team]) == {"installation_works"}
        assert _places(owner, [user]) == {"users", "entity_observations"}
        assert _places(owner, [other, kept]) >= {"repositories", "organizations"}


async def test_what_somebody_else_refers_to_stays(tenants: Tenants) -> None:
    account, repository = 702, 880_002
    with tenants.database.connect() as owner:
        rows = Rows(owner)
        rows.repository(id=repository, organization_id=account)
        rows.repository(id=880_005, organization_id=account)
        # Its signals have gone with it to another installation.
        rows.signal(INSTALLED, rows.user(), repository)
    await tenants.erase(IMPORTED)
    await tenants.work()
    with tenants.database.connect() as owner:
        assert _places(owner, [repository]) == {"repositories", "signals_default"}
        assert _places(owner, [880_005]) == set()
        assert _places(owner, [account]) >= {"organizations"}


async def test_an_account_with_another_installation_is_known_on(tenants: Tenants) -> None:
    with tenants.database.connect() as owner:
        rows = Rows(owner)
        rows.repository(id=880_002, organization_id=702)
        rows.installation(installation_id=79, app_id=9, organization_id=702)
    await tenants.erase(IMPORTED)
    await tenants.work()
    assert tenants.left() == {INSTALLED, UNINSTALLED, 79}
    with tenants.database.connect() as owner:
        assert _places(owner, [880_002]) == {"repositories"}


def _places(owner: Connection[Any], ids: Sequence[int]) -> set[str]:
    """The tables of the whole schema that hold any of these numbers."""
    columns = owner.execute(
        "SELECT c.table_name, c.column_name FROM information_schema.columns AS c"
        " JOIN information_schema.tables AS t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND c.data_type = 'bigint'"
        " AND t.table_type = 'BASE TABLE' AND (c.column_name <> 'id'"
        " OR c.table_name IN ('users', 'organizations', 'repositories', 'teams'))"
    ).fetchall()
    assert len(columns) > 100
    query = SQL("SELECT EXISTS (SELECT FROM {} WHERE {} = ANY(%s))")
    return {
        table
        for table, column in columns
        if owner.execute(query.format(Identifier(table), Identifier(column)), [ids]).fetchone()
        == (True,)
    } - {"signals"}


async def test_what_is_installed_is_not_erased(tenants: Tenants) -> None:
    with pytest.raises(RemoteError) as refused:
        await tenants.erase(INSTALLED)
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "APP_INSTALLED")
    with pytest.raises(RemoteError) as faulty:
        await tenants.erase(0)
    assert faulty.value.reason == "INVALID_REQUEST"
    for kind in (PrincipalKind.BACKEND, PrincipalKind.GATEWAY, PrincipalKind.SERVICE):
        stub = installation_pb2_grpc.InstallationServiceStub(
            tenants.identity.server.channel(kind, name="ingest")
        )
        with pytest.raises(RemoteError) as refused:
            await stub.EraseInstallation(pb.EraseInstallationRequest(installation_id=IMPORTED))
        assert refused.value.reason == "CALLER_NOT_ALLOWED"
    await tenants.work()
    assert tenants.left() == {INSTALLED, UNINSTALLED, IMPORTED}


async def test_nothing_is_forgotten_of_what_github_has_again(tenants: Tenants) -> None:
    await tenants.erase(UNINSTALLED)
    with tenants.database.connect() as owner:
        owner.execute(
            "UPDATE github_installations SET suspended_at = NULL, suspended_by = NULL"
            " WHERE installation_id = %s",
            (UNINSTALLED,),
        )
    await tenants.work()
    assert tenants.others.asked == []
    assert UNINSTALLED in tenants.left()
    with tenants.database.connect() as owner:
        (outcome,) = owner.execute("SELECT outcome FROM installation_works").fetchall()
    assert outcome == ("moot",)


async def test_signals_wait_for_the_installation_of_their_repositorys_account(
    tenants: Tenants,
) -> None:
    clock, repository_id = tenants.identity.clock, 4711
    with tenants.database.connect() as owner:
        rows = Rows(owner)
        elsewhere = rows.organization(id=799, login="elsewhere")
        rows.repository(id=repository_id, organization_id=elsewhere)
        owner.execute(
            "INSERT INTO installation_works"
            " (account_id, kind, installation_id, repository_id, requested_by)"
            " VALUES (%s, 'transfer', %s, %s, 'identity')",
            (elsewhere, INSTALLED, repository_id),
        )
    with capture_logs() as lines:
        await tenants.work()
    assert not [line for line in lines if line.get("exc_info") or line["log_level"] == "warning"]
    with tenants.database.connect() as owner:
        (waiting,) = owner.execute(
            "SELECT last_error, next_attempt_at, finished_at FROM installation_works"
        ).fetchall()
    assert waiting == ("HEIR_MISSING", clock.now() + timedelta(days=1), None)
