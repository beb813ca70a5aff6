"""What the use cases need of the outside, and what an implementation of it owes them."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from laurel_identity.domain.entities import (
    Entity,
    Kind,
    Organization,
    Relation,
    Repository,
    Team,
    User,
)
from laurel_identity.domain.github import AppInstallation
from laurel_identity.domain.installations import (
    NOTHING_HIDDEN,
    Account,
    Hidden,
    Installation,
    Visibility,
)
from laurel_identity.domain.owners import AccountInstallation, AccountType, KnownAccounts
from laurel_identity.domain.planning import Plan, RelationPlan, Stored, StoredRelation

T = TypeVar("T")
E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class WriteScope:
    """Everything that a write is going to read or change, by id and by (folded) name.

    Users and organizations share ids and logins: both stand in `accounts` and `logins`.
    `team_slugs` are pairs of organization and folded slug.
    """

    accounts: frozenset[int] = frozenset()
    logins: frozenset[str] = frozenset()
    repositories: frozenset[int] = frozenset()
    full_names: frozenset[str] = frozenset()
    teams: frozenset[int] = frozenset()
    team_slugs: frozenset[tuple[int, str]] = frozenset()


class EntityStore(Protocol[E]):
    """The rows of one kind of entity."""

    async def load(self, ids: Collection[int], keys: Collection[Hashable]) -> Sequence[Stored[E]]:
        """The rows with one of the ids or one of the name keys, each once."""
        ...

    async def apply(self, plan: Plan[E], observed_at: datetime) -> None:
        """Carries a plan out in its order, in as many statements as it has parts."""
        ...

    async def existing(self, ids: Collection[int]) -> set[int]:
        """Those of the ids that have a row."""
        ...


class RelationStore(Protocol):
    """The rows of one kind of relation."""

    async def load(self, keys: Collection[tuple[int, int]]) -> Sequence[StoredRelation]:
        """The rows with one of the keys, and when those that are not there were seen not to be."""
        ...

    async def keys_of(self, lefts: Collection[int]) -> set[tuple[int, int]]:
        """The keys of all rows with one of the left sides."""
        ...

    async def apply(self, plan: RelationPlan, observed_at: datetime) -> None:
        """Carries a plan out in as many statements as it has parts."""
        ...


class AccountStore(Protocol):
    """Accounts as tenants: their installations, and what those can see."""

    async def known(self, ids: Collection[int], logins: Collection[str]) -> KnownAccounts:
        """What the directory knows about these ids and (folded) logins."""
        ...

    async def merged(self, ids: Collection[int]) -> Mapping[int, int]:
        """Which accounts the synthetic ones among the ids turned out to be."""
        ...

    async def by_login(self, logins: Collection[str]) -> Mapping[str, int]:
        """The accounts that hold these (folded) logins."""
        ...

    async def merge(self, pairs: Mapping[int, int]) -> None:
        """Gives all that identity holds of each synthetic account to the account it turned out
        to be: repositories, teams, memberships, and its installation where the other has none.
        """
        ...

    async def installations(self, accounts: Collection[int]) -> Mapping[int, AccountInstallation]:
        """The installation of each account that has one; of several, the App's own."""
        ...

    async def install(self, accounts: Mapping[int, AccountType]) -> None:
        """Gives each account, which has none, the installation of an imported one."""
        ...

    async def retype(self, kinds: Mapping[int, AccountType]) -> None:
        """Makes imported installations (by id) ones of the other type of account."""
        ...

    async def link_unowned(self, accounts: Collection[int]) -> set[int]:
        """Gives repositories of unknown account to the one of these that has their owner's login;
        the ids of the repositories.
        """
        ...

    async def team_places(self, members: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """(team, user) of the teams of each (organization, user) that the user is in."""
        ...

    async def settle_repositories(
        self, repository_ids: Collection[int], accounts: Collection[int]
    ) -> None:
        """Makes these repositories, and all of these accounts, stand in the installation of
        their account and in no other, and keeps repository_count true. What an installation of
        selected repositories sees is GitHub's to say: nothing joins it here.
        """
        ...


class PrivateAddressStore(Protocol):
    """Whom GitHub's private addresses stand for."""

    async def add(self, users: Collection[tuple[int, str]]) -> None:
        """Notes the addresses of these ids and logins; they stay when the logins change."""
        ...


class InstallationStore(Protocol):
    """The App's installations as GitHub has them, and the repositories that they were given."""

    async def put(self, installation: AppInstallation, observed_at: datetime) -> bool:
        """Writes the row, unless something newer is known; whether it did. What the account's
        imported and uninstalled installations hold is noted to move into the App's own.
        """
        ...

    async def uninstall(self, installation_id: int, observed_at: datetime) -> bool:
        """Suspends what GitHub has no more, unless something newer is known or it is none of
        GitHub's; whether it did. Notes likewise what has to move.
        """
        ...

    async def transferred(self, former: Mapping[int, int]) -> None:
        """Notes that signals have to follow repositories (by id, with the account that each had)
        to their accounts' installations.
        """
        ...

    async def give(
        self,
        installation_id: int,
        present: Collection[int],
        absent: Collection[int],
        observed_at: datetime,
        *,
        is_complete: bool,
    ) -> None:
        """Writes which repositories an installation has and has not, as far as nothing newer is
        known of each; `is_complete`: it has none but `present`. Keeps repository_count true.
        """
        ...


class TeamStore(EntityStore[Team], Protocol):
    """The teams, which can also go."""

    async def vanished(self, ids: Collection[int]) -> Mapping[int, datetime]:
        """When those of the ids that have no row were seen not to be, as far as they were."""
        ...

    async def remove(self, ids: Collection[int], observed_at: datetime) -> None:
        """Deletes teams, with their members and repositories, that nothing newer is known of."""
        ...


class DirectoryWriter(Protocol):
    """The directory inside one transaction that nothing of its scope changes beside."""

    @property
    def users(self) -> EntityStore[User]: ...

    @property
    def organizations(self) -> EntityStore[Organization]: ...

    @property
    def repositories(self) -> EntityStore[Repository]: ...

    @property
    def teams(self) -> TeamStore: ...

    @property
    def accounts(self) -> AccountStore: ...

    @property
    def installations(self) -> InstallationStore: ...

    @property
    def private_addresses(self) -> PrivateAddressStore: ...

    def relations(self, kind: Kind) -> RelationStore:
        """The store of memberships, team members or team repositories."""
        ...


class Directory(Protocol):
    """Writes to the directory."""

    async def write(self, scope: WriteScope, work: Callable[[DirectoryWriter], Awaitable[T]]) -> T:
        """Runs `work` in one transaction: committed when it returns, gone when it raises.

        Writes whose scopes overlap wait for one another from the start, so that they neither
        deadlock nor overwrite each other's. `work` may run more than once.
        Raises ConcurrentChange where others are in the way again and again, ReferenceMissing
        where a row that it refers to vanished meanwhile, DatabaseUnavailable.
        """
        ...


class DirectoryReader(Protocol):
    """Lookups of users, accounts, repositories and teams. Ids and names repeat or not, in any
    order; what nobody has is left out. Raises DatabaseUnavailable.
    """

    async def users(self, ids: Collection[int], *, bots_only: bool) -> Sequence[User]:
        """Users by id, ordered by id."""
        ...

    async def users_by_login(self, logins: Collection[str]) -> Sequence[User]:
        """Users by folded login, ordered by id."""
        ...

    async def users_by_synthetic_id(self, synthetic_ids: Collection[int]) -> Mapping[int, int]:
        """The users whose private addresses these synthetic ids were made of; of several, the
        one with the lowest id.
        """
        ...

    async def organizations_by_login(
        self, logins: Collection[str], visibility: Visibility
    ) -> Sequence[Account]:
        """Accounts by folded login, ordered by id."""
        ...

    async def repositories_by_full_name(
        self, full_names: Collection[str], visibility: Visibility
    ) -> Sequence[Repository]:
        """Repositories by folded full name, ordered by id."""
        ...

    async def organization(self, account_id: int, visibility: Visibility) -> Account | None:
        """One account; a synthetic id finds the account that it turned out to be."""
        ...

    async def organizations(
        self, after: int | None, limit: int, visibility: Visibility
    ) -> Sequence[Account]:
        """At most `limit` accounts with ids above `after`, by id."""
        ...


class TenantReader(Protocol):
    """Lookups within an installation. Raises DatabaseUnavailable."""

    async def installation(self, installation_id: int) -> Installation | None:
        """One installation."""
        ...

    async def installation_of_login(self, login: str) -> Installation | None:
        """The installation of the account with this folded login; of several, the App's own."""
        ...

    async def installations(
        self, after: int | None, limit: int, visibility: Visibility
    ) -> Sequence[Installation]:
        """At most `limit` installations with ids above `after`, by id."""
        ...

    async def repositories(
        self,
        installation_id: int,
        after: int | None,
        limit: int,
        only: Collection[int],
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Sequence[Repository]:
        """At most `limit` shown repositories above `after`, by id; `only` these, unless empty."""
        ...

    async def teams(
        self,
        account_id: int,
        after: int | None,
        limit: int,
        only: Collection[int],
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Sequence[Team]:
        """At most `limit` shown teams above `after`, by id; `only` these, unless empty."""
        ...

    async def team_relations(
        self,
        kind: Kind,
        account_id: int,
        team_id: int | None,
        after: tuple[int, int] | None,
        limit: int,
        *,
        hidden: Hidden = NOTHING_HIDDEN,
    ) -> Sequence[Relation]:
        """At most `limit` members or repositories of the account's teams (of one of them, where
        `team_id` is given) above the key `after`, by key, without hidden teams and repositories.
        """
        ...
