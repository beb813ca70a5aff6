"""What happens on GitHub: each step changes the world and leaves the events that tell of it."""

from datetime import datetime

from tests.support.github.events import Event, Events
from tests.support.github.world import Account, Installation, Repository, Team, World


class Life:
    """Acts on a world as people do. Accounts without the App, or with a suspended one, send
    nothing.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: list[Event] = []
        self._build = Events(world)

    def install(self, account: Account, selection: str = "all") -> Installation:
        """Somebody installs the App, under a new id."""
        installation = self.world.install(account, repository_selection=selection)
        self.events.append(self._build.installation("created", installation))
        return installation

    def uninstall(self, account: Account) -> None:
        """Somebody uninstalls it."""
        installation = self.world.installation_of(account.id)
        if installation is not None:
            self.events.append(self._build.installation("deleted", installation))
            del self.world.installations[installation.id]

    def suspend(self, account: Account, at: datetime | None) -> None:
        """Somebody suspends the installation, or unsuspends it."""
        installation = self.world.installation_of(account.id)
        if installation is not None:
            installation.suspended_at = at
            action = "unsuspend" if at is None else "suspend"
            self.events.append(self._build.installation(action, installation))

    def select(self, account: Account, repositories: list[Repository]) -> None:
        """The installation is given these repositories alone."""
        if installation := self._told(account):
            installation.repository_selection = "selected"
            installation.repository_ids = {repository.id for repository in repositories}
            self.events.append(self._build.installation_repositories("added", installation))

    def rename(self, account: Account, login: str) -> None:
        """An account gets another login; its repositories are called after it."""
        account.login = login
        if installation := self._told(account):
            self.events.append(self._build.installation_target(installation))
            if account.type == "Organization":
                self.events.append(self._build.organization("renamed", installation))

    def join(self, organization: Account, user: Account) -> None:
        """A user becomes a member."""
        self.world.join(organization, user)
        if installation := self._told(organization):
            self.events.append(self._build.organization("member_added", installation, user))

    def leave(self, organization: Account, user: Account) -> None:
        """A member leaves the organization and all of its teams."""
        if self.world.memberships.pop((organization.id, user.id), None) is None:
            return
        for team in self.world.teams_of(organization.id):
            self.leave_team(team, user)
        if installation := self._told(organization):
            self.events.append(self._build.organization("member_removed", installation, user))

    def delete_user(self, user: Account) -> None:
        """A user deletes the account."""
        for organization_id, member in list(self.world.memberships):
            if member == user.id:
                self.leave(self.world.accounts[organization_id], user)
        del self.world.accounts[user.id]

    def create_team(self, organization: Account, slug: str, privacy: str = "closed") -> Team:
        """A team is made."""
        team = self.world.team(organization, slug, privacy=privacy)
        self._of_team("created", team)
        return team

    def edit_team(self, team: Team, slug: str, privacy: str) -> None:
        """A team is renamed, or shown to others than before."""
        team.slug, team.name, team.privacy = slug, slug.title(), privacy
        self._of_team("edited", team)

    def delete_team(self, team: Team) -> None:
        """A team is deleted."""
        self._of_team("deleted", team)
        del self.world.teams[team.id]

    def join_team(self, team: Team, user: Account, role: str = "member") -> None:
        """A member of the organization joins a team."""
        if (team.organization_id, user.id) in self.world.memberships:
            team.members[user.id] = role
            self._of_member("added", team, user)

    def leave_team(self, team: Team, user: Account) -> None:
        """A member leaves a team."""
        if team.members.pop(user.id, None) is not None:
            self._of_member("removed", team, user)

    def give_team(self, team: Team, repository: Repository, permission: str | None) -> None:
        """A team gets a repository of its organization, or loses it."""
        if repository.owner_id != team.organization_id:
            return
        if permission is None:
            team.repositories.pop(repository.id, None)
        else:
            team.repositories[repository.id] = permission
        action = "removed_from_repository" if permission is None else "added_to_repository"
        self._of_team(action, team)

    def create_repository(self, owner: Account, name: str) -> Repository:
        """A repository is made."""
        repository = self.world.repository(owner, name)
        self._of_repository("created", repository)
        return repository

    def change_repository(self, repository: Repository, action: str, **values: object) -> None:
        """renamed, privatized, publicized, archived, unarchived."""
        for name, value in values.items():
            setattr(repository, name, value)
        self._of_repository(action, repository)

    def delete_repository(self, repository: Repository) -> None:
        """A repository is deleted."""
        self._of_repository("deleted", repository)
        self._take_from_teams(repository)
        del self.world.repositories[repository.id]

    def transfer(self, repository: Repository, to: Account) -> None:
        """A repository gets another owner, unless its name is taken there; both are told."""
        if any(own.name == repository.name for own in self.world.repositories_of(to.id)):
            return
        former = self.world.accounts[repository.owner_id]
        self._take_from_teams(repository)
        repository.owner_id = to.id
        for account in (former, to):
            if installation := self._told(account):
                event = self._build.repository("transferred", installation, repository)
                self.events.append(event)

    def _take_from_teams(self, repository: Repository) -> None:
        for team in self.world.teams.values():
            team.repositories.pop(repository.id, None)

    def _of_repository(self, action: str, repository: Repository) -> None:
        if installation := self._told(self.world.accounts[repository.owner_id]):
            self.events.append(self._build.repository(action, installation, repository))

    def _of_team(self, action: str, team: Team) -> None:
        if installation := self._told(self.world.accounts[team.organization_id]):
            self.events.append(self._build.team(action, installation, team))

    def _of_member(self, action: str, team: Team, user: Account) -> None:
        if installation := self._told(self.world.accounts[team.organization_id]):
            self.events.append(self._build.membership(action, installation, team, user))

    def _told(self, account: Account) -> Installation | None:
        installation = self.world.installation_of(account.id)
        if installation is None or installation.suspended_at is not None:
            return None
        return installation
