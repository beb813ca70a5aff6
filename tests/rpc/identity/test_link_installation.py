"""BeginInstall and LinkInstallation: to GitHub, and back with an installation."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from laurel.identity.v1 import auth_sessions_pb2
from laurel.identity.v1 import installation_pb2 as pb
from laurel_common.auth.principal import PrincipalKind
from tests.rpc.identity.signing_in import Door, door, reason_of
from tests.support.database import Database
from tests.support.github.oauth import authorize


@pytest.fixture
async def front(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    """A gateway in front of identity with the whole App configured."""
    async with door(database, redis_url, tmp_path, with_app=True) as opened:
        yield opened


def link(installation_id: int, state: str) -> pb.LinkInstallationRequest:
    return pb.LinkInstallationRequest(new_installation_id=installation_id, state=state)


async def test_somebody_installs_the_app_and_comes_back_with_it(front: Door) -> None:
    acme, ada = front.world.organization("acme"), front.world.user("ada")
    front.world.join(acme, ada, "admin")
    front.world.repository(acme, "site")
    token = (await front.sign_in(ada)).session_token
    tenants = front.tenants(token)
    begun = await tenants.BeginInstall(pb.BeginInstallRequest())
    where = urlsplit(begun.install_url)
    assert where.path.endswith(f"/apps/{front.world.app.slug}/installations/new")
    assert parse_qs(where.query)["state"] == [begun.state]
    installation = front.world.install(acme)
    linked = (await tenants.LinkInstallation(link(installation.id, begun.state))).installation
    assert (linked.account_login, linked.repository_count) == ("acme", 1)
    shown = await front.auth(token).GetSession(auth_sessions_pb2.GetSessionRequest())
    assert list(shown.session.installation_ids) == [installation.id]
    # The state was used up.
    again = tenants.LinkInstallation(link(installation.id, begun.state))
    assert await reason_of(again) == "INSTALL_STATE_EXPIRED"


async def test_nobody_links_what_github_does_not_list_to_them(front: Door) -> None:
    acme, eve = front.world.organization("acme"), front.world.user("eve")
    installation = front.world.install(acme)
    tenants = front.tenants((await front.sign_in(eve)).session_token)
    for wanted in (installation.id, 999):
        state = (await tenants.BeginInstall(pb.BeginInstallRequest())).state
        linking = tenants.LinkInstallation(link(wanted, state))
        assert await reason_of(linking) == "INSTALLATION_NOT_FOUND"
    with front.database.connect() as owner:
        rows = owner.execute("SELECT count(*) FROM github_installations").fetchone()
    assert rows == (0,)


async def test_one_kind_of_state_is_none_of_the_other(front: Door) -> None:
    ada = front.world.user("ada")
    tenants = front.tenants((await front.sign_in(ada)).session_token)
    begun = await front.begin()
    code, state = authorize(front.world, ada, begun.authorize_url, front.clock.now())
    install = (await tenants.BeginInstall(pb.BeginInstallRequest())).state
    linking = tenants.LinkInstallation(link(1, state))
    assert await reason_of(linking) == "INSTALL_STATE_INVALID"
    signing_in = front.complete(code, install, begun.csrf_token)
    assert await reason_of(signing_in) == "SIGN_IN_STATE_INVALID"
    # Neither is used up by that, and the value of the cookie is no state.
    assert await reason_of(front.complete(code, begun.csrf_token, state)) == "SIGN_IN_STATE_INVALID"
    assert await reason_of(front.complete(code, state, begun.csrf_token)) == "OK"


async def test_a_state_is_good_for_whoever_set_out_for_an_hour(front: Door) -> None:
    acme, ada, bob = (
        front.world.organization("acme"),
        front.world.user("ada"),
        front.world.user("b"),
    )
    for each in (ada, bob):
        front.world.join(acme, each)
    installation = front.world.install(acme)
    ours = front.tenants((await front.sign_in(ada)).session_token)
    theirs = front.tenants((await front.sign_in(bob)).session_token)
    begun = await ours.BeginInstall(pb.BeginInstallRequest())
    stolen = theirs.LinkInstallation(link(installation.id, begun.state))
    assert await reason_of(stolen) == "INSTALL_STATE_INVALID"
    forged = ours.LinkInstallation(link(installation.id, "forged"))
    assert await reason_of(forged) == "INSTALL_STATE_INVALID"
    front.clock.advance(timedelta(hours=1))
    late = ours.LinkInstallation(link(installation.id, begun.state))
    assert await reason_of(late) == "INSTALL_STATE_EXPIRED"
    gateway = front.identity.tenants(front.identity.server.channel(PrincipalKind.GATEWAY))
    anybodys = (await gateway.BeginInstall(pb.BeginInstallRequest())).state
    assert await reason_of(theirs.LinkInstallation(link(installation.id, anybodys))) == "OK"
