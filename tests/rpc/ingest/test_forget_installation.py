"""ForgetInstallation: nothing is left of an installation, and nothing is missing of another."""

from typing import Any

import pytest

from laurel.ingest.v1 import signal_pb2_grpc
from laurel.ingest.v1.signal_moves_pb2 import ForgetInstallationRequest
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_ingest.application.turns import Turn
from laurel_ingest.storage import erasures, signal_slices
from tests.rpc.ingest.conftest import Service
from tests.rpc.ingest.test_read_signals import world_of_signals
from tests.support.ingest_builders import (
    ACCOUNT_ID,
    INSTALLATION_ID,
    REPOSITORY_ID,
    commit,
    lines_of,
    push,
)

pytestmark = pytest.mark.usefixtures("world")

OTHER = 4711
_TABLES = (
    "signals", "signal_keys", "repository_facts", "repository_fact_links", "signal_withdrawals",
    "webhook_deliveries", "webhook_redeliveries", "ingest_runs", "ingest_run_repositories",
    "ingest_log", "repository_histories", "repository_installations", "installation_bots",
    "scoring_notices", "installation_signal_states", "repository_sync_state", "coverage_gaps",
    "github_budgets",
)  # fmt: skip


def counts(service: Service) -> dict[str, int]:
    with service.database.connect() as owner:
        found: dict[str, Any] = {
            table: owner.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
            for table in _TABLES
        }
    return {table: row[0] for table, row in found.items()}


def seed(service: Service) -> None:
    """A row in the tables that only GitHub fills, and another installation's signal."""
    with service.database.connect() as owner:
        values = {"id": INSTALLATION_ID, "account": ACCOUNT_ID, "repository": REPOSITORY_ID}
        for statement in (
            "INSERT INTO ingest_runs (id, installation_id, organization_id, requested_by,"
            " requested_at) VALUES (1, %(id)s, %(account)s, 't', now())",
            "INSERT INTO ingest_run_repositories (run_id, installation_id, repository_id,"
            " full_name) VALUES (1, %(id)s, %(repository)s, 'acme/rocket')",
            "INSERT INTO ingest_log (installation_id, organization_id)"
            " VALUES (%(id)s, %(account)s)",
            "INSERT INTO repository_histories (repository_id, installation_id, checked_at)"
            " VALUES (%(repository)s, %(id)s, now())",
            "INSERT INTO repository_sync_state (repository_id, organization_id)"
            " VALUES (%(repository)s, %(account)s)",
            "INSERT INTO coverage_gaps (repository_id, reason, last_at)"
            " VALUES (%(repository)s, 'push_truncated', now())",
            "INSERT INTO github_budgets (installation_id) VALUES (%(id)s)",
            "INSERT INTO installation_bots (installation_id, user_id, added_by)"
            " VALUES (%(id)s, 4, 't')",
            "INSERT INTO webhook_deliveries (delivery_id, event, installation_id, subject_id,"
            " received_at, next_attempt_at, body, body_bytes)"
            " VALUES ('d', 'push', %(id)s, 1, now(), now(), '', 0)",
            "INSERT INTO webhook_redeliveries (delivery_id, attempt_id, event, failed_at,"
            " installation_id) VALUES ('e', 1, 'push', now(), %(id)s)",
            "INSERT INTO github_installations (installation_id, app_id, organization_id)"
            " VALUES (4711, 9, %(account)s)",
        ):
            owner.execute(statement, values)
        owner.execute(
            "INSERT INTO signals (installation_id, user_id, repository_id, type, event_timestamp,"
            " content_hash) VALUES (%s, 1, %s, 'comment', '2021-05-03', %s)",
            [OTHER, REPOSITORY_ID, "f" * 64],
        )


async def test_nothing_is_left_whatever_died_on_the_way(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal_slices, "SLICE", 15)
    monkeypatch.setattr(erasures, "SLICE", 15)
    await service.import_lines(lines_of([push(*(commit(n) for n in range(20)))]))
    await service.write(world_of_signals())
    seed(service)
    identity = signal_pb2_grpc.SignalServiceStub(
        service.server.channel(PrincipalKind.SERVICE, name="identity")
    )
    request = ForgetInstallationRequest(installation_id=INSTALLATION_ID)
    # As many calls that each end after a slice.
    service.inner.forget_installation.turn = Turn(seconds=0)
    forgotten, calls = 0, 0
    while True:
        done = await identity.ForgetInstallation(request)
        forgotten, calls = forgotten + done.forgotten_count, calls + 1
        if done.is_complete:
            break
    assert calls > 5
    assert forgotten >= 62
    kept = {"signals": 1}
    assert counts(service) == {table: kept.get(table, 0) for table in _TABLES}
    again = await identity.ForgetInstallation(request)
    assert (again.forgotten_count, again.is_complete) == (0, True)


@pytest.mark.parametrize(
    ("kind", "installation_id", "reason"),
    [
        pytest.param(PrincipalKind.OPERATOR, 1, "CALLER_NOT_ALLOWED", id="operator"),
        pytest.param(PrincipalKind.BACKEND, 1, "CALLER_NOT_ALLOWED", id="backend"),
        pytest.param(PrincipalKind.SERVICE, 0, "INVALID_REQUEST", id="nobody's"),
    ],
)
async def test_who_and_what_is_refused(
    service: Service, kind: PrincipalKind, installation_id: int, reason: str
) -> None:
    name = "identity" if kind is PrincipalKind.SERVICE else str(kind.value)
    stub = signal_pb2_grpc.SignalServiceStub(service.server.channel(kind, name=name))
    with pytest.raises(RemoteError) as refused:
        await stub.ForgetInstallation(ForgetInstallationRequest(installation_id=installation_id))
    assert refused.value.reason == reason
