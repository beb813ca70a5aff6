"""What a webhook's event is a hint at: pure, from GitHub's payload to what is to be read again.

docs/adr/0056 gives the reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from laurel_common.errors import InvalidRequest

Payload = Mapping[str, Any]


class Part(Enum):
    """How much of an installation is read again; the installation itself always is."""

    INSTALLATION = auto()
    REPOSITORIES = auto()
    EVERYTHING = auto()
    REPOSITORY = auto()
    COLLABORATOR = auto()
    MEMBERSHIP = auto()
    TEAM = auto()
    TEAM_MEMBER = auto()
    # Not of an installation: the user took back what it had allowed the App.
    AUTHORIZATION = auto()


@dataclass(frozen=True, slots=True)
class Hint:
    """What to read again, by GitHub's ids. Without `installation_id` it is the account's."""

    part: Part
    installation_id: int | None = None
    account_id: int | None = None
    repository_id: int | None = None
    team_id: int | None = None
    user_id: int | None = None


_INSTALLATION = {
    "created": Part.EVERYTHING,
    "unsuspend": Part.EVERYTHING,
    "new_permissions_accepted": Part.EVERYTHING,
    "deleted": Part.INSTALLATION,
    "suspend": Part.INSTALLATION,
}
# A renamed account's repositories are renamed with it.
_ORGANIZATION = {
    "renamed": Part.REPOSITORIES,
    "deleted": Part.INSTALLATION,
    "member_added": Part.MEMBERSHIP,
    "member_removed": Part.MEMBERSHIP,
}
_ALWAYS = {
    "installation_repositories": Part.REPOSITORIES,
    "installation_target": Part.REPOSITORIES,
    "member": Part.COLLABORATOR,
    "membership": Part.TEAM_MEMBER,
    "repository": Part.REPOSITORY,
    "team": Part.TEAM,
    "team_add": Part.TEAM,
}
# Where the id of whom or what it is about stands in the payload.
_USERS = {
    Part.COLLABORATOR: ("member", "id"),
    Part.MEMBERSHIP: ("membership", "user", "id"),
    Part.TEAM_MEMBER: ("member", "id"),
}
_WITH_REPOSITORY = {Part.REPOSITORY, Part.COLLABORATOR}
_WITH_TEAM = {Part.TEAM, Part.TEAM_MEMBER}
_ACCOUNTS = (
    ("organization", "id"),
    ("repository", "owner", "id"),
    ("installation", "account", "id"),
)


def hint_of(event: str, payload: Payload) -> Hint | None:
    """What an event hints at; None for events and actions that change nothing that identity keeps.

    Raises InvalidRequest for a payload that lacks what its event always has.
    """
    action = payload.get("action")
    if event == "github_app_authorization":
        if action != "revoked":
            return None
        return Hint(Part.AUTHORIZATION, user_id=_needed(payload, "sender", "id"))
    part = _part(event, action)
    if part is None:
        return None
    user = _USERS.get(part)
    hint = Hint(
        part,
        installation_id=_id(payload, "installation", "id"),
        account_id=next(filter(None, (_id(payload, *path) for path in _ACCOUNTS)), None),
        repository_id=_needed(payload, "repository", "id") if part in _WITH_REPOSITORY else None,
        team_id=_needed(payload, "team", "id") if part in _WITH_TEAM else None,
        user_id=_needed(payload, *user) if user is not None else None,
    )
    if hint.installation_id is None and hint.account_id is None:
        raise _incomplete("installation", "id")
    return hint


def _part(event: str, action: object) -> Part | None:
    if event == "installation":
        return _INSTALLATION.get(str(action))
    if event == "organization":
        return _ORGANIZATION.get(str(action))
    return _ALWAYS.get(event)


def _needed(payload: Payload, *path: str) -> int:
    found = _id(payload, *path)
    if found is None:
        raise _incomplete(*path)
    return found


def _id(payload: Payload, *path: str) -> int | None:
    found: Any = payload
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    # GitHub's ids are positive, and fit what the database holds; Python's True is an int.
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return found if is_number and 0 < found < 2**63 else None


def _incomplete(*path: str) -> InvalidRequest:
    return InvalidRequest.of(("payload", f"has no {'.'.join(path)}"))
