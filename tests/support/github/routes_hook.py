"""The App's webhook: what became of its deliveries, and having one delivered again."""

from dataclasses import replace

from aiohttp import web

from tests.support.github import shapes
from tests.support.github.answers import GitHubError, answer, not_found
from tests.support.github.callers import must_be_app
from tests.support.github.context import caller_of, simulator_of, world_of
from tests.support.github.world import Attempt

ROUTES = web.RouteTableDef()


@ROUTES.get("/app/hook/deliveries")
async def list_deliveries(request: web.Request) -> web.Response:
    """Newest first, in pages by a cursor; with status, those that went so."""
    must_be_app(caller_of(request))
    size = min(100, max(1, int(request.query.get("per_page", "30"))))
    wanted = request.query.get("status")
    if wanted not in {None, "success", "failure"}:
        raise GitHubError(422, "Invalid status")
    before = int(request.query.get("cursor", "v1_0").removeprefix("v1_")) or 2**63
    found = [
        each
        for each in reversed(world_of(request).attempts)
        if each.id < before and (wanted is None or _is_ok(each) == (wanted == "success"))
    ]
    response = answer([_shape(each) for each in found[:size]])
    if len(found) > size:
        following = request.url.update_query(cursor=f"v1_{found[size - 1].id}")
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


@ROUTES.post(r"/app/hook/deliveries/{attempt_id:\d+}/attempts")
async def redeliver(request: web.Request) -> web.Response:
    """Tries again, as the simulator's `deliver` does it; without one it goes well."""
    must_be_app(caller_of(request))
    simulator, wanted = simulator_of(request), int(request.match_info["attempt_id"])
    before = next((each for each in simulator.world.attempts if each.id == wanted), None)
    if before is None:
        not_found()
    status = 200 if simulator.deliver is None else await simulator.deliver(before)
    made = replace(
        before,
        id=simulator.world.next_id(),
        delivered_at=simulator.clock.now(),
        status_code=status,
        redelivery=True,
    )
    simulator.world.attempts.append(made)
    return answer({}, status=202)


def _is_ok(attempt: Attempt) -> bool:
    return 200 <= attempt.status_code < 400


def _shape(attempt: Attempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "guid": attempt.guid,
        "delivered_at": shapes.stamp(attempt.delivered_at),
        "redelivery": attempt.redelivery,
        "duration": 0.11,
        "status": "OK" if _is_ok(attempt) else "Invalid HTTP Response: " + str(attempt.status_code),
        "status_code": attempt.status_code,
        "event": attempt.event,
        "action": None,
        "installation_id": attempt.installation_id,
        "repository_id": attempt.repository_id,
        "throttled_at": None,
    }
