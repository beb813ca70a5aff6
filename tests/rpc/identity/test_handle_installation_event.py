"""HandleInstallationEvent: what webhooks tell, over the wire, late and at the same time."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from laurel.identity.v1 import installation_pb2 as pb
from laurel.identity.v1 import installation_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import DependencyUnavailable, RemoteError
from laurel_common.testing.clock import FakeClock
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.acme import Acme
from tests.support.github.events import Event, Events
from tests.support.github.from_payload import fill
from tests.support.github.life import Life
from tests.support.rows import Rows
from tests.support.shared import shared_data
from tests.support.spoiling import spoilt

HANDLED = pb.INSTALLATION_EVENT_OUTCOME_HANDLED
IGNORED = pb.INSTALLATION_EVENT_OUTCOME_IGNORED
EVENTS = {
    "github_app_authorization", "installation", "installation_repositories", "installation_target",
    "member", "membership", "organization", "repository", "team", "team_add",
}  # fmt: skip


@dataclass
class Told:
    """Identity that is told, GitHub that is asked, and the database in between."""

    identity: Identity
    ingest: installation_pb2_grpc.InstallationServiceStub
    github: GitHubSimulator
    acme: Acme
    life: Life
    database: Database
    # Called for teams that are about to go, with the installation.
    forgotten: list[tuple[int, int]]
    # What others answer to that: None is that they did.
    trouble: list[Exception]

    async def tell(self, event: Event) -> int:
        """The outcome of an event; time goes on before it."""
        self.identity.clock.advance(timedelta(seconds=1))
        return int(
            await self.send(pb.HandleInstallationEventRequest(
                event=event.name, payload=json.dumps(event.payload).encode()
            ))
        )  # fmt: skip

    async def send(self, request: pb.HandleInstallationEventRequest) -> int:
        return int((await self.ingest.HandleInstallationEvent(request)).outcome)

    async def install(self) -> None:
        """Tells of Acme's installation."""
        event = Events(self.acme.world).installation("created", self.acme.installation)
        assert await self.tell(event) == HANDLED

    def rows(self, query: str, *values: Any) -> list[Any]:
        """The rows of a query; single columns bare."""
        with self.database.connect() as connection:
            rows = connection.execute(query, values).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]


@pytest.fixture
async def told(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Told]:
    """Nothing has been told yet."""
    acme, clock = Acme(), FakeClock()
    forgotten: list[tuple[int, int]] = []
    trouble: list[Exception] = []

    async def forget(installation_id: int, team_id: int) -> None:
        if trouble:
            raise trouble.pop()
        with database.connect() as connection:
            assert connection.execute("SELECT 1 FROM teams WHERE id = %s", [team_id]).fetchone()
        forgotten.append((installation_id, team_id))

    async with (
        running_github(acme.world, clock) as github,
        running_identity(
            database, redis_url, tmp_path, github=github, clock=clock, forget_team=forget
        ) as identity,
    ):
        ingest = identity.tenants(identity.server.channel(PrincipalKind.SERVICE, name="ingest"))
        life = Life(acme.world)
        yield Told(identity, ingest, github, acme, life, database, forgotten, trouble)


async def test_a_new_installation_is_read_whole(told: Told) -> None:
    await told.install()
    acme = told.acme
    request = pb.GetInstallationRequest(account_login="acme")
    found = (await told.identity.installations.GetInstallation(request)).installation
    assert (found.installation_id, found.app_id) == (acme.installation.id, acme.world.app.id)
    assert found.repository_count == 2
    roles = "SELECT user_id, role FROM organization_memberships ORDER BY user_id"
    assert told.rows(roles) == [(acme.ann.id, "admin"), (acme.bob.id, "member")]
    assert told.rows("SELECT user_id, role FROM team_members") == [(acme.bob.id, "maintainer")]
    assert told.rows("SELECT permission FROM team_repositories") == ["push"]
    assert sorted(told.rows("SELECT privacy::text FROM teams")) == ["closed", "secret"]


async def test_news_that_was_read_earlier_and_comes_later_changes_nothing(told: Told) -> None:
    await told.install()
    carl = told.acme.world.user("carl")
    told.life.join(told.acme.organization, carl)
    left = asyncio.Event()
    told.github.faults.add("memberships/carl", answer_after=left)
    late = asyncio.create_task(told.tell(told.life.events[-1]))
    while not told.github.answering:
        await asyncio.sleep(0.005)
    told.life.leave(told.acme.organization, carl)
    await told.tell(told.life.events[-1])
    left.set()
    assert await late == HANDLED
    query = "SELECT count(*) FROM organization_memberships WHERE user_id = %s"
    assert told.rows(query, carl.id) == [0]


async def test_a_login_that_somebody_else_took_is_somebody_elses(told: Told) -> None:
    await told.install()
    told.acme.bob.login = "robert"
    taker = told.acme.world.user("bob")
    told.life.join(told.acme.organization, taker)
    await told.tell(told.life.events[-1])
    logins = dict(told.rows("SELECT id, login FROM users"))
    assert logins[taker.id] == "bob"
    assert logins[told.acme.bob.id] == f"~{told.acme.bob.id}"


async def test_a_user_who_is_gone_is_in_nothing_any_more(told: Told) -> None:
    await told.install()
    told.life.delete_user(told.acme.bob)
    await told.tell(told.life.events[-1])
    for table in ("organization_memberships", "team_members"):
        query = f"SELECT count(*) FROM {table} WHERE user_id = %s"  # noqa: S608 - ours
        assert told.rows(query, told.acme.bob.id) == [0]


async def test_a_team_goes_after_others_have_forgotten_it(told: Told) -> None:
    await told.install()
    told.life.delete_team(told.acme.team)
    told.trouble.append(DependencyUnavailable())
    with pytest.raises(RemoteError) as failed:
        await told.tell(told.life.events[-1])
    assert failed.value.reason == "DEPENDENCY_UNAVAILABLE"
    assert len(told.rows("SELECT id FROM teams")) == 2
    await told.tell(told.life.events[-1])
    assert told.forgotten == [(told.acme.installation.id, told.acme.team.id)]
    assert told.rows("SELECT id FROM teams") == [told.acme.secret.id]
    await told.tell(told.life.events[-1])
    assert len(told.forgotten) == 1


async def test_a_sync_finds_what_no_webhook_told(told: Told) -> None:
    sync = told.identity.installations.SyncInstallations
    globex = told.acme.world.organization("globex")
    other = told.acme.world.install(globex)
    first = await sync(pb.SyncInstallationsRequest(page_size=1))
    rest = await sync(pb.SyncInstallationsRequest(page_size=1, page_token=first.next_page_token))
    found = [each.installation_id for page in (first, rest) for each in page.installations]
    assert found == [told.acme.installation.id, other.id]
    assert rest.next_page_token == ""
    with pytest.raises(RemoteError, match="one installation has no pages") as refused:
        await sync(
            pb.SyncInstallationsRequest(
                installation_id=told.acme.installation.id, page_token=first.next_page_token
            )
        )
    assert refused.value.code == "INVALID_ARGUMENT"
    told.acme.world.join(told.acme.organization, told.acme.bob, "admin")
    del told.acme.world.teams[told.acme.secret.id]
    told.identity.clock.advance(timedelta(seconds=1))
    await sync(pb.SyncInstallationsRequest(installation_id=told.acme.installation.id))
    roles = "SELECT DISTINCT role FROM organization_memberships"
    assert told.rows(roles) == ["admin"]
    assert told.rows("SELECT id FROM teams") == [told.acme.team.id]
    del told.acme.world.installations[other.id]
    told.identity.clock.advance(timedelta(seconds=1))
    listed = (await sync(pb.SyncInstallationsRequest())).installations
    assert [each.suspended_by for each in listed] == ["", "uninstalled"]


async def test_a_sync_of_what_is_not_at_github_says_why(told: Told) -> None:
    with told.database.connect() as connection:
        imported = Rows(connection).installation(app_id=0)
    for installation_id, reason in {
        1: "INSTALLATION_NOT_FOUND",
        imported: "APP_NOT_INSTALLED",
    }.items():
        with pytest.raises(RemoteError) as refused:
            await told.identity.installations.SyncInstallations(
                pb.SyncInstallationsRequest(installation_id=installation_id)
            )
        assert refused.value.reason == reason


async def test_an_app_that_may_not_see_members_leaves_them_alone(told: Told) -> None:
    told.acme.world.app.permissions.pop("members")
    await told.install()
    assert told.rows("SELECT count(*) FROM organization_memberships") == [0]
    assert told.rows("SELECT count(*) FROM installation_repositories") == [2]


async def test_a_user_who_takes_back_the_authorization_is_signed_out(told: Told) -> None:
    with told.database.connect() as connection:
        rows = Rows(connection)
        ann, bob = rows.user(), rows.user()
        rows.session(ann)
        kept = rows.session(bob)
    sender = {"id": ann, "login": "ann"}
    event = Event("github_app_authorization", {"action": "revoked", "sender": sender})
    assert await told.tell(event) == HANDLED
    assert told.rows("SELECT id FROM auth_sessions") == [kept]


@pytest.mark.parametrize(
    ("event", "payload", "outcome"),
    [
        pytest.param("push", {}, IGNORED, id="an event of others"),
        pytest.param("installation", {"action": "new"}, IGNORED, id="an unknown action"),
        pytest.param(
            "team",
            {"action": "edited", "team": {"id": 1}, "organization": {"id": 99}},
            IGNORED,
            id="an account without the App",
        ),
        pytest.param(
            "installation",
            {"action": "created", "installation": {"id": 404}},
            HANDLED,
            id="an installation that is gone already",
        ),
    ],
)
async def test_what_concerns_nothing_here_changes_nothing(
    told: Told, event: str, payload: dict[str, Any], outcome: int
) -> None:
    assert await told.tell(Event(event, payload)) == outcome
    assert told.rows("SELECT count(*) FROM github_installations") == [0]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        pytest.param("team", b"{", id="no JSON"),
        pytest.param("team", b"[1]", id="no object"),
        pytest.param("team", b"[" * 5000, id="deep"),
        pytest.param("team", b'{"team": {"id": "1"}, "organization": {"id": 1}}', id="a text id"),
        pytest.param("team", b'{"team": {"id": true}, "organization": {"id": 1}}', id="a truth"),
        pytest.param("team", b'{"team": {"id": 1}}', id="no account"),
        pytest.param("membership", b'{"team": {"id": 1}, "member": null}', id="no member"),
    ],
)
async def test_a_payload_that_cannot_be_read_is_the_field_at_fault(
    told: Told, event: str, payload: bytes
) -> None:
    with pytest.raises(RemoteError) as refused:
        await told.send(pb.HandleInstallationEventRequest(event=event, payload=payload))
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert {each.field for each in refused.value.violations} == {"payload"}


async def test_whatever_a_payload_holds_it_is_answered_and_the_next_event_is_handled(
    told: Told,
) -> None:
    await told.install()
    acme, events = told.acme, Events(told.acme.world)
    draw = Random(1)  # noqa: S311 - a story, no secret
    sound = [
        events.installation("created", acme.installation),
        events.installation_repositories("added", acme.installation),
        events.installation_target(acme.installation),
        events.organization("member_added", acme.installation, acme.bob),
        events.membership("added", acme.installation, acme.team, acme.bob),
        events.team("edited", acme.installation, acme.team),
        events.repository("edited", acme.installation, acme.public),
        events.member("added", acme.installation, acme.public, acme.stranger),
        Event("github_app_authorization", {"action": "revoked", "sender": {"id": acme.ann.id}}),
    ]
    everything = "SELECT id FROM teams UNION ALL SELECT id FROM repositories ORDER BY 1"
    before = told.rows(everything)
    outcomes = Counter[object]()
    for event in sound:
        for body in spoilt(event.payload, draw, 6):
            request = pb.HandleInstallationEventRequest(event=event.name, payload=body)
            try:
                outcomes[await told.send(request)] += 1
            except RemoteError as refused:
                fields = {each.field for each in refused.violations}
                outcomes[refused.code, refused.reason, *fields] += 1
        assert await told.tell(event) == HANDLED, event.name
    refusal = ("INVALID_ARGUMENT", "INVALID_REQUEST", "payload")
    assert outcomes.keys() == {HANDLED, IGNORED, refusal}
    assert min(outcomes.values()) >= 10, outcomes
    assert told.rows(everything) == before


async def test_trouble_at_github_leaves_everything_as_it_was(told: Told) -> None:
    told.github.faults.add("GET /orgs/Acme/teams", status=503)
    with pytest.raises(RemoteError) as failed:
        await told.install()
    assert failed.value.reason == "GITHUB_UNAVAILABLE"
    assert told.rows("SELECT count(*) FROM organizations") == [0]
    await told.install()
    assert told.rows("SELECT count(*) FROM teams") == [2]


async def test_real_payloads_are_handled(told: Told) -> None:
    samples = json.loads(shared_data("webhooks/octokit-examples.json").read_text())
    payloads = [(s["name"], p) for s in samples if s["name"] in EVENTS for p in s["examples"]]
    assert {name for name, _ in payloads} == EVENTS - {"installation_target"}  # no sample of it
    for name, payload in payloads:
        installation = fill(told.acme.world, name, payload)
        if "installation" not in payload:
            created = {"action": "created", "installation": {"id": installation.id}}
            await told.tell(Event("installation", created))
        outcome = await told.tell(Event(name, payload))
        assert outcome == (IGNORED if payload.get("action") == "member_invited" else HANDLED), name
        wanted: dict[str, Collection[int]] = {
            "SELECT id FROM repositories WHERE id = ANY(%s)": told.acme.world.repositories,
            "SELECT id FROM teams WHERE id = ANY(%s)": told.acme.world.teams,
            "SELECT installation_id FROM github_installations WHERE suspended_at IS NULL"
            " AND installation_id = ANY(%s)": told.acme.world.installations,
        }
        for query, things in wanted.items():
            assert told.rows(query, list(things)) == list(things), (name, payload.get("action"))
