"""How each kind of entity and relation stands in its table."""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Table, Text, tuple_
from sqlalchemy import select as sql_select

from laurel_identity.domain.entities import (
    Entity,
    Kind,
    Organization,
    Relation,
    Repository,
    Team,
    User,
)
from laurel_identity.storage.columns import any_name, unnested
from laurel_identity.storage.tables import (
    folded_sql,
    organization_memberships,
    organizations,
    repositories,
    team_members,
    team_repositories,
    teams,
    users,
)

E = TypeVar("E", bound=Entity)
Match = Callable[[Collection[Hashable]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class EntityMapping(Generic[E]):
    """`names` are the columns that change with the entity's name, `rest` the others that a source
    tells. `values` gives an entity's values and `entity` takes a row's, in the order id, names,
    rest. `holds` is whether a row's name is one of some name keys.
    """

    kind: Kind
    table: Table
    names: tuple[str, ...]
    rest: tuple[str, ...]
    values: Callable[[E], tuple[Any, ...]]
    entity: Callable[..., E]
    holds: Match

    @property
    def columns(self) -> tuple[str, ...]:
        return ("id", *self.names, *self.rest)


@dataclass(frozen=True, slots=True)
class RelationMapping:
    """`left`, `right` and `role` name the columns of a relation's three parts."""

    kind: Kind
    table: Table
    left: str
    right: str
    role: str

    def values(self, relation: Relation) -> tuple[int, int, str]:
        return (relation.left, relation.right, relation.role)


def repository_of(
    repository_id: int, full_name: str, _name: str, _owner_login: str, *rest: Any
) -> Repository:
    """A repository from the columns of its row."""
    return Repository(repository_id, full_name, *rest)


def _repository_values(repository: Repository) -> tuple[Any, ...]:
    return (
        repository.id,
        repository.full_name,
        repository.name,
        repository.owner_login,
        repository.organization_id,
        bool(repository.is_private),
        bool(repository.is_archived),
        bool(repository.is_fork),
        repository.default_branch,
        repository.html_url,
        repository.github_updated_at,
    )


def _team_values(team: Team) -> tuple[Any, ...]:
    privacy = team.privacy or "closed"
    return (team.id, team.organization_id, team.slug, team.name, team.description, privacy)


def _holds_slug(keys: Collection[Hashable]) -> ColumnElement[bool]:
    columns = [("organization_id", BigInteger()), ("slug", Text())]
    wanted = unnested("wanted", columns, sorted(keys))  # type: ignore[type-var, arg-type]  # pairs
    return tuple_(teams.c.organization_id, folded_sql(teams.c.slug)).in_(
        sql_select(wanted.c.organization_id, wanted.c.slug)
    )


def _holds(name: ColumnElement[str]) -> Match:
    return lambda keys: any_name(folded_sql(name), [str(key) for key in keys])


USERS: EntityMapping[User] = EntityMapping(
    Kind.USER,
    users,
    ("login",),
    ("name", "avatar_url", "is_bot"),
    lambda user: (user.id, user.login, user.name, user.avatar_url, user.is_bot),
    User,
    _holds(users.c.login),
)
ORGANIZATIONS: EntityMapping[Organization] = EntityMapping(
    Kind.ORGANIZATION,
    organizations,
    ("login",),
    ("name", "avatar_url"),
    lambda each: (each.id, each.login, each.name, each.avatar_url),
    Organization,
    _holds(organizations.c.login),
)
REPOSITORIES: EntityMapping[Repository] = EntityMapping(
    Kind.REPOSITORY,
    repositories,
    ("full_name", "name", "owner_login"),
    (
        "organization_id",
        "is_private",
        "is_archived",
        "is_fork",
        "default_branch",
        "html_url",
        "github_updated_at",
    ),
    _repository_values,
    repository_of,
    _holds(repositories.c.full_name),
)
TEAMS: EntityMapping[Team] = EntityMapping(
    Kind.TEAM,
    teams,
    ("organization_id", "slug"),
    ("name", "description", "privacy"),
    _team_values,
    Team,
    _holds_slug,
)
RELATIONS = {
    each.kind: each
    for each in (
        RelationMapping(
            Kind.MEMBERSHIP, organization_memberships, "organization_id", "user_id", "role"
        ),
        RelationMapping(Kind.TEAM_MEMBER, team_members, "team_id", "user_id", "role"),
        RelationMapping(
            Kind.TEAM_REPOSITORY, team_repositories, "team_id", "repository_id", "permission"
        ),
    )
}


def columns_of(mapping: EntityMapping[E]) -> Sequence[ColumnElement[Any]]:
    """The table's columns in the mapping's order."""
    return [mapping.table.c[name] for name in mapping.columns]
