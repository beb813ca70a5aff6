"""Where identity's protobuf meets its domain: requests into values, values into answers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import (
    directory_claims_pb2,
    directory_lookups_pb2,
    directory_upserts_pb2,
    entities_pb2,
    installation_pb2,
    webhook_attempts_pb2,
)
from laurel_common.errors import InvalidRequest
from laurel_identity.application.batch import Batch
from laurel_identity.application.begin_install import BegunInstall
from laurel_identity.application.handle_installation_event import Outcome
from laurel_identity.application.upsert_entities import UpsertResult
from laurel_identity.domain.claims import Claim
from laurel_identity.domain.entities import Relation, Repository, Team, User
from laurel_identity.domain.github import InstallationToken, WebhookAttempt
from laurel_identity.domain.installations import Account, Installation
from laurel_identity.domain.owners import AccountType, ImportedOwner

_ACCOUNT_TYPES = {
    types_pb2.ACCOUNT_TYPE_ORGANIZATION: AccountType.ORGANIZATION,
    types_pb2.ACCOUNT_TYPE_USER: AccountType.USER,
}
_WIRE_ACCOUNT_TYPES = {value: number for number, value in _ACCOUNT_TYPES.items()}
_WIRE_OUTCOMES = {
    Outcome.HANDLED: installation_pb2.INSTALLATION_EVENT_OUTCOME_HANDLED,
    Outcome.IGNORED: installation_pb2.INSTALLATION_EVENT_OUTCOME_IGNORED,
}
_PRIVACIES = {
    entities_pb2.TEAM_PRIVACY_SECRET: "secret",
    entities_pb2.TEAM_PRIVACY_CLOSED: "closed",
    entities_pb2.TEAM_PRIVACY_OPEN: "open",
}
_WIRE_PRIVACIES = {value: number for number, value in _PRIVACIES.items()}


def to_batch(request: directory_upserts_pb2.UpsertEntitiesRequest) -> Batch:
    """What a source saw."""
    return Batch(
        observed_at=to_moment(request, "observe_time"),
        users=[_to_user(each) for each in request.users],
        owners=[_to_owner(each) for each in request.imported_owners],
        repositories=[_to_repository(each) for each in request.repositories],
        teams=[_to_team(each) for each in request.teams],
        memberships=[
            Relation(each.organization_id, each.user_id, each.role or "member")
            for each in request.memberships
        ],
        team_members=[
            Relation(each.team_id, each.user_id, each.role or "member")
            for each in request.team_members
        ],
        team_repositories=[
            Relation(each.team_id, each.repository_id, each.permission or "push")
            for each in request.team_repositories
        ],
    )


def from_result(result: UpsertResult) -> directory_upserts_pb2.UpsertEntitiesResponse:
    """The answer to an upsert."""
    return directory_upserts_pb2.UpsertEntitiesResponse(
        owners=[
            directory_upserts_pb2.ResolvedOwner(
                login=owner.login,
                account_id=owner.account_id,
                installation_id=owner.installation_id,
            )
            for owner in result.owners
        ],
        inserted_count=result.inserted_count,
        updated_count=result.updated_count,
    )


def from_user(user: User) -> entities_pb2.User:
    """A user's message."""
    return entities_pb2.User(
        id=user.id,
        login=user.login,
        name=user.name,
        avatar_url=user.avatar_url,
        is_bot=user.is_bot,
    )


def from_account(account: Account) -> entities_pb2.Organization:
    """An account's message."""
    return entities_pb2.Organization(
        id=account.id,
        login=account.login,
        name=account.name,
        avatar_url=account.avatar_url,
        create_time=_stamp(account.created_at),
        update_time=_stamp(account.updated_at),
    )


def from_repository(repository: Repository) -> entities_pb2.Repository:
    """A repository's message."""
    return entities_pb2.Repository(
        id=repository.id,
        full_name=repository.full_name,
        organization_id=repository.organization_id or 0,
        is_private=bool(repository.is_private),
        is_archived=bool(repository.is_archived),
        is_fork=bool(repository.is_fork),
        default_branch=repository.default_branch,
        html_url=repository.html_url,
        github_update_time=_stamp(repository.github_updated_at),
    )


def from_synthetic_users(
    users: Mapping[int, int],
) -> list[directory_lookups_pb2.ResolvedSyntheticUser]:
    """The messages of who synthetic users are, by synthetic id."""
    return [
        directory_lookups_pb2.ResolvedSyntheticUser(synthetic_user_id=synthetic_id, user_id=user_id)
        for synthetic_id, user_id in sorted(users.items())
    ]


def from_team(team: Team) -> entities_pb2.Team:
    """A team's message."""
    return entities_pb2.Team(
        id=team.id,
        organization_id=team.organization_id,
        slug=team.slug,
        name=team.name,
        description=team.description,
        privacy=_WIRE_PRIVACIES[team.privacy or "closed"],
    )


def from_team_members(relations: Iterable[Relation]) -> list[entities_pb2.TeamMember]:
    """The messages of team members."""
    return [
        entities_pb2.TeamMember(team_id=each.left, user_id=each.right, role=each.role)
        for each in relations
    ]


def from_team_repositories(relations: Iterable[Relation]) -> list[entities_pb2.TeamRepository]:
    """The messages of teams' repositories."""
    return [
        entities_pb2.TeamRepository(
            team_id=each.left, repository_id=each.right, permission=each.role
        )
        for each in relations
    ]


def from_installation(installation: Installation) -> entities_pb2.Installation:
    """An installation's message."""
    return entities_pb2.Installation(
        installation_id=installation.installation_id,
        app_id=installation.app_id,
        account_id=installation.account_id,
        account_login=installation.account_login,
        account_type=_WIRE_ACCOUNT_TYPES[installation.account_type],
        repository_selection=installation.repository_selection,
        repository_count=installation.repository_count,
        suspend_time=_stamp(installation.suspended_at),
        create_time=_stamp(installation.created_at),
        update_time=_stamp(installation.updated_at),
        suspended_by=installation.suspended_by or "",
    )


def from_installation_token(
    made: InstallationToken,
) -> installation_pb2.CreateInstallationTokenResponse:
    """A token's message."""
    return installation_pb2.CreateInstallationTokenResponse(
        token=made.token, expire_time=_stamp(made.expires_at)
    )


def from_attempt(attempt: WebhookAttempt) -> webhook_attempts_pb2.WebhookAttempt:
    """An attempt's message."""
    return webhook_attempts_pb2.WebhookAttempt(
        attempt_id=attempt.attempt_id,
        delivery_id=attempt.delivery_id,
        event=attempt.event,
        attempt_time=_stamp(attempt.attempted_at),
        installation_id=attempt.installation_id or 0,
        repository_id=attempt.repository_id or 0,
    )


def from_begun_install(begun: BegunInstall) -> installation_pb2.BeginInstallResponse:
    """Where somebody goes to install the App."""
    return installation_pb2.BeginInstallResponse(
        install_url=begun.install_url, state=begun.state, expire_time=_stamp(begun.expires_at)
    )


def to_payload(body: bytes) -> dict[str, Any]:
    """A webhook's body."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        raise InvalidRequest.of(("payload", "is no JSON object"))
    return payload


def from_outcome(outcome: Outcome) -> installation_pb2.HandleInstallationEventResponse:
    """What became of an event."""
    return installation_pb2.HandleInstallationEventResponse(outcome=_WIRE_OUTCOMES[outcome])


def _to_user(user: entities_pb2.User) -> User:
    return User(user.id, user.login, _told(user, "name"), user.avatar_url, user.is_bot)


def _to_owner(owner: directory_upserts_pb2.ImportedOwner) -> ImportedOwner:
    kind = _ACCOUNT_TYPES.get(owner.account_type)
    return ImportedOwner(owner.account_id, owner.login, kind, owner.avatar_url)


def _to_repository(repository: entities_pb2.Repository) -> Repository:
    return Repository(
        repository.id,
        repository.full_name,
        repository.organization_id or None,
        _told(repository, "is_private"),
        _told(repository, "is_archived"),
        _told(repository, "is_fork"),
        _told(repository, "default_branch"),
        _told(repository, "html_url"),
        to_moment(repository, "github_update_time"),
    )


def _to_team(team: entities_pb2.Team) -> Team:
    return Team(
        team.id,
        team.organization_id,
        team.slug,
        team.name,
        _told(team, "description"),
        _PRIVACIES.get(team.privacy),
    )


def _told(message: Any, field: str) -> Any:
    """An optional field's value; None where it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def to_moment(message: Any, field: str) -> datetime | None:
    """A timestamp field's instant, cut to microseconds; None where it is absent.

    Raises InvalidRequest for what is none.
    """
    moment: Timestamp | None = _told(message, field)
    try:
        return None if moment is None else moment.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest.of((field, "is no instant between the years 1 and 9999")) from error


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def from_claim(claim: Claim) -> directory_claims_pb2.IdentityClaim:
    """A claim, told with how far signals have followed it."""
    message = directory_claims_pb2.IdentityClaim(
        synthetic_user_id=claim.synthetic_user_id,
        user_id=claim.user_id,
        released=claim.is_release,
        requested_by=claim.requested_by,
        moved_signal_count=claim.moved_count,
    )
    message.request_time.FromDatetime(claim.requested_at)
    if claim.finished_at is not None:
        message.finish_time.FromDatetime(claim.finished_at)
    return message
