"""A whole Laurel over mutual TLS, with what `laurel certs` makes: who shows no certificate is not
heard, and nothing secret is left lying about, neither in the database nor in Redis nor in a log.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from laurel.common.v1 import board_pb2, types_pb2
from laurel.identity.v1 import (
    auth_pb2_grpc,
    auth_sessions_pb2,
    auth_sign_in_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel.ingest.v1 import webhook_pb2_grpc
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel_cli.__main__ import app
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.health import health_of
from laurel_cli.stack.authority import Authority
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from tests.e2e.running import laurel as laurel_command
from tests.support.database import Database
from tests.support.github.events import Events
from tests.support.github.oauth import authorize, oauth_of
from tests.support.secrecy import (
    check_logs,
    database_dump,
    logs_of,
    redis_dump,
    secrets_below,
    told,
)
from tests.support.stack_company import GATEWAY, Company, running_company
from tests.support.stack_running import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company(
    module_database: Database,
    module_redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Company]:
    """Everything, over mutual TLS, with logs that tell all they can."""
    certificates = tmp_path_factory.mktemp("certs")
    done = await asyncio.to_thread(CliRunner().invoke, app, ["certs", str(certificates)])
    assert done.exit_code == 0, done.output
    async with running_company(
        tmp_path_factory.mktemp("secrets"),
        database=module_database,
        redis_url=module_redis_url,
        log_level="debug",
        certificates=certificates,
    ) as found:
        yield found


async def test_what_github_has_comes_to_a_board_over_mutual_tls(company: Company) -> None:
    """All four have called each other on the way."""
    board = a_board_of(company)
    for caller in (company.laurel.caller, company.user("ada")):
        async with caller.channel("leaderboard") as channel:
            stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
            answer = await stub.GetLeaderboard(leaderboard_pb2.GetLeaderboardRequest(board=board))
        assert {"ada", "bob"} <= {each.entity.login for each in answer.entries}
    certificates, where = company.laurel.certificates, company.laurel.stack
    assert certificates is not None
    done = await asyncio.to_thread(
        laurel_command,
        certificates.parent,
        *("board", "acme", "--period", "all_time", "--json", "--data", str(where.layout.root)),
        LAUREL_TLS_CA_FILE=str(certificates / "ca.pem"),
        LAUREL_TLS_CERTIFICATE_FILE=str(certificates / "operator.pem"),
        LAUREL_TLS_KEY_FILE=str(certificates / "operator.key"),
    )
    shown = json.loads(done.stdout)["entries"]
    assert {"ada", "bob"} <= {each["entity"]["login"] for each in shown}


async def test_who_shows_no_certificate_of_the_authority_is_not_even_heard(
    company: Company, tmp_path: Path
) -> None:
    certificates = company.laurel.certificates
    assert certificates is not None
    trusting, strangers = certificates / "ca.pem", tmp_path / "strangers"
    shown = {
        "ours": (certificates / "operator.pem", certificates / "operator.key"),
        "a stranger's": Authority(strangers).issue("operator"),
        "none": None,
    }
    for service, target in company.laurel.stack.targets.items():
        answers = {
            name: await health_of(target, ca_file=trusting, own=own) for name, own in shown.items()
        }
        answers["plain text"] = await health_of(target)
        assert answers.pop("ours") == "SERVING"
        assert set(answers.values()) == {"UNAVAILABLE"}, (service, answers)
    # Nor does a token help.
    bare = Caller(company.laurel.stack.targets, company.laurel.caller.tokens, ca_file=trusting)
    async with bare.channel("identity") as channel:
        with pytest.raises(RemoteError) as refused:
            await auth_pb2_grpc.AuthServiceStub(channel).RotateTokens(
                auth_sessions_pb2.RotateTokensRequest()
            )
    assert refused.value.code == "UNAVAILABLE"


def a_board_of(company: Company) -> board_pb2.Board:
    """Acme's contributors of all time."""
    return board_pb2.Board(
        installation_id=company.acme.id,
        scope_type=types_pb2.SCOPE_TYPE_ORGANIZATION,
        entity_type=types_pb2.ENTITY_TYPE_CONTRIBUTOR,
        time_period=types_pb2.TIME_PERIOD_ALL_TIME,
    )


async def live(company: Company) -> dict[str, str]:
    """Does what handles tokens, well and badly; whatever was secret in it, by what it is."""
    github, oauth = company.github, oauth_of(company.github.world)
    secrets: dict[str, str] = {"webhook": company.webhook_secret}
    # So short that each use of GitHub's token refreshes it.
    oauth.access_seconds = 240
    await company.sign_in("ada")
    for number, each in enumerate(oauth.refresh_tokens):
        secrets[f"refresh token {number}"] = each
    async with company.user("ada").channel("identity") as channel:
        tenants = installation_pb2_grpc.InstallationServiceStub(channel)
        syncing = installation_pb2.SyncInstallationsRequest(installation_id=company.acme.id)
        await tenants.SyncInstallations(syncing)
        begun = await tenants.BeginInstall(installation_pb2.BeginInstallRequest())
        linking = installation_pb2.LinkInstallationRequest(
            new_installation_id=company.acme.id, state=begun.state
        )
        await tenants.LinkInstallation(linking)
        secrets["install state"] = begun.state
    assert oauth.refreshed > 0
    await fail_to_sign_in(company, secrets)
    await deliver(company)
    for token in ("f" * 64, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJpbmdlc3QifQ.", "hunter2-hunter2"):
        stranger = company.laurel.calling_with(StaticToken(token))
        async with stranger.channel("identity") as channel:
            with pytest.raises(RemoteError, match="credentials"):
                await auth_pb2_grpc.AuthServiceStub(channel).GetSession(
                    auth_sessions_pb2.GetSessionRequest()
                )
        secrets[f"a stranger's {token[:3]}"] = token
    async with company.laurel.caller.channel("identity") as channel:
        operator = auth_pb2_grpc.AuthServiceStub(channel)
        await operator.RotateTokens(auth_sessions_pb2.RotateTokensRequest())
    for number, each in enumerate([*github.world.tokens, *oauth.refresh_tokens]):
        secrets[f"token {number} of GitHub's"] = each
    for login, token in company.sessions.items():
        secrets[f"session of {login}"] = token
    for number, sign_in in enumerate(company.sign_ins):
        if isinstance(sign_in, str):
            secrets[f"code {number}"] = sign_in
        else:
            secrets |= {f"state {number}": sign_in.state, f"csrf {number}": sign_in.csrf_token}
    return secrets


async def fail_to_sign_in(company: Company, secrets: dict[str, str]) -> None:
    """Sign-ins that end in trouble, whose texts and tracebacks are logged."""
    world = company.github.world
    async with company.laurel.service(GATEWAY).channel("identity") as channel:
        gateway = auth_pb2_grpc.AuthServiceStub(channel)
        for number, fault in enumerate(("GET /user$", "POST /login", "GET /user/memberships")):
            company.github.faults.add(fault, status=500 + number)
            begun = await gateway.BeginSignIn(auth_sign_in_pb2.BeginSignInRequest())
            now = company.github.clock.now()
            code, state = authorize(world, company.users["bob"], begun.authorize_url, now)
            request = auth_sign_in_pb2.CompleteSignInRequest(
                code=code, state=state, csrf_token=begun.csrf_token
            )
            with pytest.raises(RemoteError, match="GitHub"):
                await gateway.CompleteSignIn(request)
            secrets |= {f"lost code {number}": code, f"lost csrf {number}": begun.csrf_token}
    company.github.faults.clear()


async def deliver(company: Company) -> None:
    """A webhook that is worked off, and one with another's signature."""
    event = Events(company.github.world).installation("new_permissions_accepted", company.acme)
    body = json.dumps(event.payload).encode()

    asked = company.signed(event.name, body)
    async with company.laurel.service(GATEWAY).channel("ingest") as channel:
        gateway = webhook_pb2_grpc.WebhookServiceStub(channel)
        await gateway.ReceiveWebhook(asked)
        with pytest.raises(RemoteError, match="WEBHOOK_REFUSED"):
            await gateway.ReceiveWebhook(company.signed(event.name, body, "somebody else's"))
    delivery = asked.headers["X-GitHub-Delivery"]
    with company.laurel.connect() as owner:
        query = "SELECT 1 FROM webhook_deliveries WHERE delivery_id = %s AND state = 'done'"
        await until(
            lambda: owner.execute(query, [delivery]).fetchone(), "the webhook is worked off"
        )


async def test_no_token_session_or_key_stands_anywhere(
    company: Company, redis_server_url: str
) -> None:
    laurel = company.laurel
    secrets = secrets_below(laurel.stack.layout) | await live(company)
    sessions = [hashlib.sha256(each.encode()).hexdigest() for each in company.sessions.values()]
    with laurel.connect() as owner:
        dump = database_dump(owner)
    assert all(each.encode() in dump for each in sessions)
    assert told(dump, secrets) == []
    assert told(redis_dump(redis_server_url), secrets) == []
    check_logs(laurel.stack.layout, "\n".join(laurel.reports), **secrets)
    # The logs are those of all four, and tell what they may of it.
    logs: dict[str, Any] = logs_of(laurel.stack.layout)
    assert len(logs) == 4
    assert all(b'"level": "debug"' in text for text in logs.values()), logs.keys()
    assert b'"caller": "gateway:gateway"' in logs["identity.log"]


async def test_a_secret_that_stood_there_would_be_found(company: Company, tmp_path: Path) -> None:
    """Else the test above shows nothing."""
    layout = company.laurel.stack.layout
    token = company.sessions["bob"]
    planted = {"plain": token, "hex": token.encode().hex(), "base64": "NWU1ZTVlNWU1ZTVlNWU1ZQ"}
    for text in planted.values():
        assert told(f"x{text}y".encode(), {"it": token, "other": "5e" * 8})
    with company.laurel.connect() as owner, owner.transaction(force_rollback=True):
        owner.execute("UPDATE webhook_deliveries SET body = convert_to(%s, 'UTF8')", [f"[{token}]"])
        assert told(database_dump(owner), {"session": token}) == ["session"]
    leaky = type(layout)(tmp_path)
    leaky.make()
    (leaky.keys / "operator.pem").write_text(layout.key("operator").read_text())
    body = layout.key("operator").read_text().splitlines()[1]
    for line in (f'{{"key": "{body}"}}', "Bearer eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJpbmdlc3QifQ.x"):
        (leaky.logs / "identity.log").write_text(line)
        with pytest.raises(AssertionError, match=r"identity\.log"):
            check_logs(leaky)
