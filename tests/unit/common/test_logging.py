"""Logs hold no secrets, whatever they are called and wherever they stand."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from laurel_common.logging import REDACTED, configure_logging, redact, redact_text
from laurel_common.surroundings import Surroundings, enter
from laurel_common.tracing import Trace
from tests.support.logs import plain_logs

JWT = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJpbmdlc3QifQ.c2lnbmF0dXJl"
SESSION = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("postgresql://me:hunter2@db/x", "postgresql://", id="url"),
        pytest.param("redis://:hunter2@cache:6379", "redis://", id="url-without-user"),
        pytest.param("authorization: Bearer hunter2hunter2", "authorization", id="bearer"),
        pytest.param(f"got hunter2 {JWT}"[4:], "", id="jwt"),
        pytest.param("token ghp_hunter2hunter2hunter2", "", id="github"),
        pytest.param("host=x password=hunter2 user=y", "user=y", id="dsn"),
        pytest.param(f"session {SESSION} seen", "seen", id="session"),
        pytest.param("-----BEGIN PRIVATE KEY-----\nhunter2", "", id="pem"),
    ],
)
def test_what_looks_like_a_credential_is_taken_out(text: str, kept: str) -> None:
    found = redact_text(text)
    assert REDACTED in found
    assert kept in found
    for secret in ("hunter2hunter2", ":hunter2", "=hunter2", JWT, SESSION, "\nhunter2"):
        assert secret not in found


def test_keys_that_name_secrets_are_taken_out_at_any_depth() -> None:
    event = {
        "event": "x",
        "password": "p",
        "request": {"access_token": "t", "rows": [{"client_secret": "s", "id": 1}]},
        "token_id": "kept",
        "count": 3,
    }
    found = redact(None, "info", event)
    assert found["password"] == REDACTED
    assert found["request"] == {
        "access_token": REDACTED,
        "rows": [{"client_secret": REDACTED, "id": 1}],
    }
    assert (found["token_id"], found["count"]) == ("kept", 3)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Where logs go; the configuration of before comes back afterwards."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    level = root.level
    configure_logging("sample")
    yield out
    root.setLevel(level)
    structlog.reset_defaults()
    plain_logs()


def test_a_line_is_json_with_the_requests_ids(lines: io.StringIO) -> None:
    enter(Surroundings(Trace("req-7")))
    structlog.get_logger().info("done", rows=2)
    logging.getLogger("library").warning("at %s", "postgresql://a:hunter2@b/c")
    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (ours["event"], ours["rows"], ours["service"]) == ("done", 2, "sample")
    assert ours["request_id"] == theirs["request_id"] == "req-7"
    assert theirs["logger"] == "library"
    assert "hunter2" not in theirs["event"]


def test_a_traceback_is_redacted_too(lines: io.StringIO) -> None:
    try:
        raise RuntimeError("postgresql://a:hunter2@b/c")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    assert "RuntimeError" in lines.getvalue()
    assert "hunter2" not in lines.getvalue()
