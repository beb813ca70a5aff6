"""Teams by slug or id, their members and repositories."""

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.answers import answer, not_found, page
from tests.support.github.callers import may_see_members, organization_named
from tests.support.github.context import caller_of, world_of
from tests.support.github.world import Account, Team

ROUTES = web.RouteTableDef()
_BY_SLUG = "/orgs/{login}/teams/{slug}"
_BY_ID = r"/organizations/{organization_id:\d+}/team/{team_id:\d+}"


@ROUTES.get("/orgs/{login}/teams")
async def list_teams(request: web.Request) -> web.Response:
    world = world_of(request)
    organization = organization_named(world, request.match_info["login"])
    _must_see(request, organization)
    seen = [team for team in world.teams_of(organization.id) if _sees(request, team)]
    return page(request, seen, lambda one: shapes.team(world, one))


@ROUTES.get(_BY_SLUG)
@ROUTES.get(_BY_ID)
async def get_team(request: web.Request) -> web.Response:
    return answer(shapes.full_team(world_of(request), _team(request)))


@ROUTES.get(f"{_BY_SLUG}/members")
@ROUTES.get(f"{_BY_ID}/members")
async def list_team_members(request: web.Request) -> web.Response:
    world, role = world_of(request), request.query.get("role", "all")
    members = [
        world.accounts[user]
        for user, held in sorted(_team(request).members.items())
        if role in {"all", held}
    ]
    return page(request, members, shapes.account)


@ROUTES.get(f"{_BY_SLUG}/memberships/{{user}}")
@ROUTES.get(f"{_BY_ID}/memberships/{{user}}")
async def get_team_membership(request: web.Request) -> web.Response:
    team, user = _team(request), world_of(request).account_named(request.match_info["user"])
    if user is None or user.id not in team.members:
        not_found()
    role = team.members[user.id]
    return answer({"url": str(request.url), "role": role, "state": "active"})


@ROUTES.get(f"{_BY_SLUG}/repos")
@ROUTES.get(f"{_BY_ID}/repos")
async def list_team_repositories(request: web.Request) -> web.Response:
    world = world_of(request)
    held = sorted(_team(request).repositories.items())
    return page(
        request,
        [(world.repositories[id_], permission) for id_, permission in held],
        lambda one: shapes.team_repository(world, *one),
    )


def _team(request: web.Request) -> Team:
    world, path = world_of(request), request.match_info
    if "slug" in path:
        organization = organization_named(world, path["login"])
        teams = world.teams_of(organization.id)
        found = next((team for team in teams if team.slug == path["slug"]), None)
    else:
        found = world.teams.get(int(path["team_id"]))
    if found is None or not _sees(request, found):
        not_found()
    _must_see(request, world.accounts[found.organization_id])
    return found


def _must_see(request: web.Request, organization: Account) -> None:
    if not may_see_members(world_of(request), caller_of(request), organization):
        not_found()


def _sees(request: web.Request, team: Team) -> bool:
    """Secret teams are there for their members, the organization's owners and the App."""
    user = caller_of(request).user
    if user is None or team.privacy != "secret" or user.id in team.members:
        return True
    return world_of(request).memberships.get((team.organization_id, user.id)) == "admin"
