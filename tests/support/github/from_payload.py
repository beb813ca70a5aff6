"""Makes a world out of what a real payload mentions, as GitHub has it when the payload is sent."""

from typing import Any

from tests.support.github.world import Account, Installation, Repository, Team, World


def fill(world: World, event: str, payload: dict[str, Any]) -> Installation:
    """Replaces the world by what a payload names; what it says is deleted is not there.

    The installation is the payload's, else one on the account that the payload is about.
    """
    for things in (world.accounts, world.installations, world.repositories, world.teams):
        things.clear()
    world.memberships.clear()
    account = _account(world, _owner(payload))
    for name in ("sender", "member"):
        if name in payload:
            _account(world, payload[name])
    if "membership" in payload:
        user = _account(world, payload["membership"]["user"])
        if payload["action"] == "member_added":
            world.join(account, user)
    deleted = event if payload.get("action") == "deleted" else ""
    named = payload.get("installation", {})
    installation = Installation(named.get("id", world.next_id()), account.id)
    if deleted != "installation":
        world.installations[installation.id] = installation
    if "repository" in payload and deleted != "repository":
        _repository(world, account, payload["repository"])
    if "team" in payload and deleted != "team":
        _team(world, account, payload)
    return installation


def _owner(payload: dict[str, Any]) -> dict[str, Any]:
    for found in (
        payload.get("organization"),
        payload.get("repository", {}).get("owner"),
        payload.get("installation", {}).get("account"),
        payload.get("account"),
    ):
        if found:
            return dict(found)
    return dict(payload["sender"])


def _account(world: World, found: dict[str, Any]) -> Account:
    # An organization in its own shape has no type; a renamed one not even a login.
    kind = found.get("type") or ("Organization" if "members_url" in found else "User")
    account = Account(found["id"], found.get("login") or found["slug"], kind)
    return world.accounts.setdefault(account.id, account)


def _repository(world: World, owner: Account, found: dict[str, Any]) -> None:
    repository = Repository(found["id"], owner.id, found["name"], private=bool(found["private"]))
    world.repositories[repository.id] = repository


def _team(world: World, organization: Account, payload: dict[str, Any]) -> None:
    found = payload["team"]
    if found.get("deleted"):
        return
    team = Team(found["id"], organization.id, found.get("slug", "a-team"), found["name"])
    if payload.get("action") == "added" and "member" in payload:
        team.members[payload["member"]["id"]] = "member"
    world.teams[team.id] = team
