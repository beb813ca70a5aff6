"""GraphQL over the part of GitHub's schema that stands in schema.graphql."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from graphql import GraphQLError, OperationDefinitionNode, build_schema, execute, parse, validate

from tests.support.github.activity import activity_of
from tests.support.github.answers import GitHubError
from tests.support.github.callers import may_see_repository
from tests.support.github.context import caller_of, simulator_of, world_of
from tests.support.github.faults import NO_PATTERN, Fault
from tests.support.github.graphql_cost import cost_of
from tests.support.github.graphql_shapes import Shape, Shapes
from tests.support.github.world import Repository

SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text())
ROUTES = web.RouteTableDef()
_NAMED = web.RequestKey("named", dict[str, Repository])
# Beside the REST API's path, as an Enterprise server has it.
PATH = "/api/graphql"


@ROUTES.post(PATH)
async def answer_query(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    asked = await request.json()
    document, variables = parse(asked["query"]), asked.get("variables") or {}
    operation = next(
        each.name.value
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode) and each.name
    )
    if planned := simulator.weather.fault(operation):
        await simulator.fail(request, Fault(NO_PATTERN, **planned))
    simulator.queries.append(operation)
    await simulator.fail_if_planned(request, "GRAPHQL", operation)
    if simulator.largest_page is not None and variables.get("size", 0) > simulator.largest_page:
        raise GitHubError(502, "Bad Gateway")
    if faults := validate(SCHEMA, document):
        return _answer(None, [{"message": each.message, "type": "INVALID"} for each in faults])
    caller = caller_of(request)
    bucket = simulator.points.bucket(caller.token)
    cost = cost_of(document, variables)
    if bucket.remaining < cost:
        refusal = {"type": "RATE_LIMITED", "message": "API rate limit exceeded"}
        response = _answer(None, [refusal])
        response.headers.update(simulator.points.headers(caller.token, "graphql"))
        return response
    bucket.used += cost
    simulator.spent += cost
    reset = datetime.fromtimestamp(bucket.reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    root = {
        "rateLimit": {
            "cost": cost,
            "limit": bucket.limit,
            "remaining": bucket.remaining,
            "resetAt": reset,
        },
        "repository": lambda _info, owner, name: _repository(request, owner, name),
        "node": lambda _info, id: _node(request, id),  # noqa: A006 - GitHub's name
    }
    result = execute(SCHEMA, document, root, variable_values=variables)
    errors = [
        {
            "message": each.message,
            "path": each.path,
            "type": (each.extensions or {}).get("type"),
        }
        for each in getattr(result, "errors", None) or ()
    ]
    return _answer(getattr(result, "data", None), errors)


def _answer(data: Any, errors: list[dict[str, Any]]) -> web.Response:
    body: dict[str, Any] = {"data": data}
    if errors:
        body["errors"] = errors
    return web.json_response(body)


def _repository(request: web.Request, owner: str, name: str) -> Shape:
    world = world_of(request)
    wanted = f"{owner}/{name}".lower()
    if _NAMED not in request:
        all_of_them = world.repositories.values()
        request[_NAMED] = {world.full_name(each).lower(): each for each in all_of_them}
    named = request[_NAMED]
    found = named.get(wanted) or world.repositories.get(world.former_names.get(wanted, 0))
    if found is None or not may_see_repository(world, caller_of(request), found):
        raise GraphQLError(
            f"Could not resolve to a Repository with the name '{owner}/{name}'.",
            extensions={"type": "NOT_FOUND"},
        )
    return _shapes(request, found).repository()


def _node(request: web.Request, opaque: str) -> Shape | None:
    world = world_of(request)
    kind, *numbers = base64.b64decode(opaque).decode().split(":")
    repository = world.repositories[int(numbers[0])]
    activity, shapes = activity_of(world, repository), _shapes(request, repository)
    number = int(numbers[1])
    if kind == "PullRequest":
        return shapes.pull(activity.pulls[number])
    if kind == "Issue":
        issue = activity.issues.get(number)
        return None if issue is None else shapes.issue(issue)
    reviews = (each for pull in activity.pulls.values() for each in pull.reviews)
    return shapes.review(next(each for each in reviews if each.id == number))


def _shapes(request: web.Request, repository: Repository) -> Shapes:
    world = world_of(request)
    return Shapes(world, repository, activity_of(world, repository))
