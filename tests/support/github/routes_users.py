"""People: the one who asks with its installations and organizations, and others by login or id."""

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.answers import answer, not_found, page
from tests.support.github.callers import must_be_user
from tests.support.github.context import caller_of, world_of
from tests.support.github.world import Account, Installation, Repository, World

ROUTES = web.RouteTableDef()


@ROUTES.get("/user")
async def get_own_user(request: web.Request) -> web.Response:
    return answer(shapes.own_user(must_be_user(caller_of(request))))


@ROUTES.get("/user/orgs")
async def list_own_organizations(request: web.Request) -> web.Response:
    user, world = must_be_user(caller_of(request)), world_of(request)
    return page(request, [world.accounts[org] for org in _of(world, user)], shapes.organization)


@ROUTES.get("/user/memberships/orgs")
async def list_own_memberships(request: web.Request) -> web.Response:
    user, world = must_be_user(caller_of(request)), world_of(request)
    return page(request, _of(world, user), lambda org: shapes.membership(world, org, user.id))


@ROUTES.get("/user/memberships/orgs/{login}")
async def get_own_membership(request: web.Request) -> web.Response:
    user, world = must_be_user(caller_of(request)), world_of(request)
    organization = world.account_named(request.match_info["login"])
    if organization is None or (organization.id, user.id) not in world.memberships:
        not_found()
    return answer(shapes.membership(world, organization.id, user.id))


@ROUTES.get("/user/installations")
async def list_own_installations(request: web.Request) -> web.Response:
    user, world = must_be_user(caller_of(request)), world_of(request)
    found = [
        one
        for one in sorted(world.installations.values(), key=lambda one: one.id)
        if user.id == one.account_id
        or (one.account_id, user.id) in world.memberships
        or _readable(world, user, one)
    ]
    return page(request, found, lambda one: shapes.installation(world, one), "installations")


@ROUTES.get(r"/user/installations/{installation_id:\d+}/repositories")
async def list_own_installation_repositories(request: web.Request) -> web.Response:
    user, world = must_be_user(caller_of(request)), world_of(request)
    installation = world.installations.get(int(request.match_info["installation_id"]))
    if installation is None:
        not_found()
    readable = _readable(world, user, installation)
    return page(request, readable, lambda one: shapes.repository(world, one), "repositories")


@ROUTES.get(r"/user/{user_id:\d+}")
async def get_user_by_id(request: web.Request) -> web.Response:
    return _profile(world_of(request).accounts.get(int(request.match_info["user_id"])))


@ROUTES.get("/users/{login}")
async def get_user(request: web.Request) -> web.Response:
    return _profile(world_of(request).account_named(request.match_info["login"]))


def _profile(account: Account | None) -> web.Response:
    if account is None:
        not_found()
    return answer(shapes.user(account))


def _of(world: World, user: Account) -> list[int]:
    return sorted(org for org, member in world.memberships if member == user.id)


def _readable(world: World, user: Account, installation: Installation) -> list[Repository]:
    """Of an installation's repositories those that GitHub lists for a user: explicit access."""
    return [
        repository
        for repository in world.installed_repositories(installation)
        if world.may_read(user.id, repository)
        and (
            (installation.account_id, user.id) in world.memberships
            or installation.account_id == user.id
            or user.id in repository.collaborators
        )
    ]
