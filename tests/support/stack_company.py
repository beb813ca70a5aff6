"""A whole Laurel beside a simulated GitHub: the App on an organization, people who signed in, and
keys of every kind of caller."""

import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from laurel.identity.v1 import (
    auth_pb2_grpc,
    auth_sign_in_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2, webhook_pb2
from laurel_cli.rpc.caller import Caller
from laurel_cli.stack.layout import Layout, write_secret
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.auth.trust import TrustedKey, format_trust_file
from tests.support.database import Database
from tests.support.github import GitHubSimulator, World, running_github
from tests.support.github.history import Size, fill
from tests.support.github.oauth import authorize
from tests.support.github.world import Account, Installation, Repository, Team
from tests.support.stack_running import Laurel, running_laurel, until
from tests.support.world_actions import score

GATEWAY, BACKEND = "gateway", "reports"
# Of acme: its admin, a member, an outside collaborator; and globex's admin.
PEOPLE = ("ada", "bob", "otto", "zoe")


@dataclass
class Company:
    """Acme, globex, and who has to do with them. `sessions` are tokens by login."""

    laurel: Laurel
    github: GitHubSimulator
    acme: Installation
    globex: Installation
    users: dict[str, Account]
    # What not everybody may learn of: acme's private repository and its secret team.
    vault: Repository
    skunks: Team
    webhook_secret: str
    sessions: dict[str, str] = field(default_factory=dict)
    # What a sign-in gave besides its session's token.
    sign_ins: list[Any] = field(default_factory=list)

    def user(self, login: str) -> Caller:
        """Calls with a person's session."""
        return self.laurel.calling_with(StaticToken(self.sessions[login]))

    def signed(
        self, event: str, body: bytes, secret: str = ""
    ) -> webhook_pb2.ReceiveWebhookRequest:
        """A delivery of its own, signed with the secret that is configured unless told."""
        key = (secret or self.webhook_secret).encode()
        headers = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": secrets.token_hex(8),
            "X-Hub-Signature-256": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}",
        }
        return webhook_pb2.ReceiveWebhookRequest(headers=headers, body=body)

    async def sign_in(self, login: str) -> None:
        """Takes a person through GitHub; a session that it had stays."""
        async with self.laurel.service(GATEWAY).channel("identity") as channel:
            gateway = auth_pb2_grpc.AuthServiceStub(channel)
            begun = await gateway.BeginSignIn(auth_sign_in_pb2.BeginSignInRequest())
            user, now = self.users[login], self.github.clock.now()
            code, state = authorize(self.github.world, user, begun.authorize_url, now)
            done = await gateway.CompleteSignIn(
                auth_sign_in_pb2.CompleteSignInRequest(
                    code=code, state=state, csrf_token=begun.csrf_token
                )
            )
        self.sign_ins += [begun, code]
        self.sessions[login] = done.session_token

    async def sync(self) -> None:
        """Has identity read all installations."""
        async with self.laurel.caller.channel("identity") as channel:
            stub = installation_pb2_grpc.InstallationServiceStub(channel)
            await stub.SyncInstallations(installation_pb2.SyncInstallationsRequest(page_size=100))

    async def read_history(self) -> None:
        """Has ingest read acme's history from GitHub, and scoring make the boards of it."""
        ended = ingest_runs_pb2.INGEST_STATE_SUCCEEDED
        async with self.laurel.caller.channel("ingest") as channel:
            stub = ingest_pb2_grpc.IngestServiceStub(channel)
            request = ingest_runs_pb2.StartIngestRequest(installation_id=self.acme.id)
            run = (await stub.StartIngest(request)).ingest
            asked = ingest_runs_pb2.GetIngestRequest(installation_id=self.acme.id, ingest_id=run.id)

            async def is_read() -> bool:
                return bool((await stub.GetIngest(asked)).ingest.state == ended)

            await until(is_read, "GitHub's history is read")
        await score(self.laurel, self.acme.id)


@asynccontextmanager
async def running_company(
    root: Path, *, database: Database, redis_url: str, **options: Any
) -> AsyncIterator[Company]:
    """Brings it up below `root`: everybody is signed in, acme's boards are there. Further options
    go to `running_laurel`.
    """
    # Ids that no count and no score comes to.
    world = World(last_id=1_700_000_000)
    acme, globex = world.organization("acme"), world.organization("globex")
    users = {login: world.user(login) for login in PEOPLE}
    for account, login, role in (
        (acme, "ada", "admin"), (acme, "bob", "member"), (globex, "zoe", "admin"),
    ):  # fmt: skip
        world.join(account, users[login], role)
    site = world.repository(acme, "site")
    vault = world.repository(acme, "vault", private=True, collaborators={users["otto"].id: "read"})
    world.team(acme, "smiths", members={users["bob"].id: "member"}, repositories={site.id: "push"})
    skunks = world.team(acme, "skunks", privacy="secret", members={users["ada"].id: "maintainer"})
    for each in (site, vault):
        fill(world, each, [users["ada"], users["bob"]], Size(6, 2, 2, 1, 1))
    installations = world.install(acme), world.install(globex)
    async with running_github(world) as github:
        layout, webhook_secret = Layout(root), secrets.token_hex(20)
        layout.make()
        with told_of(github, layout, webhook_secret):
            async with running_laurel(
                root, database=database, redis_url=redis_url, **options
            ) as laurel:
                company = Company(
                    laurel, github, *installations, users, vault, skunks, webhook_secret
                )
                await company.sync()
                for login in PEOPLE:
                    await company.sign_in(login)
                await company.read_history()
                yield company


@contextmanager
def told_of(github: GitHubSimulator, layout: Layout, webhook_secret: str) -> Iterator[None]:
    """Has `up` tell the services of GitHub while the block runs; the callers' keys are made."""
    entries = []
    for name, kind in ((GATEWAY, PrincipalKind.GATEWAY), (BACKEND, PrincipalKind.BACKEND)):
        key = generate_private_key(layout.key(name)).public_key()
        entries.append(TrustedKey(name, kind, key, ("*",), None))
    layout.trust_file.write_text(format_trust_file(entries))
    app = github.world.app
    told = {
        "GITHUB_APP_PRIVATE_KEY": app.private_key_pem().decode(),
        "GITHUB_CLIENT_SECRET": app.client_secret,
        "WEBHOOK_SECRETS": webhook_secret,
    }
    variables = {
        "GITHUB_API_URL": github.api_url,
        "GITHUB_WEB_URL": github.web_url,
        "GITHUB_APP_ID": str(app.id),
        "GITHUB_CLIENT_ID": app.client_id,
    }
    for name, text in told.items():
        path = layout.secrets / name.lower().replace("_", "-")
        write_secret(path, text)
        variables[f"{name}_FILE"] = str(path)
    with pytest.MonkeyPatch.context() as environ:
        for name, text in variables.items():
            environ.setenv(f"LAUREL_{name}", text)
        yield
