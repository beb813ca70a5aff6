"""ImportEvents: streams that mean nothing, and callers who may not import."""

from typing import Any

import pytest

from laurel.ingest.v1 import signal_imports_pb2, signal_pb2_grpc
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.ingest.conftest import ARCHIVE, Service
from tests.support.ingest_builders import FULL_NAME, commit, lines_of, push


@pytest.mark.parametrize(
    ("requests", "reason", "code"),
    [
        pytest.param(
            [signal_imports_pb2.ImportEventsRequest(batch=signal_imports_pb2.EventBatch())],
            "STREAM_OUT_OF_ORDER",
            "FAILED_PRECONDITION",
            id="a batch before the header",
        ),
        pytest.param(
            [signal_imports_pb2.ImportEventsRequest(header=ARCHIVE)] * 2,
            "STREAM_OUT_OF_ORDER",
            "FAILED_PRECONDITION",
            id="a second header",
        ),
        pytest.param(
            [
                signal_imports_pb2.ImportEventsRequest(
                    header=signal_imports_pb2.ImportEventsHeader()
                )
            ],
            "INVALID_REQUEST",
            "INVALID_ARGUMENT",
            id="no source",
        ),
        pytest.param(
            [
                signal_imports_pb2.ImportEventsRequest(
                    header=signal_imports_pb2.ImportEventsHeader(
                        source=signal_imports_pb2.EVENT_SOURCE_GIT, repository_full_name="acme"
                    )
                )
            ],
            "INVALID_REQUEST",
            "INVALID_ARGUMENT",
            id="a repository without an owner",
        ),
        pytest.param(
            [
                signal_imports_pb2.ImportEventsRequest(header=ARCHIVE),
                signal_imports_pb2.ImportEventsRequest(
                    batch=signal_imports_pb2.EventBatch(lines=[b"{}"] * 10_001)
                ),
            ],
            "INVALID_REQUEST",
            "INVALID_ARGUMENT",
            id="too many lines",
        ),
    ],
)
async def test_a_stream_that_means_nothing_is_refused(
    service: Service,
    requests: list[signal_imports_pb2.ImportEventsRequest],
    reason: str,
    code: str,
) -> None:
    with pytest.raises(RemoteError) as caught:
        [answer async for answer in service.operator.ImportEvents(iter(requests))]
    assert (caught.value.reason, caught.value.code) == (reason, code)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"repository_full_name": "acme/a b"}, id="white space in the name"),
        pytest.param({"repository_full_name": "ac me/rocket"}, id="white space in the owner"),
        pytest.param({"repository_full_name": "acme/~5"}, id="a name that nobody may have"),
        pytest.param({"repository_full_name": "a" * 300 + "/rocket"}, id="an owner too long"),
        pytest.param(
            {"repository_full_name": FULL_NAME, "repository_id": -5}, id="an id that is none"
        ),
    ],
)
async def test_a_repository_that_there_cannot_be_is_refused_by_field(
    service: Service, fields: dict[str, Any]
) -> None:
    header = signal_imports_pb2.ImportEventsHeader(
        source=signal_imports_pb2.EVENT_SOURCE_GIT, **fields
    )
    requests = [signal_imports_pb2.ImportEventsRequest(header=header)]
    with pytest.raises(RemoteError) as caught:
        [answer async for answer in service.operator.ImportEvents(iter(requests))]
    assert (caught.value.reason, caught.value.code) == ("INVALID_REQUEST", "INVALID_ARGUMENT")
    (violation,) = caught.value.violations
    assert violation.field in {f"header.{name}" for name in fields}


async def test_the_gateway_may_not_import(service: Service) -> None:
    gateway = signal_pb2_grpc.SignalServiceStub(service.server.channel(PrincipalKind.GATEWAY))
    requests = [signal_imports_pb2.ImportEventsRequest(header=ARCHIVE)]
    with pytest.raises(RemoteError) as caught:
        [answer async for answer in gateway.ImportEvents(iter(requests))]
    assert (caught.value.reason, caught.value.code) == ("CALLER_NOT_ALLOWED", "PERMISSION_DENIED")


async def test_a_limited_key_imports_into_its_own_installations_alone(service: Service) -> None:
    channel = service.server.channel(PrincipalKind.BACKEND, name="limited", installations=[8])
    batch = signal_imports_pb2.EventBatch(
        sequence=1, lines=lines_of([push(commit(1))]), first_line_number=1, file_name="file"
    )
    requests = [
        signal_imports_pb2.ImportEventsRequest(header=ARCHIVE),
        signal_imports_pb2.ImportEventsRequest(batch=batch),
    ]
    with pytest.raises(RemoteError) as refused:
        async for _ in signal_pb2_grpc.SignalServiceStub(channel).ImportEvents(iter(requests)):
            pass
    assert (refused.value.code, refused.value.reason) == (
        "PERMISSION_DENIED",
        "INSTALLATION_NOT_COVERED",
    )


async def test_the_last_line_that_a_number_can_name_is_named(service: Service) -> None:
    first = 2**63 - 10_001
    batch = signal_imports_pb2.EventBatch(lines=[b"x"] * 10_000, first_line_number=first)
    answers = await service.send(batch)
    assert answers[0].problems[99].line_number == first + 99
    batch.first_line_number += 1
    with pytest.raises(RemoteError) as refused:
        await service.send(batch)
    assert [each.field for each in refused.value.violations] == ["batch.first_line_number"]
