"""Webhook events as the simulated GitHub would send them, of what its world has right now."""

from dataclasses import dataclass
from typing import Any

from tests.support.github import shapes
from tests.support.github.world import Account, Installation, Repository, Team, World


@dataclass(frozen=True)
class Event:
    """What a delivery carries: GitHub's name of the event, and the body."""

    name: str
    payload: dict[str, Any]


class Events:
    """Builds events of one world; the ids of what is gone come from the records themselves."""

    def __init__(self, world: World) -> None:
        self._world = world

    def installation(self, action: str, installation: Installation) -> Event:
        """created, deleted, suspend, unsuspend, new_permissions_accepted."""
        body = {"action": action, "installation": shapes.installation(self._world, installation)}
        return Event("installation", body)

    def installation_repositories(self, action: str, installation: Installation) -> Event:
        """added, removed."""
        body = {"action": action, "installation": shapes.installation(self._world, installation)}
        return Event("installation_repositories", body)

    def installation_target(self, installation: Installation) -> Event:
        """renamed."""
        account = self._world.accounts[installation.account_id]
        body = {"action": "renamed", "account": shapes.account(account)}
        return Event("installation_target", body | self._sent_to(installation))

    def organization(
        self, action: str, installation: Installation, user: Account | None = None
    ) -> Event:
        """renamed, deleted, member_added, member_removed."""
        organization = self._world.accounts[installation.account_id]
        body: dict[str, Any] = {
            "action": action,
            "organization": shapes.organization(organization),
        }
        if user is not None:
            body["membership"] = {"state": "active", "user": shapes.account(user)}
        return Event("organization", body | self._sent_to(installation))

    def membership(
        self, action: str, installation: Installation, team: Team, user: Account
    ) -> Event:
        """added, removed."""
        body = {
            "action": action,
            "scope": "team",
            "member": shapes.account(user),
            "team": {"id": team.id, "name": team.name, "slug": team.slug},
        }
        return Event("membership", body | self._sent_to(installation))

    def team(self, action: str, installation: Installation, team: Team) -> Event:
        """created, edited, deleted, added_to_repository, removed_from_repository."""
        body = {"action": action, "team": shapes.team(self._world, team)}
        return Event("team", body | self._sent_to(installation))

    def repository(self, action: str, installation: Installation, repository: Repository) -> Event:
        """renamed, transferred, deleted, privatized, publicized, archived and so on."""
        body = {"action": action, "repository": shapes.repository(self._world, repository)}
        return Event("repository", body | self._sent_to(installation))

    def member(
        self, action: str, installation: Installation, repository: Repository, user: Account
    ) -> Event:
        """added, edited, removed: a repository's collaborators."""
        body = {
            "action": action,
            "member": shapes.account(user),
            "repository": shapes.repository(self._world, repository),
        }
        return Event("member", body | self._sent_to(installation))

    @staticmethod
    def _sent_to(installation: Installation) -> dict[str, Any]:
        return {"installation": {"id": installation.id, "node_id": "MDIz"}}
