"""Signing in through GitHub: every way through, and every way in which it fails."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from laurel.identity.v1 import auth_sessions_pb2, auth_sign_in_pb2, installation_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.identity.conftest import Identity
from tests.rpc.identity.signing_in import Auth, Door, door, reason_of
from tests.support.database import Database
from tests.support.github.oauth import authorize, oauth_of


@pytest.fixture
async def front(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    async with door(database, redis_url, tmp_path) as opened:
        yield opened


async def test_somebody_signs_in_and_sees_what_is_theirs(front: Door) -> None:
    world = front.world
    acme, globex = world.organization("acme"), world.organization("globex")
    unknown = world.organization("elsewhere")
    ada = world.user("ada", name="Ada")
    world.join(acme, ada, "admin")
    world.join(unknown, ada)
    for name, private in (("site", False), ("vault", True)):
        world.repository(acme, name, private=private)
    ours, theirs = front.install(acme), front.install(globex)

    done = await front.sign_in(ada, "/boards?period=month#top")

    assert done.return_to == "/boards?period=month#top"
    assert len(bytes.fromhex(done.session_token)) == 32
    session = done.session
    assert (session.user.id, session.user.login, session.user.name) == (ada.id, "ada", "Ada")
    assert session.is_current
    assert list(session.installation_ids) == [ours]
    lasts = session.expire_time.ToDatetime() - session.create_time.ToDatetime()
    assert lasts == timedelta(hours=24)
    user = front.auth(done.session_token)
    shown = await user.GetSession(auth_sessions_pb2.GetSessionRequest())
    assert shown.session == session
    tenants = front.tenants(done.session_token)
    listed = await tenants.ListInstallations(installation_pb2.ListInstallationsRequest())
    assert [each.installation_id for each in listed.installations] == [ours]
    hidden = installation_pb2.GetInstallationRequest(installation_id=theirs)
    assert await reason_of(tenants.GetInstallation(hidden)) == "INSTALLATION_NOT_FOUND"
    with front.database.connect() as owner:
        roles = owner.execute("SELECT organization_id, role FROM organization_memberships")
        assert set(roles) == {(acme.id, "admin"), (unknown.id, "member")}
        readable = owner.execute("SELECT repository_ids FROM session_repositories").fetchone()
        assert readable == ([each.id for each in world.repositories_of(acme.id)],)


async def test_the_authorize_url_asks_for_what_has_to_be_asked_for(front: Door) -> None:
    begun = await front.begin()
    url = urlsplit(begun.authorize_url)
    query = parse_qs(url.query)
    assert (
        f"{url.scheme}://{url.netloc}{url.path}" == f"{front.github.web_url}/login/oauth/authorize"
    )
    assert set(query) == {"client_id", "state", "code_challenge", "code_challenge_method"}
    assert query["state"] == [begun.state]
    assert begun.csrf_token not in begun.authorize_url
    left = begun.expire_time.ToDatetime() - front.clock.now().replace(tzinfo=None)
    assert left == timedelta(minutes=10)


@pytest.mark.parametrize("return_to", ["//evil.example", "/%5cevil.example", "/" + "x" * 2_048])
async def test_nobody_is_led_elsewhere(front: Door, return_to: str) -> None:
    assert await reason_of(front.begin(return_to)) == "INVALID_REQUEST"


async def test_a_state_is_good_once_for_ten_minutes_and_in_one_browser(front: Door) -> None:
    ada, now = front.world.user("ada"), front.clock.now()
    begun = await front.begin()
    code, state = authorize(front.world, ada, begun.authorize_url, now)
    for bad in ("", state + "A", state[:-2], "x" * 200):
        expected = "INVALID_REQUEST" if not bad else "SIGN_IN_STATE_INVALID"
        assert await reason_of(front.complete(code, bad, begun.csrf_token)) == expected
    assert await reason_of(front.complete(code, state, begun.csrf_token)) == "OK"
    assert await reason_of(front.complete(code, state, begun.csrf_token)) == "SIGN_IN_EXPIRED"

    # Somebody else's browser, with a link that was made to sign it in as another.
    other = await front.begin()
    code, state = authorize(front.world, ada, other.authorize_url, now)
    mine = await front.begin()
    assert await reason_of(front.complete(code, state, mine.csrf_token)) == "SIGN_IN_CSRF_MISMATCH"
    assert await reason_of(front.complete(code, state, other.csrf_token)) == "SIGN_IN_EXPIRED"
    assert oauth_of(front.world).exchanged == 1

    late = await front.begin()
    code, state = authorize(front.world, ada, late.authorize_url, now)
    front.clock.advance(timedelta(minutes=10))
    assert await reason_of(front.complete(code, state, late.csrf_token)) == "SIGN_IN_EXPIRED"


@pytest.mark.parametrize(
    ("planned", "reason", "code"),
    [
        pytest.param({"status": 502}, "GITHUB_UNAVAILABLE", "UNAVAILABLE", id="502"),
        pytest.param({"cut": True}, "GITHUB_UNAVAILABLE", "UNAVAILABLE", id="broken off"),
        pytest.param(
            {"retry_after": 7}, "GITHUB_RATE_LIMITED", "RESOURCE_EXHAUSTED", id="too many at once"
        ),
        pytest.param(
            {"reset_seconds": 60}, "GITHUB_RATE_LIMITED", "RESOURCE_EXHAUSTED", id="rate limit"
        ),
    ],
)
@pytest.mark.parametrize("where", ["POST /login/oauth/access_token", "GET /user$"])
async def test_githubs_failures_are_told_apart(
    front: Door, planned: dict[str, Any], where: str, reason: str, code: str
) -> None:
    ada = front.world.user("ada")
    front.github.faults.add(where, **planned)
    with pytest.raises(RemoteError) as refused:
        await front.sign_in(ada)
    assert (refused.value.reason, refused.value.code) == (reason, code)
    # Nothing is half-done, and the next time it works.
    with front.database.connect() as owner:
        assert owner.execute("SELECT count(*) FROM auth_sessions").fetchone() == (0,)
    assert (await front.sign_in(ada)).session.user.login == "ada"


async def test_what_github_refuses_is_told_by_its_reason(
    front: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, world = front.world.user("ada"), front.world

    async def outcome(*, spoil: str = "") -> str:
        begun = await front.begin()
        code, state = authorize(world, ada, begun.authorize_url, front.clock.now())
        given = oauth_of(world).codes[code]
        if spoil == "expired":
            given.expires_at = front.clock.now()
        if spoil == "verifier":
            given.challenge = "another"
        if spoil == "callback":
            given.redirect_uri = "https://elsewhere.example"
        return await reason_of(
            front.complete("f" * 20 if spoil == "code" else code, state, begun.csrf_token)
        )

    assert await outcome(spoil="code") == "SIGN_IN_CODE_REFUSED"
    assert await outcome(spoil="expired") == "SIGN_IN_CODE_REFUSED"
    assert await outcome(spoil="verifier") == "SIGN_IN_VERIFIER_REFUSED"
    assert await outcome(spoil="callback") == "SIGN_IN_MISCONFIGURED"
    front.github.faults.add("GET /user$", status=403)
    assert await outcome() == "GITHUB_USER_SUSPENDED"
    monkeypatch.setattr("laurel_identity.clients.github.http.TIMEOUT_SECONDS", 0.05)
    front.github.faults.add("POST /login", delay=1)
    assert await outcome() == "GITHUB_TIMEOUT"
    monkeypatch.undo()
    world.app.client_secret = "changed"
    assert await outcome() == "SIGN_IN_MISCONFIGURED"


async def test_github_failing_at_the_installations_leaves_the_user_signed_in(front: Door) -> None:
    world = front.world
    acme, otto = world.organization("acme"), world.user("otto")
    world.repository(acme, "vault", private=True, collaborators={otto.id: "read"})
    installation_id = front.install(acme)
    front.github.faults.add("GET /user/installations", status=500)
    first = await front.sign_in(otto)
    assert list(first.session.installation_ids) == []
    again = await front.sign_in(otto)
    assert list(again.session.installation_ids) == [installation_id]


async def test_who_left_an_organization_is_no_member_after_signing_in(front: Door) -> None:
    world = front.world
    acme, ada = world.organization("acme"), world.user("ada")
    world.join(acme, ada)
    installation_id = front.install(acme)
    assert list((await front.sign_in(ada)).session.installation_ids) == [installation_id]
    del world.memberships[acme.id, ada.id]
    assert list((await front.sign_in(ada)).session.installation_ids) == []


async def test_without_an_app_nobody_signs_in_and_everything_else_goes_on(
    shared_identity: Identity,
) -> None:
    gateway = Auth(shared_identity.server.channel(PrincipalKind.GATEWAY))
    begin = gateway.BeginSignIn(auth_sign_in_pb2.BeginSignInRequest())
    assert await reason_of(begin) == "GITHUB_NOT_CONFIGURED"
