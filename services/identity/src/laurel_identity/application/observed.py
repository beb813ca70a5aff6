"""Collects what is read of one installation, each thing once, until it is taken in."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from laurel_identity.application.batch import Batch
from laurel_identity.application.findings import Findings, Given, Key
from laurel_identity.domain.entities import Kind, Relation, Repository, Team, User
from laurel_identity.domain.github import AppInstallation, GitHubAccount
from laurel_identity.domain.owners import AccountType, ImportedOwner


class Observed:
    """Of an installation's account; what is not added was not read."""

    def __init__(self, account: GitHubAccount) -> None:
        self._account = account
        self._owners = {account.id: account}
        self._repositories: dict[int, Repository] = {}
        self._relations: dict[Kind, dict[Key, Relation]] = defaultdict(dict)
        self._complete: dict[Kind, set[int]] = defaultdict(set)
        self.users: dict[int, User] = {}
        self.teams: dict[int, Team] = {}
        self.given: Given | None = None
        self.absent: dict[Kind, set[Key]] = defaultdict(set)
        self.gone_teams: set[int] = set()
        self.teams_are_complete = False
        if account.account_type is AccountType.USER:
            self._relate(Kind.MEMBERSHIP, account.id, account.id, "admin")

    def add_repositories(self, repositories: Iterable[Repository]) -> None:
        """Repositories of the account."""
        self._repositories |= {each.id: each for each in repositories}

    def add_repository(self, repository: Repository, owner: GitHubAccount) -> None:
        """A repository of any account."""
        self._repositories[repository.id] = repository
        self._owners[owner.id] = owner

    def add_members(self, members: Iterable[tuple[User, str]]) -> None:
        """All members of the account."""
        self._complete[Kind.MEMBERSHIP].add(self._account.id)
        for user, role in members:
            self.add_member(user, role)

    def add_member(self, user: User, role: str) -> None:
        """A member of the account."""
        self.users[user.id] = user
        self._relate(Kind.MEMBERSHIP, self._account.id, user.id, role)

    def add_team(
        self,
        team: Team,
        members: Iterable[tuple[User, str]],
        repositories: Iterable[tuple[Repository, GitHubAccount, str]],
    ) -> None:
        """A team with all that it has."""
        self.teams[team.id] = team
        self._complete[Kind.TEAM_MEMBER].add(team.id)
        self._complete[Kind.TEAM_REPOSITORY].add(team.id)
        for user, role in members:
            self.add_team_member(team.id, user, role)
        for repository, owner, permission in repositories:
            self.add_repository(repository, owner)
            self._relate(Kind.TEAM_REPOSITORY, team.id, repository.id, permission)

    def add_team_member(self, team_id: int, user: User, role: str) -> None:
        """A member of a team."""
        self.users[user.id] = user
        self._relate(Kind.TEAM_MEMBER, team_id, user.id, role)

    def findings(self, installation: AppInstallation, observed_at: datetime) -> Findings:
        """All of it, as seen at one moment."""
        return Findings(
            installation.installation_id,
            installation,
            observed_at,
            Batch(
                users=list(self.users.values()),
                owners=[_owner(each) for each in self._owners.values()],
                repositories=list(self._repositories.values()),
                teams=list(self.teams.values()),
                memberships=list(self._relations[Kind.MEMBERSHIP].values()),
                team_members=list(self._relations[Kind.TEAM_MEMBER].values()),
                team_repositories=list(self._relations[Kind.TEAM_REPOSITORY].values()),
            ),
            self.given,
            {kind: frozenset(keys) for kind, keys in self.absent.items()},
            {kind: frozenset(lefts) for kind, lefts in self._complete.items()},
            frozenset(self.gone_teams),
            self.teams_are_complete,
        )

    def _relate(self, kind: Kind, left: int, right: int, role: str) -> None:
        self._relations[kind][left, right] = Relation(left, right, role)


def _owner(account: GitHubAccount) -> ImportedOwner:
    return ImportedOwner(account.id, account.login, account.account_type, account.avatar_url)
