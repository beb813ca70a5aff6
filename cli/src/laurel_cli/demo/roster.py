"""The demo's people, repositories and teams as the directory takes them."""

from datetime import datetime

from laurel.common.v1 import types_pb2
from laurel.identity.v1 import directory_upserts_pb2, entities_pb2
from laurel_cli.demo.cast import BOTS, ORGANIZATION, PEOPLE, REPOSITORIES, TEAMS, Account


def request(seen_at: datetime) -> directory_upserts_pb2.UpsertEntitiesRequest:
    """One request that puts everybody and everything in."""
    found = directory_upserts_pb2.UpsertEntitiesRequest(
        users=[_user(each) for each in (*(person.account for person in PEOPLE), *BOTS)],
        imported_owners=[
            directory_upserts_pb2.ImportedOwner(
                account_id=ORGANIZATION.id,
                login=ORGANIZATION.login,
                account_type=types_pb2.ACCOUNT_TYPE_ORGANIZATION,
                avatar_url=ORGANIZATION.avatar_url,
            )
        ],
        repositories=[
            entities_pb2.Repository(
                id=each.id,
                full_name=each.full_name,
                organization_id=ORGANIZATION.id,
                default_branch=each.default_branch,
                html_url=f"https://github.com/{each.full_name}",
            )
            for each in REPOSITORIES
        ],
    )
    found.observe_time.FromDatetime(seen_at)
    _add_teams(found)
    return found


def _user(account: Account) -> entities_pb2.User:
    return entities_pb2.User(
        id=account.id,
        login=account.login,
        name=account.name,
        avatar_url=account.avatar_url,
        is_bot=account.is_bot,
    )


def _add_teams(request: directory_upserts_pb2.UpsertEntitiesRequest) -> None:
    ids = {each.name: each.id for each in REPOSITORIES}
    members = {team.slug: [each for each in PEOPLE if team.slug in each.teams] for team in TEAMS}
    for team in TEAMS:
        request.teams.add(
            id=team.id,
            organization_id=ORGANIZATION.id,
            slug=team.slug,
            name=team.name,
            description=team.description,
            privacy=entities_pb2.TEAM_PRIVACY_CLOSED,
        )
        for person in members[team.slug]:
            role = "maintainer" if person.is_admin else "member"
            request.team_members.add(team_id=team.id, user_id=person.account.id, role=role)
        for name in team.repositories:
            request.team_repositories.add(
                team_id=team.id, repository_id=ids[name], permission="push"
            )
    for person in PEOPLE:
        if person.teams:
            role = "admin" if person.is_admin else "member"
            request.memberships.add(
                organization_id=ORGANIZATION.id, user_id=person.account.id, role=role
            )
