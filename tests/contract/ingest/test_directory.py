"""The Directory port: identity over gRPC, and what ingest's own tests put in its place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from laurel.identity.v1 import directory_lookups_pb2
from laurel_common.auth.tokens import TokenSource
from laurel_common.errors import InstallationNotFound
from laurel_ingest.application.ports import Directory, RepositoryEntry
from laurel_ingest.clients.directory import IdentityDirectory
from laurel_ingest.domain.archive_frames import read_event
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.identities import (
    hashed_email,
    is_synthetic,
    synthetic_id_of_email,
    synthetic_id_of_login,
)
from laurel_ingest.domain.people import Person, person_of
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.texts import is_tombstone
from tests.rpc.identity.conftest import running_identity
from tests.support.database import Database
from tests.support.ingest_directory import DatabaseDirectory

ACME = Owner("Acme", 7_000, False)
AT = 1_620_036_000


@pytest.fixture(params=["identity", "tests' own"])
async def directory(
    request: pytest.FixtureRequest, database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[Directory]:
    """Each implementation in turn, knowing nobody."""
    if request.param == "identity":
        async with running_identity(database, redis_url, tmp_path) as identity:
            # The key named "ingest" is listed already; its stubs' channel is what a new one has.
            tokens = TokenSource("ingest", identity.server.keys.private_key("ingest"))
            yield IdentityDirectory(identity.server.channel_with(tokens))
    else:
        yield DatabaseDirectory(database.url())


async def test_an_owner_becomes_an_installation_once_in_any_spelling(directory: Directory) -> None:
    first = await directory.enter_owners([ACME], AT)
    again = await directory.enter_owners([Owner("ACME")], AT + 1)
    assert first["acme"].account_id == 7_000
    assert first["acme"].installation_id == -7_000
    assert again == first


async def test_an_owner_without_an_id_gets_a_synthetic_one(directory: Directory) -> None:
    account = (await directory.enter_owners([Owner("nobody")], AT))["nobody"]
    assert is_synthetic(account.account_id)
    assert account.installation_id == -account.account_id


async def test_names_lead_to_those_who_were_entered(directory: Directory) -> None:
    account = (await directory.enter_owners([ACME], AT))["acme"]
    people = [
        Person(5, "Bob"),
        Person(synthetic_id_of_email("x@y.z"), None, "X"),
        Person(synthetic_id_of_email("old@users.noreply.github.com"), "old"),
        Person(synthetic_id_of_login("carol"), "carol"),
    ]
    repository = RepositoryEntry(500, "Acme/Rocket", account.account_id, "main")

    await directory.enter(people, [repository], AT)

    found = await directory.resolve(["BOB", "carol", "old", "none"], ["acme/rocket", "acme/none"])
    assert found.user_ids == {"bob": 5, "carol": synthetic_id_of_login("carol")}
    assert found.repository_ids == {"acme/rocket": 500}
    assert await directory.missing_users([each.user_id for each in people] + [6]) == {6}
    known = await directory.missing_repositories(account.installation_id, [500, 501])
    assert known == {501}


async def test_hashed_private_addresses_lead_to_whoever_has_id_and_login(
    directory: Directory,
) -> None:
    hashed = [
        synthetic_id_of_email(hashed_email(f"{local}@users.noreply.github.com"))
        for local in ("5+Bob", "5+bob", "Bob", "bob")
    ]
    stranger = synthetic_id_of_email("bob@example.com")
    assert await directory.claimants([*hashed, stranger]) == {}
    await directory.enter([Person(5, "Bob"), Person(stranger, None, "Bob")], [], AT)
    assert await directory.claimants([*hashed, stranger]) == dict.fromkeys(hashed, 5)


async def test_a_login_that_no_source_told_leaves_the_known_one_alone(
    directory: Directory,
) -> None:
    await directory.enter([Person(5, "Bob")], [], AT)
    await directory.enter([Person(5, None, "Bobby"), Person(6)], [], AT + 1)
    assert (await directory.resolve(["bob"], [])).user_ids == {"bob": 5}
    assert await directory.missing_users([5, 6]) == set()


async def test_an_address_renames_nobody_and_makes_nobody_a_bot(directory: Directory) -> None:
    await directory.enter([Person(5, "Bob")], [], AT)
    await directory.enter([Person(5, None, "evil[bot]", None, True)], [], AT + 1)
    await directory.enter([Person(6, None, "victim", None, True)], [], AT + 2)
    assert (await directory.resolve(["bob", "victim", "evil[bot]"], [])).user_ids == {"bob": 5}
    if isinstance(directory, IdentityDirectory):
        request = directory_lookups_pb2.BatchGetUsersRequest(user_ids=[5, 6])
        known = (await directory._directory.BatchGetUsers(request)).users
        assert [(each.login, each.name, each.is_bot) for each in known] == [
            ("Bob", "", False),
            ("~6", "victim", False),
        ]


ODD_NAMES = ("~5", "~-5", "~٣", "~", "author~0", "x" * 255, "\x00", "☃", "\ud800", "K", "-")


async def test_whatever_sources_call_things_the_directory_takes_what_was_read(
    directory: Directory,
) -> None:
    for number, name in enumerate(ODD_NAMES, start=1):
        person = person_of({"id": number, "login": name})
        assert person is not None
        await directory.enter([person], [], AT)
        for full_name in (f"{name}/rocket", f"acme/{name}"):
            raw = {"type": "PushEvent", "created_at": AT, "repo": {"id": 500, "name": full_name}}
            try:
                event = read_event(raw)
            except MalformedError:
                assert is_tombstone(name), name
                continue
            account = (await directory.enter_owners([event.owner], AT))[event.owner.login.lower()]
            entry = RepositoryEntry(500, event.full_name, account.account_id)
            await directory.enter([], [entry], AT)
    assert await directory.missing_users(range(1, len(ODD_NAMES) + 1)) == set()


async def test_a_repository_made_again_takes_its_name_over(directory: Directory) -> None:
    account = (await directory.enter_owners([ACME], AT))["acme"]
    for repository_id in (500, 501):
        entry = RepositoryEntry(repository_id, "acme/rocket", account.account_id)
        await directory.enter([], [entry], AT)
    found = await directory.resolve([], ["acme/rocket"])
    assert found.repository_ids == {"acme/rocket": 501}


async def test_an_installation_is_there_once_its_owner_was_entered(directory: Directory) -> None:
    if isinstance(directory, DatabaseDirectory):
        directory.installations = {-7_000}
    await directory.enter_owners([ACME], AT)
    await directory.require_installation(-7_000)
    with pytest.raises(InstallationNotFound):
        await directory.require_installation(-7_001)
