"""How the simulated GitHub behaves: pages, ETags, limits, credentials, and faults on demand."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from githubkit import TokenAuthStrategy
from githubkit.exception import (
    PrimaryRateLimitExceeded,
    RequestError,
    RequestFailed,
    RequestTimeout,
    SecondaryRateLimitExceeded,
)

from tests.contract.github.conftest import Running
from tests.support.github.app import new_key


async def test_lists_come_in_pages_that_link_to_each_other(running: Running) -> None:
    for number in range(5):
        running.acme.world.repository(running.acme.organization, f"r{number}")
    client = await running.installation()
    first = await client.arequest("GET", "/orgs/acme/repos?per_page=3")
    links = first.raw_response.links
    assert {name: link["url"].split("?")[1] for name, link in links.items()} == {
        "next": "per_page=3&page=2",
        "last": "per_page=3&page=3",
    }
    last = await client.arequest("GET", links["last"]["url"])
    assert (len(first.json()), len(last.json())) == (3, 1)
    assert set(last.raw_response.links) == {"first", "prev"}


async def test_an_unchanged_answer_costs_nothing_for_the_token_that_has_it(
    running: Running,
) -> None:
    client, other = await running.installation(), running.user(running.acme.ann)
    first = await client.arequest("GET", "/orgs/acme/repos")
    condition = {"If-None-Match": first.headers["etag"]}
    again = await client.arequest("GET", "/orgs/acme/repos", headers=condition)
    others = await other.arequest("GET", "/orgs/acme/repos", headers=condition)
    assert (again.status_code, others.status_code) == (304, 200)
    assert first.headers["x-ratelimit-remaining"] == again.headers["x-ratelimit-remaining"]
    running.acme.public.archived = True
    changed = await client.arequest("GET", "/orgs/acme/repos", headers=condition)
    assert changed.status_code == 200


async def test_a_token_that_has_used_its_hour_up_is_refused(running: Running) -> None:
    running.github.limits.limit = 2
    client = await running.installation()
    for _ in range(2):
        await client.arequest("GET", "/orgs/acme")
    with pytest.raises(PrimaryRateLimitExceeded):
        await client.arequest("GET", "/orgs/acme")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"iss": "4711", "iat": -120, "exp": -60}, id="expired"),
        pytest.param({"iss": "4711", "iat": 120, "exp": 180}, id="not yet good"),
        pytest.param({"iss": "4711", "iat": 0, "exp": 3600}, id="good for too long"),
        pytest.param({"iss": "1", "iat": 0, "exp": 60}, id="of another App"),
    ],
)
async def test_a_jwt_that_github_would_refuse_is_refused(
    running: Running, claims: dict[str, Any]
) -> None:
    now = int(time.time())
    claims = claims | {name: now + claims[name] for name in ("iat", "exp")}
    token = jwt.encode(claims, running.acme.world.app.private_key, algorithm="RS256")
    with pytest.raises(RequestFailed) as refused:
        await running.client(TokenAuthStrategy(token)).arequest("GET", "/app")
    assert refused.value.response.status_code in {401, 404}


async def test_a_jwt_of_another_key_is_refused(running: Running) -> None:
    client = running.app()
    running.acme.world.app.private_key = new_key()
    with pytest.raises(RequestFailed) as refused:
        await client.arequest("GET", "/app")
    assert refused.value.response.status_code == 401


async def test_a_token_dies_with_its_hour_its_installation_or_its_user(running: Running) -> None:
    client, user = await running.installation(), running.user(running.acme.ann)
    running.acme.installation.suspended_at = running.clock.now()
    assert await _status(client, "/orgs/acme") == 403
    running.acme.installation.suspended_at = None
    assert await _status(client, "/orgs/acme") == 200
    running.clock.advance(timedelta(hours=1))
    assert await _status(client, "/orgs/acme") == 401
    assert await _status(user, "/user") == 200
    del running.acme.world.accounts[running.acme.ann.id]
    assert await _status(user, "/user") == 401


async def test_what_is_private_is_not_there_for_strangers(running: Running) -> None:
    client = running.user(running.acme.stranger)
    for path in ("/repos/acme/vault", "/orgs/acme/teams", "/orgs/acme/members"):
        assert await _status(client, path) == 404
    assert await _status(client, "/repos/acme/anvil") == 200
    running.acme.private.collaborators[running.acme.stranger.id] = "pull"
    assert await _status(client, "/repos/acme/vault") == 200
    found = await client.rest.apps.async_list_installations_for_authenticated_user()
    assert [one.id for one in found.parsed_data.installations] == [running.acme.installation.id]


async def test_a_secret_team_is_there_for_its_members_owners_and_the_app(running: Running) -> None:
    path, acme = "/orgs/acme/teams/hidden", running.acme
    assert await _status(running.user(acme.bob), path) == 404
    assert await _status(running.user(acme.ann), path) == 200
    assert await _status(await running.installation(), path) == 200
    acme.secret.members[acme.bob.id] = "member"
    assert await _status(running.user(acme.bob), path) == 200


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"status": 502}, RequestFailed, id="status"),
        pytest.param({"delay": 30.0}, RequestTimeout, id="delay"),
        pytest.param({"cut": True}, RequestError, id="cut"),
        pytest.param({"reset_seconds": 60}, PrimaryRateLimitExceeded, id="primary limit"),
        pytest.param({"retry_after": 60}, SecondaryRateLimitExceeded, id="secondary limit"),
    ],
)
async def test_a_fault_strikes_as_often_as_planned(
    running: Running, fault: dict[str, Any], error: type[Exception]
) -> None:
    running.github.faults.add("^GET /user$", **fault)
    auth = TokenAuthStrategy(running.acme.world.user_token(running.acme.ann))
    hasty = {"timeout": 0.2} if "delay" in fault else {}
    with pytest.raises(error):
        await running.client(auth, **hasty).arequest("GET", "/user")
    assert await _status(running.client(auth), "/user") == 200


async def _status(client: Any, path: str) -> int:
    try:
        return int((await client.arequest("GET", path)).status_code)
    except RequestFailed as failed:
        return int(failed.response.status_code)
