"""gRPC's own settings of a server."""

from pathlib import Path

from laurel_common.rpc.server import server_options
from laurel_common.testing.server import TestKeys, default_settings


def test_no_call_is_dropped_in_silence_that_admission_would_turn_away(tmp_path: Path) -> None:
    settings = default_settings(
        TestKeys(tmp_path), max_concurrent_calls=3000, max_concurrent_streams=9000
    )
    options = dict(server_options(settings))
    assert options["grpc.server.max_pending_requests"] >= 24_000
    assert (
        options["grpc.server.max_pending_requests_hard_limit"]
        > options["grpc.server.max_pending_requests"]
    )
