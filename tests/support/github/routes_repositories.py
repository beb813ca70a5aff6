"""Repositories by name or id, and those that an installation was given."""

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.answers import answer, not_found, page
from tests.support.github.callers import may_see_repository, must_be_installation
from tests.support.github.context import caller_of, world_of
from tests.support.github.world import Repository

ROUTES = web.RouteTableDef()


@ROUTES.get("/installation/repositories")
async def list_installation_repositories(request: web.Request) -> web.Response:
    installation = must_be_installation(caller_of(request))
    world = world_of(request)
    given = world.installed_repositories(installation)
    return page(request, given, lambda one: shapes.repository(world, one), "repositories")


@ROUTES.get("/repos/{login}/{name}")
@ROUTES.get(r"/repositories/{repository_id:\d+}")
async def get_repository(request: web.Request) -> web.Response:
    return answer(shapes.full_repository(world_of(request), named_repository(request)))


@ROUTES.get("/repos/{login}/{name}/teams")
async def list_repository_teams(request: web.Request) -> web.Response:
    world, repository = world_of(request), named_repository(request)
    having = [
        team for team in world.teams_of(repository.owner_id) if repository.id in team.repositories
    ]
    return page(
        request,
        having,
        lambda one: shapes.team(world, one) | {"permission": one.repositories[repository.id]},
    )


def named_repository(request: web.Request) -> Repository:
    """The repository that the path names, by name or id."""
    world, path = world_of(request), request.match_info
    if "repository_id" in path:
        found = world.repositories.get(int(path["repository_id"]))
    else:
        wanted = f"{path['login']}/{path['name']}".lower()
        named = (r for r in world.repositories.values() if world.full_name(r).lower() == wanted)
        found = next(named, None)
    if found is None or not may_see_repository(world, caller_of(request), found):
        not_found()
    return found
