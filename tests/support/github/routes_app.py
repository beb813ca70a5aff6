"""What the App asks with its JWT: itself, its installations, tokens for them."""

import secrets
from datetime import timedelta

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.answers import GitHubError, answer, not_found, page
from tests.support.github.callers import must_be_app
from tests.support.github.context import caller_of, simulator_of, world_of
from tests.support.github.tokens import Token
from tests.support.github.world import Account, Installation

ROUTES = web.RouteTableDef()
TOKEN_LIFETIME = timedelta(hours=1)


@ROUTES.get("/app")
async def get_app(request: web.Request) -> web.Response:
    must_be_app(caller_of(request))
    return answer(shapes.app(world_of(request)))


@ROUTES.get("/app/installations")
async def list_installations(request: web.Request) -> web.Response:
    must_be_app(caller_of(request))
    world = world_of(request)
    ordered = sorted(world.installations.values(), key=lambda one: one.id)
    return page(request, ordered, lambda one: shapes.installation(world, one))


@ROUTES.get(r"/app/installations/{installation_id:\d+}")
async def get_installation(request: web.Request) -> web.Response:
    return answer(shapes.installation(world_of(request), _installation(request)))


@ROUTES.post(r"/app/installations/{installation_id:\d+}/access_tokens")
async def create_access_token(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    installation = _installation(request)
    if installation.suspended_at is not None:
        raise GitHubError(403, "This installation has been suspended")
    expires_at = (simulator.clock.now() + TOKEN_LIFETIME).replace(microsecond=0)
    token = Token(f"ghs_{secrets.token_hex(18)}", "installation", installation.id, expires_at)
    simulator.world.tokens[token.value] = token
    body = {
        "token": token.value,
        "expires_at": shapes.stamp(expires_at),
        "permissions": simulator.world.app.permissions,
        "repository_selection": installation.repository_selection,
    }
    return answer(body, status=201)


@ROUTES.get("/orgs/{login}/installation")
@ROUTES.get("/users/{login}/installation")
async def get_account_installation(request: web.Request) -> web.Response:
    return _installation_on(request, world_of(request).account_named(request.match_info["login"]))


@ROUTES.get("/repos/{login}/{name}/installation")
async def get_repository_installation(request: web.Request) -> web.Response:
    world, path = world_of(request), request.match_info
    installed = {
        world.full_name(repository).lower(): installation.account_id
        for installation in world.installations.values()
        for repository in world.installed_repositories(installation)
    }
    owner = installed.get(f"{path['login']}/{path['name']}".lower())
    return _installation_on(request, None if owner is None else world.accounts[owner])


def _installation_on(request: web.Request, account: Account | None) -> web.Response:
    must_be_app(caller_of(request))
    world = world_of(request)
    installation = None if account is None else world.installation_of(account.id)
    if installation is None:
        not_found()
    return answer(shapes.installation(world, installation))


def _installation(request: web.Request) -> Installation:
    must_be_app(caller_of(request))
    found = world_of(request).installations.get(int(request.match_info["installation_id"]))
    if found is None:
        not_found()
    return found
