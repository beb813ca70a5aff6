"""Organizations and who belongs to them."""

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.answers import answer, not_found, page
from tests.support.github.callers import (
    may_see_members,
    may_see_repository,
    organization_named,
)
from tests.support.github.context import caller_of, world_of
from tests.support.github.world import Account

ROUTES = web.RouteTableDef()


@ROUTES.get("/orgs/{login}")
async def get_organization(request: web.Request) -> web.Response:
    found = organization_named(world_of(request), request.match_info["login"])
    return answer(shapes.full_organization(found))


@ROUTES.get(r"/organizations/{organization_id:\d+}")
async def get_organization_by_id(request: web.Request) -> web.Response:
    found = world_of(request).accounts.get(int(request.match_info["organization_id"]))
    if found is None or found.type != "Organization":
        not_found()
    return answer(shapes.full_organization(found))


@ROUTES.get("/orgs/{login}/members")
async def list_members(request: web.Request) -> web.Response:
    world = world_of(request)
    organization = _seen_from_inside(request)
    role = request.query.get("role", "all")
    members = [
        world.accounts[user]
        for (org, user), held in sorted(world.memberships.items())
        if org == organization.id and role in {"all", held}
    ]
    return page(request, members, shapes.account)


@ROUTES.get("/orgs/{login}/memberships/{user}")
async def get_membership(request: web.Request) -> web.Response:
    world = world_of(request)
    organization = _seen_from_inside(request)
    user = world.account_named(request.match_info["user"])
    if user is None or (organization.id, user.id) not in world.memberships:
        not_found()
    return answer(shapes.membership(world, organization.id, user.id))


@ROUTES.get("/orgs/{login}/repos")
async def list_repositories(request: web.Request) -> web.Response:
    world, caller = world_of(request), caller_of(request)
    organization = organization_named(world, request.match_info["login"])
    seen = [
        repository
        for repository in world.repositories_of(organization.id)
        if may_see_repository(world, caller, repository)
    ]
    return page(request, seen, lambda one: shapes.repository(world, one))


def _seen_from_inside(request: web.Request) -> Account:
    world = world_of(request)
    organization = organization_named(world, request.match_info["login"])
    if not may_see_members(world, caller_of(request), organization):
        not_found()
    return organization
