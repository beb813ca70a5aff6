"""What webhooks of installations begin."""

from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2, webhook_pb2
from laurel_common.auth.principal import PrincipalKind
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import ACCOUNT_ID
from tests.support.ingest_webhooks import REAL_INSTALLATION


async def test_a_new_installation_is_read_without_anybodys_asking_for_it(service: Service) -> None:
    with service.database.connect() as connection:
        connection.execute(
            "INSERT INTO organizations (id, login) VALUES (%s, 'acme')", [ACCOUNT_ID]
        )
        connection.execute(
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (%s, 1, %s)",
            [REAL_INSTALLATION, ACCOUNT_ID],
        )
    runs = ingest_pb2_grpc.IngestServiceStub(service.server.channel(PrincipalKind.OPERATOR))

    async def begun() -> list[ingest_runs_pb2.Ingest]:
        request = ingest_runs_pb2.ListIngestsRequest(installation_id=REAL_INSTALLATION)
        return list((await runs.ListIngests(request)).ingests)

    installation = {"installation": {"id": REAL_INSTALLATION}}
    await service.deliver("installation", installation | {"action": "suspend"})
    await service.inner.webhooks.work(REAL_INSTALLATION)
    assert await begun() == []
    await service.deliver("installation", installation | {"action": "created"}, delivery_id="a")
    await service.deliver("installation_repositories", installation | {"action": "added"})
    await service.inner.webhooks.work(REAL_INSTALLATION)
    (run,) = await begun()
    assert run.reconciling
    assert run.state == ingest_runs_pb2.INGEST_STATE_QUEUED
    cancel = ingest_runs_pb2.CancelIngestRequest(
        installation_id=REAL_INSTALLATION, ingest_id=run.id
    )
    await runs.CancelIngest(cancel)
    await service.webhooks().ReplayDelivery(webhook_pb2.ReplayDeliveryRequest(delivery_id="a"))
    await service.inner.webhooks.work(REAL_INSTALLATION)
    assert len(await begun()) == 1
