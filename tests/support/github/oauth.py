"""OAuth for the App's users: codes with PKCE, tokens that expire, refresh tokens used once."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from tests.support.github.context import simulator_of, world_of
from tests.support.github.tokens import Token
from tests.support.github.world import Account, World

ROUTES = web.RouteTableDef()
CODE_LASTS = timedelta(minutes=10)


@dataclass
class Code:
    """An authorization code, good once."""

    user_id: int
    challenge: str
    redirect_uri: str | None
    expires_at: datetime


@dataclass
class OAuth:
    """What the simulator's OAuth has given out; `access_seconds` None: tokens never expire."""

    codes: dict[str, Code]
    refresh_tokens: dict[str, int]
    access_seconds: int | None = 8 * 3600
    refresh_seconds: int = 180 * 24 * 3600
    exchanged: int = 0
    refreshed: int = 0


def oauth_of(world: World) -> OAuth:
    """The world's OAuth, made when first asked for."""
    if world.oauth is None:
        world.oauth = OAuth({}, {})
    found: OAuth = world.oauth
    return found


def authorize(world: World, user: Account, url: str, now: datetime) -> tuple[str, str]:
    """Consents for a user at the page that an App sent it to; the code and the state."""
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    assert query["client_id"] == world.app.client_id
    assert query["code_challenge_method"] == "S256"
    code = secrets.token_hex(10)
    oauth_of(world).codes[code] = Code(
        user.id, query["code_challenge"], query.get("redirect_uri"), now + CODE_LASTS
    )
    return code, query["state"]


@ROUTES.post("/login/oauth/access_token")
async def access_token(request: web.Request) -> web.Response:
    world, now = world_of(request), simulator_of(request).clock.now()
    given: dict[str, Any] = await request.json()
    app = world.app
    if (given.get("client_id"), given.get("client_secret")) != (app.client_id, app.client_secret):
        return _error("incorrect_client_credentials")
    if given.get("grant_type") == "refresh_token":
        return _refresh(world, given, now)
    return _exchange(world, given, now)


def _exchange(world: World, given: dict[str, Any], now: datetime) -> web.Response:
    oauth = oauth_of(world)
    code = oauth.codes.pop(str(given.get("code")), None)
    if code is None or now >= code.expires_at:
        return _error("bad_verification_code")
    if given.get("redirect_uri") != code.redirect_uri:
        return _error("redirect_uri_mismatch")
    digest = hashlib.sha256(str(given.get("code_verifier", "")).encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
        return _error("incorrect_code_verifier")
    oauth.exchanged += 1
    return _tokens(world, code.user_id, now)


def _refresh(world: World, given: dict[str, Any], now: datetime) -> web.Response:
    oauth = oauth_of(world)
    user_id = oauth.refresh_tokens.pop(str(given.get("refresh_token")), None)
    if user_id is None:
        return _error("bad_refresh_token")
    oauth.refreshed += 1
    return _tokens(world, user_id, now)


def _tokens(world: World, user_id: int, now: datetime) -> web.Response:
    oauth = oauth_of(world)
    body: dict[str, Any] = {"token_type": "bearer", "scope": ""}
    expires = None
    if oauth.access_seconds is not None:
        expires = now + timedelta(seconds=oauth.access_seconds)
        refresh = f"ghr_{secrets.token_hex(38)}"
        oauth.refresh_tokens[refresh] = user_id
        body |= {
            "expires_in": oauth.access_seconds,
            "refresh_token": refresh,
            "refresh_token_expires_in": oauth.refresh_seconds,
        }
    body["access_token"] = f"ghu_{secrets.token_hex(18)}"
    world.tokens[body["access_token"]] = Token(body["access_token"], "user", user_id, expires)
    return web.json_response(body)


def _error(word: str) -> web.Response:
    return web.json_response({"error": word, "error_description": f"GitHub says {word}"})
