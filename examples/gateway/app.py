"""The gateway's routes. Each is a call or two of Laurel's: whoever holds no key of the gateway's
can't sign anybody in, and what a session may see is for Laurel to say.
"""

from typing import Final

from aiohttp import web

from examples.gateway import laurel as laurel_of
from examples.gateway.answers import Handler, led_to, shown, told_errors
from examples.gateway.laurel import Laurel
from laurel.common.v1 import board_pb2, types_pb2
from laurel.identity.v1 import auth_sessions_pb2, auth_sign_in_pb2, installation_pb2
from laurel.ingest.v1 import webhook_pb2
from laurel.leaderboard.v1 import leaderboard_pb2

LAUREL: Final = web.AppKey("laurel", Laurel)
CSRF, SESSION = "laurel_csrf", "laurel_session"
_DAY_SECONDS: Final = 86_400
# GitHub's largest payload.
_LARGEST_BODY: Final = 25 * 1024 * 1024
_WEBHOOK_HEADERS: Final = ("X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256")
_ENTITIES: Final = {
    name.removeprefix("ENTITY_TYPE_").lower(): value for name, value in types_pb2.EntityType.items()
}
_PERIODS: Final = {
    name.removeprefix("TIME_PERIOD_").lower(): value for name, value in types_pb2.TimePeriod.items()
}

ROUTES = web.RouteTableDef()


def gateway(laurel: Laurel) -> web.Application:
    """The application, over Laurel's stubs."""
    application = web.Application(
        middlewares=[_with_session, told_errors], client_max_size=_LARGEST_BODY
    )
    application[LAUREL] = laurel
    application.add_routes(ROUTES)
    return application


@web.middleware
async def _with_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    laurel_of.session.set(request.cookies.get(SESSION, ""))
    return await handler(request)


@ROUTES.get("/sign-in")
async def sign_in(request: web.Request) -> web.Response:
    """To GitHub, and back to `return_to` in the end."""
    begun = await request.app[LAUREL].sign_in.BeginSignIn(
        auth_sign_in_pb2.BeginSignInRequest(return_to=request.query.get("return_to", ""))
    )
    answer = led_to(begun.authorize_url)
    _keep(request, answer, CSRF, begun.csrf_token, seconds=600)
    return answer


@ROUTES.get("/signed-in")
async def signed_in(request: web.Request) -> web.Response:
    """The App's callback URL: GitHub comes back with a code, or with a user who has declined."""
    if "code" not in request.query:
        return led_to("/")
    done = await request.app[LAUREL].sign_in.CompleteSignIn(
        auth_sign_in_pb2.CompleteSignInRequest(
            code=request.query["code"],
            state=request.query.get("state", ""),
            csrf_token=request.cookies.get(CSRF, ""),
        )
    )
    answer = led_to(done.return_to)
    answer.del_cookie(CSRF)
    _keep(request, answer, SESSION, done.session_token, seconds=_DAY_SECONDS)
    return answer


@ROUTES.post("/sign-out")
async def sign_out(request: web.Request) -> web.Response:
    """Ends the session everywhere."""
    sessions = request.app[LAUREL].sessions
    own = await sessions.GetSession(auth_sessions_pb2.GetSessionRequest())
    await sessions.RevokeSession(
        auth_sessions_pb2.RevokeSessionRequest(session_id=own.session.session_id)
    )
    answer = led_to("/")
    answer.del_cookie(SESSION)
    return answer


@ROUTES.get("/")
async def whoever(request: web.Request) -> web.Response:
    """Who is signed in, and the installations that they may know of."""
    return shown(
        await request.app[LAUREL].sessions.GetSession(auth_sessions_pb2.GetSessionRequest())
    )


@ROUTES.get("/install")
async def install(request: web.Request) -> web.Response:
    """To GitHub's page where the App is installed."""
    begun = await request.app[LAUREL].installations.BeginInstall(
        installation_pb2.BeginInstallRequest()
    )
    return led_to(begun.install_url)


@ROUTES.get("/installed")
async def installed(request: web.Request) -> web.Response:
    """The App's setup URL: links the session to what was installed."""
    number = request.query.get("installation_id", "")
    done = await request.app[LAUREL].installations.LinkInstallation(
        installation_pb2.LinkInstallationRequest(
            new_installation_id=int(number) if number.isdecimal() and len(number) < 19 else 0,
            state=request.query.get("state", ""),
        )
    )
    return shown(done)


@ROUTES.post("/webhooks")
async def webhooks(request: web.Request) -> web.Response:
    """The App's webhook URL: passes on what GitHub delivers, byte for byte."""
    headers = {name: request.headers.get(name, "") for name in _WEBHOOK_HEADERS}
    done = await request.app[LAUREL].webhooks.ReceiveWebhook(
        webhook_pb2.ReceiveWebhookRequest(headers=headers, body=await request.read())
    )
    return shown(done)


@ROUTES.get("/boards/{account}")
async def board(request: web.Request) -> web.Response:
    """A page of an account's board: `?entity=team&period=all_time&page_token=…`."""
    found = await request.app[LAUREL].installations.GetInstallation(
        installation_pb2.GetInstallationRequest(account_login=request.match_info["account"])
    )
    wanted = board_pb2.Board(
        installation_id=found.installation.installation_id,
        scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
        # A word that there is none of becomes 0, which Laurel refuses by its field.
        entity_type=_ENTITIES.get(
            request.query.get("entity", "contributor"), types_pb2.ENTITY_TYPE_UNSPECIFIED
        ),
        time_period=_PERIODS.get(
            request.query.get("period", "month"), types_pb2.TIME_PERIOD_UNSPECIFIED
        ),
    )
    asked = leaderboard_pb2.GetLeaderboardRequest(
        board=wanted, page_token=request.query.get("page_token", "")
    )
    return shown(await request.app[LAUREL].boards.GetLeaderboard(asked))


def _keep(
    request: web.Request, answer: web.Response, name: str, value: str, *, seconds: int
) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="Lax", secure=request.secure
    )
