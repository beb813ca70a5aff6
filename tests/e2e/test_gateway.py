"""An organization installs the App: by the example's gateway alone, over HTTP, from the first
sign-in to a board that is whole and follows what happens.
"""

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from examples.gateway.app import SESSION, gateway
from examples.gateway.laurel import connected
from laurel_cli.stack.layout import Layout
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource
from tests.support.database import Database
from tests.support.github import GitHubSimulator, World, running_github, shapes
from tests.support.github.activity import Issue, activity_of
from tests.support.github.events import Event
from tests.support.github.history import Size, fill
from tests.support.github.life import Life
from tests.support.github.oauth import authorize
from tests.support.github.world import Account, Repository
from tests.support.stack_company import GATEWAY, told_of
from tests.support.stack_running import running_laurel, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL_TIME = {"period": "all_time"}


@dataclass
class Town:
    """A gateway before a Laurel, a GitHub with an organization on it, and nobody signed in yet."""

    url: str
    github: GitHubSimulator
    life: Life
    acme: Account
    site: Repository
    people: Mapping[str, Account]
    webhook_secret: str

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Somebody's browser, which follows nothing by itself."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.url, cookie_jar=jar) as session:
            yield session

    async def sign_in(self, browser: aiohttp.ClientSession, login: str) -> str:
        """Takes a person to GitHub and back; where the gateway leads them in the end."""
        begun = await led(browser, "/sign-in", return_to="/boards/acme")
        now = self.github.clock.now()
        code, state = authorize(self.github.world, self.people[login], begun, now)
        return await led(browser, "/signed-in", code=code, state=state)

    async def deliver(self, event: Event, secret: str = "") -> int:
        """What GitHub does with an event; the HTTP status that it gets."""
        body = orjson.dumps(event.payload)
        key = (secret or self.webhook_secret).encode()
        headers = {
            "X-GitHub-Event": event.name,
            "X-GitHub-Delivery": secrets.token_hex(8),
            "X-Hub-Signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}",
        }
        async with (
            aiohttp.ClientSession(self.url) as github,
            github.post("/webhooks", data=body, headers=headers) as answer,
        ):
            return answer.status


async def led(browser: aiohttp.ClientSession, path: str, **query: str) -> str:
    """Where a request is led to."""
    async with browser.get(path, params=query, allow_redirects=False) as answer:
        assert answer.status == 302, (path, answer.status, await answer.text())
        return answer.headers["Location"]


async def answered(
    browser: aiohttp.ClientSession, path: str, **query: str
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a request."""
    async with browser.get(path, params=query) as answer:
        return answer.status, await answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database: Database, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """Everything runs; the App is registered, and installed nowhere."""
    world, webhook_secret = World(last_id=1_700_000_000), secrets.token_hex(20)
    acme = world.organization("acme")
    people = {login: world.user(login) for login in ("ada", "bob", "zoe")}
    world.join(acme, people["ada"], "admin")
    world.join(acme, people["bob"])
    site = world.repository(acme, "site")
    fill(world, site, [people["ada"], people["bob"]], Size(9, 3, 2, 1, 1))
    layout = Layout(tmp_path_factory.mktemp("town"))
    layout.make()
    async with running_github(world) as github:
        with told_of(github, layout, webhook_secret):
            async with (
                running_laurel(
                    layout.root, database=module_database, redis_url=module_redis_url
                ) as laurel,
                connected(
                    laurel.stack.targets,
                    TokenSource(GATEWAY, load_private_key(layout.key(GATEWAY))),
                ) as stubs,
                listening(gateway(stubs)) as url,
            ):
                yield Town(url, github, Life(world), acme, site, people, webhook_secret)


@asynccontextmanager
async def listening(application: web.Application) -> AsyncIterator[str]:
    """The application on a free port of loopback: its URL."""
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_an_organization_installs_the_app_and_its_board_is_whole_and_follows(
    town: Town,
) -> None:
    async with town.browser() as ada, town.browser() as bob, town.browser() as zoe:
        assert await town.sign_in(ada, "ada") == "/boards/acme"
        assert (await answered(ada, "/boards/acme"))[1]["reason"] == "INSTALLATION_NOT_FOUND"

        page = await led(ada, "/install")
        (state,) = parse_qs(urlsplit(page).query)["state"]
        installation = town.life.install(town.acme)
        assert await town.deliver(town.life.events.pop()) == 200
        status, linked = await answered(
            ada, "/installed", installation_id=str(installation.id), state=state
        )
        assert (status, linked["installation"]["installation_id"]) == (200, str(installation.id))

        board: dict[str, Any] = {}

        async def is_whole() -> bool:
            status, found = await answered(ada, "/boards/acme", **ALL_TIME)
            board.update(found)
            coverage = found.get("coverage", {})
            return status == 200 and coverage.get("whole_repository_count") == 1

        await until(is_whole, "acme's history is on the board", 60)
        activity = activity_of(town.github.world, town.site)
        things = len(activity.commits) + len(activity.pulls) + len(activity.issues)
        coverage = board["coverage"]
        assert coverage["known_count"] == coverage["total_count"] == str(things)
        assert {"ada", "bob"} <= {each["entity"].get("login") for each in board["entries"]}

        await town.sign_in(bob, "bob")
        before = await score_of(bob, "bob")
        assert await town.deliver(an_issue_of(town, "bob")) == 200

        async def has_risen() -> bool:
            return await score_of(bob, "bob") > before

        await until(has_risen, "bob's new issue counts")
        await teams_are_followed(town, ada)

        await town.sign_in(zoe, "zoe")
        status, refused = await answered(zoe, "/boards/acme", **ALL_TIME)
        assert (status, refused["reason"]) == (404, "INSTALLATION_NOT_FOUND")


async def teams_are_followed(town: Town, browser: aiohttp.ClientSession) -> None:
    """Who joins a team and who leaves it changes its place, without anybody's asking."""
    life, (ada, bob) = town.life, (town.people[each] for each in ("ada", "bob"))
    team = life.create_team(town.acme, "core")
    of_people = {login: await score_of(browser, login) for login in ("ada", "bob")}
    for change, members in (
        (partial(life.join_team, team, ada), ["ada"]),
        (partial(life.join_team, team, bob), ["ada", "bob"]),
        (partial(life.leave_team, team, ada), ["bob"]),
    ):
        change()
        while life.events:
            assert await town.deliver(life.events.pop(0)) == 200
        expected = round(sum(of_people[each] for each in members), 4)

        async def has_followed(expected: float = expected) -> bool:
            _, board = await answered(browser, "/boards/acme", entity="team", **ALL_TIME)
            return [float(each["score"]) for each in board.get("entries", [])] == [expected]

        await until(has_followed, f"{' and '.join(members)} make the team's score")


async def score_of(browser: aiohttp.ClientSession, login: str) -> float:
    """Somebody's points on acme's board of all time."""
    status, board = await answered(browser, "/boards/acme", **ALL_TIME)
    assert status == 200, board
    (entry,) = [each for each in board["entries"] if each["entity"].get("login") == login]
    return float(entry["score"])


def an_issue_of(town: Town, login: str) -> Event:
    """Somebody opens an issue: GitHub has it, and tells of it."""
    now = town.github.clock.now()
    issue = Issue(99, town.people[login].id, now, now, title="It squeaks")
    activity_of(town.github.world, town.site).issues[issue.number] = issue
    sender = shapes.account(town.people[login])
    body = {
        "action": "opened",
        "issue": {
            "id": 99_001,
            "number": issue.number,
            "title": issue.title,
            "user": sender,
            "labels": [],
            "created_at": shapes.stamp(now),
            "updated_at": shapes.stamp(now),
            "closed_at": None,
        },
        "repository": shapes.repository(town.github.world, town.site),
        "sender": sender,
        "installation": {"id": next(iter(town.github.world.installations))},
    }
    return Event("issues", body)


async def test_what_is_wrong_is_told_by_status_reason_and_field(town: Town) -> None:
    async with town.browser() as stranger, town.browser() as bob:
        for path in ("/", "/install", "/boards/acme"):
            status, told = await answered(stranger, path)
            assert (status, told["reason"]) == (401, "UNAUTHENTICATED"), path
        await town.sign_in(bob, "bob")
        status, told = await answered(bob, "/sign-in", return_to="https://elsewhere.example")
        assert (status, told["reason"], [*told["fields"]]) == (
            400,
            "INVALID_REQUEST",
            ["return_to"],
        )
        status, told = await answered(bob, "/boards/acme", period="fortnight")
        assert (status, [*told["fields"]]) == (400, ["board.time_period"])
        status, told = await answered(bob, "/installed", installation_id="x", state="y")
        assert (status, [*told["fields"]]) == (400, ["new_installation_id"])
        # Who did not set out from this browser does not come back to it.
        begun = await led(bob, "/sign-in")
        code, state = authorize(
            town.github.world, town.people["ada"], begun, town.github.clock.now()
        )
        status, told = await answered(stranger, "/signed-in", code=code, state=state)
        assert (status, [*told["fields"]]) == (400, ["csrf_token"])
        assert await led(bob, "/signed-in", error="access_denied") == "/"
    ping = Event("ping", {"zen": "Keep it logically awesome."})
    assert await town.deliver(ping, secret="somebody else's") == 403
    assert await town.deliver(ping) == 200


async def test_who_signs_out_is_signed_out_everywhere(town: Town) -> None:
    async with town.browser() as bob, town.browser() as thief:
        await town.sign_in(bob, "bob")
        (cookie,) = [each.value for each in bob.cookie_jar if each.key == SESSION]
        thief.cookie_jar.update_cookies({SESSION: cookie})
        assert (await answered(thief, "/"))[1]["session"]["user"]["login"] == "bob"
        async with bob.post("/sign-out", allow_redirects=False) as answer:
            assert answer.status == 302

        async def is_out() -> bool:
            return (await answered(thief, "/"))[0] == 401

        await until(is_out, "the session is over", 10)
