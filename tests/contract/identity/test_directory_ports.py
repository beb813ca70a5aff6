"""What every implementation of identity's storage ports owes the use cases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from laurel_common.errors import LaurelError
from laurel_identity.application.ports import DirectoryWriter, WriteScope
from laurel_identity.domain.entities import Kind, Organization, Relation, Repository, Team, User
from laurel_identity.domain.installations import Visibility
from laurel_identity.domain.names import synthetic_account_id, tombstone
from laurel_identity.domain.owners import AccountInstallation, AccountType
from laurel_identity.domain.planning import Plan, RelationPlan, Rename, Stored, StoredRelation
from tests.contract.identity.conftest import Storage

T = TypeVar("T")
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
EVERYTHING = Visibility()
S = synthetic_account_id("acme")
SCOPE = WriteScope(
    accounts=frozenset({1, 2, 3, 10, 20, S}),
    logins=frozenset({"ada", "bob", "acme", "globex"}),
    repositories=frozenset({100, 101}),
    full_names=frozenset({"acme/api", "acme/web"}),
    teams=frozenset({50, 51}),
    team_slugs=frozenset({(10, "core")}),
)
ADA, BOB = User(1, "Ada", "Ada L.", "https://a/1", True), User(2, "bob")
API = Repository(100, "Acme/api", 10, True, False, True, "main", "https://h", NOW)
WEB = Repository(101, "Acme/web", None, False, False, False)
CORE = Team(50, 10, "Core", "Core team", "the core", "secret")


async def write(storage: Storage, work: Callable[[DirectoryWriter], Awaitable[T]]) -> T:
    return await storage.directory.write(SCOPE, work)


async def fill(storage: Storage) -> None:
    """Ada and Bob, acme with its installation, two repositories, one team."""

    async def work(writer: DirectoryWriter) -> None:
        await writer.users.apply(Plan(insert=(ADA, BOB), observed=(1,)), NOW)
        accounts = (Organization(10, "Acme"), Organization(20, "globex", "Globex", "https://g"))
        await writer.organizations.apply(Plan(insert=accounts), NOW)
        await writer.accounts.install({10: AccountType.ORGANIZATION})
        await writer.repositories.apply(Plan(insert=(API, WEB)), NOW)
        await writer.teams.apply(Plan(insert=(CORE,)), NOW)
        await writer.relations(Kind.TEAM_MEMBER).apply(
            RelationPlan(insert=(Relation(50, 1, "maintainer"), Relation(50, 2, "member"))), NOW
        )
        await writer.accounts.settle_repositories({100, 101}, set())

    await write(storage, work)


async def test_a_row_is_found_by_id_and_by_folded_name_and_comes_once(storage: Storage) -> None:
    await fill(storage)

    async def work(writer: DirectoryWriter) -> None:
        assert await writer.users.load({1}, {"ada"}) == [Stored(ADA, NOW)]
        assert await writer.users.load(set(), {"bob"}) == [Stored(BOB, None)]
        assert await writer.users.load({99}, {"nobody"}) == []
        assert await writer.repositories.load({100}, set()) == [Stored(API, None)]
        assert await writer.teams.load(set(), {(10, "core"), (20, "core")}) == [Stored(CORE, None)]
        assert await writer.users.existing({1, 2, 99}) == {1, 2}

    await write(storage, work)


async def test_a_plan_is_carried_out_whole(storage: Storage) -> None:
    await fill(storage)
    carol = User(3, "bob", "Carol")

    async def work(writer: DirectoryWriter) -> None:
        renamed = User(1, "countess", None, "", False)
        plan = Plan(
            vacate=(Rename(BOB, BOB.tombstoned()),),
            rename=(Rename(ADA, renamed),),
            insert=(carol,),
            observed=(1, 3),
        )
        await writer.users.apply(plan, NOW + timedelta(hours=1))
        await writer.organizations.apply(Plan(revise=(Organization(10, "Acme", "ACME Inc"),)), NOW)

    await write(storage, work)
    found = await storage.reader.users({1, 2, 3}, bots_only=False)
    assert found == [User(1, "countess"), User(2, tombstone(2)), carol]
    account = await storage.reader.organization(10, EVERYTHING)
    assert account is not None
    assert account.name == "ACME Inc"


async def test_an_observation_never_moves_back(storage: Storage) -> None:
    await fill(storage)

    async def work(writer: DirectoryWriter) -> None:
        await writer.users.apply(Plan(observed=(1, 2)), NOW - timedelta(hours=1))
        rows = await writer.users.load({1, 2}, set())
        assert {row.entity.id: row.observed_at for row in rows} == {
            1: NOW,
            2: NOW - timedelta(hours=1),
        }

    await write(storage, work)


async def test_what_raises_is_gone(storage: Storage) -> None:
    class AbandonedError(LaurelError):
        pass

    async def work(writer: DirectoryWriter) -> None:
        await writer.users.apply(Plan(insert=(ADA,), observed=(1,)), NOW)
        raise AbandonedError

    with pytest.raises(AbandonedError):
        await write(storage, work)
    assert await storage.reader.users({1}, bots_only=False) == []


async def test_writes_of_one_scope_do_not_run_at_the_same_time(storage: Storage) -> None:
    inside = most = 0

    async def work(writer: DirectoryWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await writer.users.existing({1})
        await writer.users.existing({2})
        inside -= 1

    await asyncio.gather(*(write(storage, work) for _ in range(4)))
    assert most == 1


async def test_relations_are_put_and_found(storage: Storage) -> None:
    await fill(storage)

    async def work(writer: DirectoryWriter) -> None:
        store = writer.relations(Kind.TEAM_MEMBER)
        plan = RelationPlan(revise=(Relation(50, 2, "maintainer"),), observed=((50, 2),))
        await store.apply(plan, NOW)
        assert await store.load({(50, 2), (50, 9)}) == [
            StoredRelation(Relation(50, 2, "maintainer"), NOW)
        ]

    await write(storage, work)


async def test_accounts_are_known_by_id_and_login(storage: Storage) -> None:
    await fill(storage)

    async def work(writer: DirectoryWriter) -> None:
        known = await writer.accounts.known({10, 1, S}, {"acme", "ada", "nobody"})
        assert known.organizations == {"acme": 10}
        assert known.users == {"ada": 1}
        assert known.user_ids == {1}
        assert known.installations == {10: AccountInstallation(-10, 0, AccountType.ORGANIZATION)}
        assert not known.merged
        assert not known.synthetic

    await write(storage, work)


async def test_a_merged_account_is_remembered(storage: Storage) -> None:
    await fill(storage)

    async def work(writer: DirectoryWriter) -> None:
        twin = Organization(S, "acme-without-id")
        await writer.organizations.apply(Plan(insert=(twin,)), NOW)
        await writer.accounts.merge({S: 10})
        assert await writer.accounts.merged({S, 10}) == {S: 10}
        assert (await writer.accounts.known({S}, set())).synthetic == set()

    await write(storage, work)
    found = await storage.reader.organization(S, EVERYTHING)
    assert found is not None
    assert found.id == 10


async def test_readers_show_only_what_is_visible(storage: Storage) -> None:
    await fill(storage)
    reader, tenants = storage.reader, storage.tenants
    nothing, acme = Visibility(frozenset()), Visibility(frozenset({-10}))
    for visibility, ids in ((EVERYTHING, [10, 20]), (acme, [10]), (nothing, [])):
        accounts = await reader.organizations(None, 9, visibility)
        assert [each.id for each in accounts] == ids
        named = await reader.organizations_by_login({"acme", "globex"}, visibility)
        assert [each.id for each in named] == ids
        repositories = await reader.repositories_by_full_name({"acme/api"}, visibility)
        assert repositories == ([API] if ids else [])
        listed = await tenants.installations(None, 9, visibility)
        assert [each.account_id for each in listed] == ids[:1]


async def test_tenants_are_read_by_key(storage: Storage) -> None:
    await fill(storage)
    tenants = storage.tenants
    assert await tenants.repositories(-10, None, 9, ()) == [API]
    assert await tenants.repositories(-10, 100, 9, ()) == []
    assert await tenants.repositories(-10, None, 9, {101}) == []
    assert await tenants.teams(10, None, 9, ()) == [CORE]
    assert await tenants.teams(20, None, 9, ()) == []
    members = [Relation(50, 1, "maintainer"), Relation(50, 2, "member")]
    assert await tenants.team_relations(Kind.TEAM_MEMBER, 10, None, None, 9) == members
    assert await tenants.team_relations(Kind.TEAM_MEMBER, 10, 50, (50, 1), 9) == members[1:]
    assert await tenants.team_relations(Kind.TEAM_MEMBER, 10, None, None, 1) == members[:1]
    assert await tenants.team_relations(Kind.TEAM_MEMBER, 20, None, None, 9) == []
    installation = await tenants.installation_of_login("acme")
    assert installation == await tenants.installation(-10)
    assert installation is not None
    assert (installation.repository_count, installation.account_login) == (1, "Acme")
    assert await tenants.installation(-20) is None
