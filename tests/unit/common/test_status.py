"""The table of reasons and codes, against the enum that callers read."""

import re
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from laurel.common.v1 import errors_pb2
from laurel_common import errors
from laurel_common.errors import InvalidRequest, LaurelError, RemoteError, Violation
from laurel_common.rpc.status import (
    CODES,
    from_rpc_error,
    public_error,
    to_status,
    trailing_metadata,
)

PREFIX = "ERROR_REASON_"
PROTO = Path(__file__).parents[3] / "proto" / "laurel" / "common" / "v1" / "errors.proto"


def test_every_reason_has_a_code_and_every_code_a_reason() -> None:
    names = {name.removeprefix(PREFIX) for name in errors_pb2.ErrorReason.keys()}  # noqa: SIM118 - an enum wrapper is no dict
    assert names - {"UNSPECIFIED"} == set(CODES)


def test_the_code_that_the_proto_documents_is_the_one_that_is_sent() -> None:
    documented = {
        reason: code
        for code, reason in re.findall(
            r"// ([A-Z_]+):.*\n(?:\s+//.*\n)*\s+ERROR_REASON_([A-Z_]+) =", PROTO.read_text()
        )
    }
    assert documented == {reason: code.name for reason, code in CODES.items()}


def all_errors(base: type[LaurelError] = LaurelError) -> list[type[LaurelError]]:
    found = [each for each in base.__subclasses__() if each.__module__ == errors.__name__]
    return found + [deeper for each in found for deeper in all_errors(each)]


@pytest.mark.parametrize("error", all_errors(), ids=lambda each: each.__name__)
def test_every_error_of_ours_has_a_reason_of_the_enum(error: type[LaurelError]) -> None:
    assert error.reason in CODES


def sent_and_received(error: LaurelError | None) -> RemoteError:
    status = to_status(error, "req-1")
    code = next(each for each in grpc.StatusCode if each.value[0] == status.code)
    trailers = grpc.aio.Metadata(*trailing_metadata(status))
    return from_rpc_error(grpc.aio.AioRpcError(code, None, trailers, status.message))


def test_an_error_comes_back_as_it_was_sent() -> None:
    error = InvalidRequest(
        violations=[Violation("a[0].b", "too small"), Violation("c", "missing")],
        metadata={"limit": "3"},
    )
    found = sent_and_received(error)
    assert (found.code, found.reason, found.request_id) == (
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
        "req-1",
    )
    assert found.violations == error.violations
    assert found.metadata == {"limit": "3"}


def test_when_to_try_again_comes_back() -> None:
    found = sent_and_received(errors.Overloaded(retry_after=timedelta(seconds=2.5)))
    assert found.retry_after == timedelta(seconds=2.5)
    assert sent_and_received(errors.MessageTooLarge()).retry_after is None


class UnknownReasonError(LaurelError):
    reason = "NOT_IN_THE_ENUM"


@pytest.mark.parametrize(
    "error",
    [RuntimeError("secret"), TimeoutError("secret"), KeyError("secret"), UnknownReasonError("x")],
    ids=lambda each: type(each).__name__,
)
def test_what_is_not_known_is_not_told(error: Exception) -> None:
    assert public_error(error) is None
    found = sent_and_received(public_error(error))
    assert (found.code, found.reason, found.message) == ("INTERNAL", "INTERNAL", "internal error")


def test_the_text_of_an_internal_error_is_constant_however_it_was_made() -> None:
    assert sent_and_received(LaurelError("secret")).message == "internal error"


def test_thousands_of_violations_still_fit_the_trailers() -> None:
    error = InvalidRequest(violations=[Violation(f"f[{n}]", "x" * 400) for n in range(5000)])
    [(_, data)] = trailing_metadata(to_status(error, "r"))
    # As base64, beside the text.
    assert len(data) * 4 / 3 < 6 * 1024
    fields = sent_and_received(error).violations
    assert fields[0].field == "f[0]"
    assert fields[-1].description == f"and {5000 - len(fields) + 1} more"


def test_an_answer_of_a_proxys_is_typed_by_its_code() -> None:
    bare = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, None, grpc.aio.Metadata(), "connection refused"
    )
    assert from_rpc_error(bare).reason == "DEPENDENCY_UNAVAILABLE"
    damaged = grpc.aio.AioRpcError(
        grpc.StatusCode.NOT_FOUND,
        None,
        grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff")),
        "?",
    )
    assert (from_rpc_error(damaged).code, from_rpc_error(damaged).reason) == (
        "NOT_FOUND",
        "INTERNAL",
    )


def test_a_stream_that_ended_while_a_message_was_being_sent_may_be_tried_again() -> None:
    broken = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, None, None, "Internal error from Core")

    error = from_rpc_error(broken)

    assert (error.code, error.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


def test_a_call_that_the_other_side_dropped_is_not_taken_for_one_that_its_caller_cancelled() -> (
    None
):
    dropped = grpc.aio.AioRpcError(grpc.StatusCode.CANCELLED, None, None, "CANCELLED")

    error = from_rpc_error(dropped)

    assert (error.code, error.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


def test_another_services_fault_stays_a_fault() -> None:
    fault = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, None, None, "something went wrong")

    assert (from_rpc_error(fault).code, from_rpc_error(fault).reason) == ("INTERNAL", "INTERNAL")
