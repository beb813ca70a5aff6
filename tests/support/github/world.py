"""What the simulated GitHub has: plain records that tests read and change directly."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.support.github.app import App
from tests.support.github.tokens import Token

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Account:
    """A user (or bot) or an organization; they share one id space."""

    id: int
    login: str
    type: str = "User"
    name: str | None = None
    email: str | None = None
    # What an organization's members may do with each of its repositories: none, read, write.
    base_permission: str = "none"
    created_at: datetime = LONG_AGO
    updated_at: datetime = LONG_AGO


@dataclass
class Repository:
    """A repository; `collaborators` have a permission of their own, by user id."""

    id: int
    owner_id: int
    name: str
    private: bool = False
    archived: bool = False
    fork: bool = False
    has_issues: bool = True
    default_branch: str = "main"
    description: str | None = None
    collaborators: dict[int, str] = field(default_factory=dict)
    created_at: datetime = LONG_AGO
    updated_at: datetime = LONG_AGO


@dataclass
class Team:
    """A team: roles (member, maintainer) by user id, permissions by repository id."""

    id: int
    organization_id: int
    slug: str
    name: str
    description: str | None = None
    privacy: str = "closed"
    members: dict[int, str] = field(default_factory=dict)
    repositories: dict[int, str] = field(default_factory=dict)


@dataclass
class Installation:
    """The App on an account; `repository_ids` count where the selection is `selected`."""

    id: int
    account_id: int
    repository_selection: str = "all"
    repository_ids: set[int] = field(default_factory=set)
    suspended_at: datetime | None = None
    suspended_by: int | None = None
    created_at: datetime = LONG_AGO
    updated_at: datetime = LONG_AGO


@dataclass
class Attempt:
    """An attempt to deliver a webhook of the App's; `guid` is the same at each one."""

    id: int
    guid: str
    event: str
    delivered_at: datetime
    status_code: int
    redelivery: bool = False
    installation_id: int | None = None
    repository_id: int | None = None


@dataclass
class World:
    """Everything there is, by id; `memberships` are roles by organization's and user's id."""

    app: App = field(default_factory=App.made)
    accounts: dict[int, Account] = field(default_factory=dict)
    memberships: dict[tuple[int, int], str] = field(default_factory=dict)
    repositories: dict[int, Repository] = field(default_factory=dict)
    teams: dict[int, Team] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    # What happened in them (activity.py), and where they were found before they were renamed.
    activities: dict[int, object] = field(default_factory=dict)
    former_names: dict[str, int] = field(default_factory=dict)
    # What became of the App's webhooks, oldest first (routes_hook.py).
    attempts: list[Attempt] = field(default_factory=list)
    # What OAuth gave out (oauth.py).
    oauth: Any = None
    last_id: int = 70_000

    def next_id(self) -> int:
        """An id that nothing has yet."""
        self.last_id += 1
        return self.last_id

    def user(self, login: str, **values: object) -> Account:
        """Adds a user."""
        return self._account(Account(self.next_id(), login), values)

    def organization(self, login: str, **values: object) -> Account:
        """Adds an organization."""
        return self._account(Account(self.next_id(), login, "Organization"), values)

    def repository(self, owner: Account, name: str, **values: object) -> Repository:
        """Adds a repository of an account."""
        made = replace(Repository(self.next_id(), owner.id, name), **values)  # type: ignore[arg-type]  # named by the test
        self.repositories[made.id] = made
        return made

    def team(self, organization: Account, slug: str, **values: object) -> Team:
        """Adds a team of an organization."""
        made = replace(Team(self.next_id(), organization.id, slug, slug.title()), **values)  # type: ignore[arg-type]  # as above
        self.teams[made.id] = made
        return made

    def install(self, account: Account, **values: object) -> Installation:
        """Installs the App on an account."""
        made = replace(Installation(self.next_id(), account.id), **values)  # type: ignore[arg-type]  # as above
        self.installations[made.id] = made
        return made

    def join(self, organization: Account, user: Account, role: str = "member") -> None:
        """Makes a user a member of an organization, or changes its role."""
        self.memberships[organization.id, user.id] = role

    def user_token(self, user: Account, expires_at: datetime | None = None) -> str:
        """A user-to-server token of the App's for a user."""
        value = f"ghu_{secrets.token_hex(18)}"
        self.tokens[value] = Token(value, "user", user.id, expires_at)
        return value

    def attempt(
        self, guid: str, event: str, at: datetime, status_code: int, **about: int
    ) -> Attempt:
        """Adds an attempt to deliver a webhook about an installation, a repository."""
        made = Attempt(self.next_id(), guid, event, at, status_code, False, **about)
        self.attempts.append(made)
        return made

    def account_named(self, login: str) -> Account | None:
        """The account of a login, whatever its case."""
        return next((a for a in self.accounts.values() if a.login.lower() == login.lower()), None)

    def full_name(self, repository: Repository) -> str:
        """owner/name."""
        return f"{self.accounts[repository.owner_id].login}/{repository.name}"

    def installation_of(self, account_id: int) -> Installation | None:
        """The App's installation on an account."""
        return next((i for i in self.installations.values() if i.account_id == account_id), None)

    def repositories_of(self, account_id: int) -> list[Repository]:
        """An account's repositories, by id."""
        owned = (r for r in self.repositories.values() if r.owner_id == account_id)
        return sorted(owned, key=lambda repository: repository.id)

    def installed_repositories(self, installation: Installation) -> list[Repository]:
        """The repositories that an installation was given, by id."""
        owned = self.repositories_of(installation.account_id)
        if installation.repository_selection == "all":
            return owned
        return [repository for repository in owned if repository.id in installation.repository_ids]

    def teams_of(self, organization_id: int) -> list[Team]:
        """An organization's teams, by id."""
        own = (team for team in self.teams.values() if team.organization_id == organization_id)
        return sorted(own, key=lambda team: team.id)

    def may_read(self, user_id: int, repository: Repository) -> bool:
        """Whether GitHub shows a repository to a user."""
        owner = self.accounts[repository.owner_id]
        role = self.memberships.get((owner.id, user_id))
        return (
            not repository.private
            or owner.id == user_id
            or user_id in repository.collaborators
            or role == "admin"
            or (role is not None and owner.base_permission != "none")
            or any(
                user_id in team.members and repository.id in team.repositories
                for team in self.teams_of(owner.id)
            )
        )

    def _account(self, account: Account, values: dict[str, object]) -> Account:
        made = replace(account, **values)  # type: ignore[arg-type]  # as above
        self.accounts[made.id] = made
        return made
