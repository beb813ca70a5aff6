"""Requests that get each method as far as its own tables, where a good one alone does not."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from laurel.identity.v1 import (
    auth_pb2_grpc,
    auth_sign_in_pb2,
    installation_pb2,
    installation_pb2_grpc,
)
from laurel.ingest.v1 import signal_imports_pb2, signal_writes_pb2
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import StaticToken
from laurel_common.clock import SystemClock
from tests.rpc.every_method.four_services import FourServices, four_services
from tests.support.contracts import DeclaredMethod
from tests.support.database import Database
from tests.support.github import running_github
from tests.support.github.acme import Acme
from tests.support.github.events import Events
from tests.support.github.oauth import authorize
from tests.support.ingest_builders import (
    ACCOUNT_ID,
    INSTALLATION_ID,
    REPOSITORY_ID,
    commit,
    lines_of,
    new_signal,
    push,
)
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_github import DatabaseRoster
from tests.support.ingest_webhooks import SECRETS, delivered
from tests.support.leaderboard_builders import BoardOf, stream_of
from tests.support.requests import request_for
from tests.support.rows import Rows
from tests.support.users import TOKEN

SYNTHETIC_ID = -(2**62) - 1

Prepare = Callable[["Asking", Any], Awaitable[Any]]


class Asking:
    """Asks the services, which know GitHub's `acme`."""

    def __init__(self, services: FourServices, acme: Acme) -> None:
        self.services = services
        self.acme = acme

    async def messages(self, method: DeclaredMethod, installation_id: int = 1) -> list[Any]:
        """What to send to a method: one message, or those of a stream."""
        request = request_for(method.rule, installation_id)
        prepare = _PREPARED.get(method.name)
        if prepare is None:
            return [request]
        made = await prepare(self, request)
        return made if isinstance(made, list) else [made]


async def _sign_in(asking: Asking, request: Any) -> Any:
    channel = asking.services.servers["identity"].channel(PrincipalKind.GATEWAY)
    begun = await auth_pb2_grpc.AuthServiceStub(channel).BeginSignIn(
        auth_sign_in_pb2.BeginSignInRequest()
    )
    world, now = asking.acme.world, SystemClock().now()
    request.code, request.state = authorize(world, asking.acme.ann, begun.authorize_url, now)
    request.csrf_token = begun.csrf_token
    return request


async def _link(asking: Asking, request: Any) -> Any:
    channel = asking.services.servers["identity"].channel_with(StaticToken(TOKEN))
    begun = await installation_pb2_grpc.InstallationServiceStub(channel).BeginInstall(
        installation_pb2.BeginInstallRequest()
    )
    request.state = begun.state
    return request


async def _hand_on(asking: Asking, request: Any) -> Any:
    event = Events(asking.acme.world).installation("created", asking.acme.installation)
    request.event, request.payload = event.name, json.dumps(event.payload).encode()
    return request


async def _write(_: Asking, request: Any) -> Any:
    request.header.installation_id = INSTALLATION_ID
    batch = signal_writes_pb2.SignalBatch(sequence=1)
    batch.rows.signals.append(new_signal("1"))
    return [request, signal_writes_pb2.WriteSignalsRequest(batch=batch)]


async def _import(_: Asking, request: Any) -> Any:
    request.header.source = signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE
    batch = signal_imports_pb2.EventBatch(
        sequence=1, lines=lines_of([push(commit(1))]), first_line_number=1, file_name="file"
    )
    return [request, signal_imports_pb2.ImportEventsRequest(batch=batch)]


async def _of_user(_: Asking, request: Any) -> Any:
    request.user_id = 1
    return request


async def _claim(_: Asking, request: Any) -> Any:
    request.synthetic_user_id, request.user_id = SYNTHETIC_ID, 1
    return request


async def _upsert(_: Asking, request: Any) -> Any:
    request.users.add(id=9, login="nine")
    return request


async def _of_team(_: Asking, request: Any) -> Any:
    request.team_id = 1
    return request


async def _drop(_: Asking, request: Any) -> Any:
    request.keep_months, request.confirmed = 12, True
    return request


async def _login(_: Asking, request: Any) -> Any:
    request.user_logins.append("ann")
    return request


async def _receive(_: Asking, _request: Any) -> Any:
    return delivered("push", {"installation": {"id": 1}, "repository": {"id": 1}})


async def _publish(_: Asking, _request: Any) -> Any:
    return stream_of(BoardOf({1: 1}))


async def _rename(_: Asking, request: Any) -> Any:
    request.name = "bold"
    request.update_mask.paths.append("name")
    return request


async def _explain_a_range(_: Asking, request: Any) -> Any:
    request.ClearField("board")
    request.range.installation_id = 1
    request.range.scope_type = request.range.entity_type = 1
    request.range.start_time.seconds, request.range.end_time.seconds = 1, 100
    return request


_PREPARED: dict[str, Prepare] = {
    "AuthService/CompleteSignIn": _sign_in,
    "AuthService/ListSessions": _of_user,
    "AuthService/RevokeAllSessions": _of_user,
    "DirectoryService/UpsertEntities": _upsert,
    "DirectoryService/ClaimIdentity": _claim,
    "DirectoryService/ResolveLogins": _login,
    "IngestService/SummarizeCoverage": _of_team,
    "IngestService/DropOldPartitions": _drop,
    "InstallationService/LinkInstallation": _link,
    "InstallationService/HandleInstallationEvent": _hand_on,
    "SignalService/WriteSignals": _write,
    "SignalService/ImportEvents": _import,
    "WebhookService/ReceiveWebhook": _receive,
    "MaterializationService/PublishMaterialization": _publish,
    "PresetService/UpdatePreset": _rename,
    "ScoringService/ExplainScore": _explain_a_range,
}


def named(method: DeclaredMethod) -> str:
    """A test's id."""
    return method.name


def seed(database: Database) -> None:
    """An account with its repository and installation, another installation, and two users."""
    with database.connect() as owner:
        rows = Rows(owner)
        rows.organization(id=ACCOUNT_ID, login="acme")
        rows.installation(installation_id=INSTALLATION_ID, app_id=0, organization_id=ACCOUNT_ID)
        rows.installation(installation_id=1)
        rows.repository(id=REPOSITORY_ID, full_name="acme/rocket", organization_id=ACCOUNT_ID)
        rows.insert(
            "installation_repositories",
            installation_id=INSTALLATION_ID,
            repository_id=REPOSITORY_ID,
        )
        rows.user(id=1)
        rows.user(id=SYNTHETIC_ID)


@asynccontextmanager
async def everything(
    directory_url: str, database_url: Callable[[str], str], redis_url: str, directory: Path
) -> AsyncIterator[Asking]:
    """The four services and GitHub; where there is a `directory_url`, ingest learns there what
    identity would tell.
    """
    acme = Acme()
    async with running_github(acme.world) as github:
        app = acme.world.app
        more = {
            "identity": {
                "token_keys": secrets.token_hex(32),
                "github_client_id": app.client_id,
                "github_client_secret": app.client_secret,
                **github.settings(),
            },
            "ingest": {"webhook_secrets": "\n".join(SECRETS)},
        }
        told = {
            "directory": DatabaseDirectory(directory_url),
            "roster": DatabaseRoster(directory_url),
        }
        ports = {"ingest": told if directory_url else {}}
        async with four_services(database_url, redis_url, directory, more, ports) as services:
            yield Asking(services, acme)
