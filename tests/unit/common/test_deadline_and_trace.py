"""What remains of a deadline, and the ids that go along with a call."""

import re

import pytest

from laurel_common.deadline import MARGIN_SECONDS, deadline_in, outbound_timeout, remaining
from laurel_common.tracing import Trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_a_deadline_a_further_call_takes_its_default() -> None:
    assert remaining() is None
    assert outbound_timeout(3.0) == 3.0
    assert outbound_timeout(None) is None


def test_a_further_call_gets_what_remains_less_the_margin() -> None:
    with deadline_in(1.0):
        shaved = outbound_timeout(None)
        assert shaved is not None
        assert shaved <= 1.0 - MARGIN_SECONDS
        assert outbound_timeout(0.1) == 0.1


def test_a_deadline_can_only_shrink() -> None:
    with deadline_in(1.0), deadline_in(60.0):
        left = remaining()
        assert left is not None
        assert left <= 1.0
    assert remaining() is None


def test_no_time_is_never_negative_time() -> None:
    with deadline_in(0.0):
        assert outbound_timeout(5.0) == 0.0


def test_a_child_keeps_trace_and_flags_under_a_span_of_its_own() -> None:
    trace = Trace("r", PARENT, "vendor=1")
    child = trace.child_traceparent()
    assert child == f"00-0af7651916cd43dd8448eb211c80319c-{trace.span_id}-01"
    assert trace.span_id != "b7ad6b7169203331"
    assert trace.tracestate == "vendor=1"


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        "00-xyz-b7ad6b7169203331-01",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        PARENT.upper(),
    ],
)
def test_a_malformed_parent_begins_a_new_trace(parent: str | None) -> None:
    trace = Trace("r", parent, "vendor=1")
    child = trace.child_traceparent()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", child)
    assert "0af7651916cd43dd8448eb211c80319c" not in child
    assert trace.tracestate is None


@pytest.mark.parametrize("state", ["", "x" * 513, "a=\u00e9", "a=\x7f", "a=\nb"])
def test_a_state_that_can_not_be_passed_on_is_left_out(state: str) -> None:
    trace = Trace("r", PARENT, state)
    assert trace.child_traceparent().startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert trace.tracestate is None


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "é"])
def test_a_request_id_of_another_shape_is_replaced_by_one_of_ours(given: str) -> None:
    first, second = Trace(given).request_id, Trace(given).request_id
    assert given not in (first, second)
    assert first != second
    assert Trace("req-1").request_id == "req-1"
