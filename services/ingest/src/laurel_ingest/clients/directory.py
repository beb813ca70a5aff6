"""Identity's directory over gRPC."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    directory_upserts_pb2,
    entities_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel_common.errors import InstallationNotFound, RemoteError
from laurel_ingest.application.ports import Account, RepositoryEntry, Resolved
from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.identities import is_synthetic, synthetic_id_of_login
from laurel_ingest.domain.people import Person
from laurel_ingest.domain.texts import clean

# Below what one request may hold (20,000 entities, 10,000 ids), and light enough for one message.
_ENTITIES: Final = 5_000
_IDS: Final = 10_000

T = TypeVar("T")


class IdentityDirectory:
    """Calls identity over a channel whose calls raise RemoteError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._directory = directory_pb2_grpc.DirectoryServiceStub(channel)
        self._installations = installation_pb2_grpc.InstallationServiceStub(channel)

    async def resolve(
        self, user_logins: Collection[str], repository_names: Collection[str]
    ) -> Resolved:
        """Ids behind names, chunk by chunk."""
        users: dict[str, int] = {}
        repositories: dict[str, int] = {}
        for logins in _chunks(user_logins, _IDS):
            response = await self._directory.ResolveLogins(
                directory_lookups_pb2.ResolveLoginsRequest(user_logins=logins)
            )
            users.update({user.login.lower(): user.id for user in response.users})
        for names in _chunks(repository_names, _IDS):
            response = await self._directory.ResolveLogins(
                directory_lookups_pb2.ResolveLoginsRequest(repository_full_names=names)
            )
            repositories.update({each.full_name.lower(): each.id for each in response.repositories})
        return Resolved(users, repositories)

    async def claimants(self, synthetic_ids: Collection[int]) -> Mapping[int, int]:
        """Users behind synthetic ids, chunk by chunk."""
        users: dict[int, int] = {}
        for ids in _chunks(synthetic_ids, _IDS):
            response = await self._directory.ResolveLogins(
                directory_lookups_pb2.ResolveLoginsRequest(synthetic_user_ids=ids)
            )
            users.update(
                {each.synthetic_user_id: each.user_id for each in response.synthetic_users}
            )
        return users

    async def enter_owners(
        self, owners: Sequence[Owner], observed_at: int
    ) -> Mapping[str, Account]:
        """Owners become installations, unless they have one."""
        accounts: dict[str, Account] = {}
        for chunk in _chunks(owners, _ENTITIES):
            response = await self._directory.UpsertEntities(
                directory_upserts_pb2.UpsertEntitiesRequest(
                    observe_time=Timestamp(seconds=observed_at),
                    imported_owners=[_owner(owner) for owner in chunk],
                )
            )
            for owner, resolved in zip(chunk, response.owners, strict=True):
                account = Account(resolved.account_id, resolved.installation_id)
                accounts[owner.login.lower()] = account
        return accounts

    async def enter(
        self, users: Sequence[Person], repositories: Sequence[RepositoryEntry], observed_at: int
    ) -> None:
        """Users and repositories, chunk by chunk.

        Whom nothing but a commit's address tells of is entered as nobody has ever seen them:
        anything that is known of them stands.
        """
        observed = Timestamp(seconds=observed_at)
        seen = [user for user in users if not _is_unseen(user)]
        unseen = [user for user in users if _is_unseen(user)]
        for group, at in ((seen, observed), (unseen, Timestamp())):
            for people in _chunks(group, _ENTITIES):
                await self._directory.UpsertEntities(
                    directory_upserts_pb2.UpsertEntitiesRequest(
                        observe_time=at, users=[_user(person) for person in people]
                    )
                )
        for entries in _chunks(repositories, _ENTITIES):
            await self._directory.UpsertEntities(
                directory_upserts_pb2.UpsertEntitiesRequest(
                    observe_time=observed, repositories=[_repository(entry) for entry in entries]
                )
            )

    async def missing_users(self, user_ids: Collection[int]) -> set[int]:
        """Ids that no user has."""
        missing = set(user_ids)
        for ids in _chunks(user_ids, _IDS):
            response = await self._directory.BatchGetUsers(
                directory_lookups_pb2.BatchGetUsersRequest(user_ids=ids)
            )
            missing -= {user.id for user in response.users}
        return missing

    async def missing_repositories(
        self, installation_id: int, repository_ids: Collection[int]
    ) -> set[int]:
        """Ids of repositories that the installation does not have."""
        missing = set(repository_ids)
        for ids in _chunks(repository_ids, _IDS):
            response = await self._directory.ListRepositories(
                directory_lists_pb2.ListRepositoriesRequest(
                    installation_id=installation_id, repository_ids=ids, page_size=len(ids)
                )
            )
            missing -= {each.id for each in response.repositories}
        return missing

    async def require_installation(self, installation_id: int) -> None:
        """Raises InstallationNotFound unless identity knows it."""
        request = installation_pb2.GetInstallationRequest(installation_id=installation_id)
        try:
            await self._installations.GetInstallation(request)
        except RemoteError as error:
            if error.reason == InstallationNotFound.reason:
                raise InstallationNotFound from error
            raise


def _owner(owner: Owner) -> directory_upserts_pb2.ImportedOwner:
    kinds = {
        None: types_pb2.ACCOUNT_TYPE_UNSPECIFIED,
        True: types_pb2.ACCOUNT_TYPE_USER,
        False: types_pb2.ACCOUNT_TYPE_ORGANIZATION,
    }
    return directory_upserts_pb2.ImportedOwner(
        account_id=owner.account_id or 0,
        login=owner.login,
        account_type=kinds[owner.is_user],
        avatar_url=owner.avatar_url or "",
    )


def _is_unseen(person: Person) -> bool:
    return person.login is None and not is_synthetic(person.user_id)


def _user(person: Person) -> entities_pb2.User:
    name = person.name or (person.login if is_synthetic(person.user_id) else None)
    return entities_pb2.User(
        id=person.user_id,
        login=_login(person),
        name=clean(name)[:1024] if name else None,
        avatar_url=person.avatar_url or "",
        is_bot=person.is_bot and not _is_unseen(person),
    )


def _login(person: Person) -> str:
    """A login of their own; none of somebody whom GitHub numbered and no source named; of somebody
    known by an address alone, one that GitHub gives nobody.

    The older form of GitHub's private address tells a login, too, but whoever bears that login may
    be somebody else by now.
    """
    if person.login is not None and (
        not is_synthetic(person.user_id) or person.user_id == synthetic_id_of_login(person.login)
    ):
        return person.login
    if not is_synthetic(person.user_id):
        return ""
    return f"author~{-person.user_id - 2**62:016x}"


def _repository(entry: RepositoryEntry) -> entities_pb2.Repository:
    return entities_pb2.Repository(
        id=entry.repository_id,
        full_name=entry.full_name,
        organization_id=entry.account_id,
        default_branch=entry.default_branch,
        is_fork=entry.is_fork,
        is_private=entry.is_private,
        is_archived=entry.is_archived,
    )


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    whole = list(items)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
