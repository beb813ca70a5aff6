"""The webhook of a forced push has its repository read, without anybody's asking."""

from typing import Any

from laurel.ingest.v1 import ingest_pb2_grpc, ingest_runs_pb2
from laurel_common.auth.principal import PrincipalKind
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import ACCOUNT_ID, INSTALLATION_ID, REPOSITORY_ID, sha
from tests.support.ingest_webhooks import REAL_INSTALLATION, hook_commit, hook_push, repository
from tests.support.stack_running import until


async def test_the_webhook_of_a_forced_push_has_the_branch_read(
    service: Service, world: None
) -> None:
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO repository_histories (repository_id, installation_id, head_sha, walked_at,"
            " pulls_total, issues_total, checked_at)"
            " VALUES (%s, %s, %s, '2021-05-01', 0, 0, '2021-05-01')",
            [REPOSITORY_ID, INSTALLATION_ID, sha("before")],
        )
    history, stub = service.inner.history, service.server.channel(PrincipalKind.OPERATOR)
    request = ingest_runs_pb2.ListIngestsRequest(installation_id=INSTALLATION_ID)

    async def runs() -> list[ingest_runs_pb2.Ingest]:
        found = await ingest_pb2_grpc.IngestServiceStub(stub).ListIngests(request)
        return list(found.ingests)

    async def deliver(**changes: Any) -> None:
        body = hook_push(hook_commit("a"), **changes)
        body["repository"] = repository(full_name=f"acme/r{REPOSITORY_ID}")
        body["repository"]["owner"]["id"] = ACCOUNT_ID
        await service.deliver("push", body)
        await service.inner.webhooks.work(REAL_INSTALLATION)

    await deliver()
    await deliver(forced=True, ref="refs/heads/topic")
    await history.read_rewritten()
    assert await runs() == []

    history.rewritten.start()
    await deliver(forced=True)

    async def is_asked_for() -> bool:
        return bool(await runs())

    await until(is_asked_for, "a run is asked for")
    (run,) = await runs()
    assert (run.repository_id, run.reconciling) == (REPOSITORY_ID, True)
    assert run.state == ingest_runs_pb2.INGEST_STATE_QUEUED
