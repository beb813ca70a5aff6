"""SignalService on a port of its own, over a real database and a real Valkey."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from laurel.ingest.v1 import (
    signal_entities_pb2,
    signal_imports_pb2,
    signal_pb2_grpc,
    signal_writes_pb2,
    webhook_pb2,
    webhook_pb2_grpc,
)
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.testing.clock import FakeClock
from laurel_common.testing.server import RunningServer, serving
from laurel_ingest.bootstrap import Ingest, build
from laurel_ingest.config import IngestSettings
from tests.support.database import Database
from tests.support.ingest_builders import ACCOUNT_ID, INSTALLATION_ID, REPOSITORY_ID
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_github import DatabaseRoster
from tests.support.ingest_webhooks import SECRETS, RecordedIdentity, RecordedScoring, delivered
from tests.support.users import SignedIn

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
ARCHIVE = signal_imports_pb2.ImportEventsHeader(source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE)


@dataclass
class Service:
    """The running service and what tests reach it by."""

    server: RunningServer
    database: Database
    directory: DatabaseDirectory
    inner: Ingest
    clock: FakeClock
    recorded: RecordedScoring
    identity: RecordedIdentity
    user: SignedIn
    backend: signal_pb2_grpc.SignalServiceStub
    operator: signal_pb2_grpc.SignalServiceStub
    scoring: signal_pb2_grpc.SignalServiceStub

    async def import_lines(
        self,
        lines: Sequence[bytes],
        header: signal_imports_pb2.ImportEventsHeader = ARCHIVE,
        *,
        size: int = 2_500,
    ) -> list[signal_imports_pb2.ImportEventsResponse]:
        """Sends lines in batches and answers what came back."""
        batches = [
            signal_imports_pb2.EventBatch(
                sequence=start,
                lines=lines[start : start + size],
                first_line_number=start + 1,
                file_name="file",
            )
            for start in range(0, len(lines), size)
        ]
        return await self.send(*batches, header=header)

    async def send(
        self,
        *batches: signal_imports_pb2.EventBatch,
        header: signal_imports_pb2.ImportEventsHeader = ARCHIVE,
    ) -> list[signal_imports_pb2.ImportEventsResponse]:
        """Sends batches and answers what came back."""
        requests = [signal_imports_pb2.ImportEventsRequest(header=header)]
        requests += [signal_imports_pb2.ImportEventsRequest(batch=batch) for batch in batches]
        return [answer async for answer in self.operator.ImportEvents(iter(requests))]

    async def write(
        self,
        *batches: Iterable[signal_entities_pb2.NewSignal] | bytes,
        standing: int = signal_entities_pb2.STANDING_BEST,
        all_or_nothing: bool = False,
    ) -> list[signal_writes_pb2.WriteSignalsResponse]:
        """Writes batches of rows, or of Arrow bytes, for the installation of the builders."""
        header = signal_writes_pb2.WriteSignalsHeader(
            installation_id=INSTALLATION_ID,
            standing=signal_entities_pb2.Standing.ValueType(standing),
            all_or_nothing=all_or_nothing,
        )
        requests = [signal_writes_pb2.WriteSignalsRequest(header=header)]
        for sequence, batch in enumerate(batches, start=1):
            message = signal_writes_pb2.SignalBatch(sequence=sequence)
            if isinstance(batch, bytes):
                message.arrow = batch
            else:
                message.rows.signals.extend(batch)
                message.rows.SetInParent()
            requests.append(signal_writes_pb2.WriteSignalsRequest(batch=message))
        return [answer async for answer in self.backend.WriteSignals(iter(requests))]

    def webhooks(
        self, kind: PrincipalKind = PrincipalKind.OPERATOR
    ) -> webhook_pb2_grpc.WebhookServiceStub:
        """WebhookService as some caller reaches it."""
        return webhook_pb2_grpc.WebhookServiceStub(self.server.channel(kind))

    async def deliver(
        self, event: str, body: object, **changes: str
    ) -> webhook_pb2.ReceiveWebhookResponse:
        """What the gateway is answered for a delivery."""
        gateway = self.webhooks(PrincipalKind.GATEWAY)
        return await gateway.ReceiveWebhook(delivered(event, body, **changes))

    async def delivery(self, delivery_id: str) -> webhook_pb2.Delivery:
        """A delivery as operators see it."""
        request = webhook_pb2.ListDeliveriesRequest(delivery_id=delivery_id)
        (found,) = (await self.webhooks().ListDeliveries(request)).deliveries
        return found

    def counts(self) -> dict[str, int]:
        """How many signals there are of each type."""
        with self.database.connect() as connection:
            rows = connection.execute("SELECT type::text, count(*) FROM signals GROUP BY 1")
            return dict(rows.fetchall())


@pytest.fixture
async def service(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    key_file = tmp_path / "ingest.key"
    generate_private_key(key_file)
    secrets = tmp_path / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text("\n".join(SECRETS))
    settings = IngestSettings.model_validate(
        {
            "database_url": database.url("laurel_ingest"),
            "redis_url": redis_url,
            "trust_file": tmp_path / "trust.toml",
            "key_file": key_file,
            "webhook_secrets": secrets.read_text(),
            "webhook_secrets_file": secrets,
            "watcher_patience_seconds": 0.5,
        }
    )
    directory = DatabaseDirectory(database.url())
    clock, recorded, user = FakeClock(NOW), RecordedScoring(), SignedIn()
    identity = RecordedIdentity()
    inner = build(
        settings,
        clock=clock,
        directory=directory,
        identity=identity,
        scoring=recorded,
        roster=DatabaseRoster(database.url()),
    )
    async with serving(
        inner.servicers,
        tmp_path,
        settings=settings,
        health_checks=inner.checks,
        sessions=user,
        access=user,
    ) as server:
        yield Service(
            server,
            database,
            directory,
            inner,
            clock,
            recorded,
            identity,
            user,
            *(
                signal_pb2_grpc.SignalServiceStub(channel)
                for channel in (
                    server.channel(PrincipalKind.BACKEND),
                    server.channel(PrincipalKind.OPERATOR),
                    server.channel(PrincipalKind.SERVICE, name="scoring"),
                )
            ),
        )
    for close in reversed(inner.closers):
        await close()


@pytest.fixture
def world(database: Database) -> None:
    """An account with its installation, two repositories, users 1 to 9."""
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO organizations (id, login) VALUES (%s, 'acme')", [ACCOUNT_ID]
        )
        connection.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 0, %s)",
            [INSTALLATION_ID, ACCOUNT_ID],
        )
        connection.execute(
            "INSERT INTO repositories (id, full_name, name, owner_login, organization_id)"
            " SELECT id, 'acme/r' || id, 'r' || id, 'acme', %s FROM unnest(%s::bigint[]) AS id",
            [ACCOUNT_ID, [REPOSITORY_ID, REPOSITORY_ID + 1]],
        )
        connection.execute(
            "INSERT INTO users (id, login, avatar_url)"
            " SELECT id, 'u' || id, '' FROM generate_series(1, 9) AS id"
        )
