"""A service as a process: how it starts, how it ends, and what it says when it can't."""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from laurel_common.testing.server import TestKeys

PROGRAM = """
from typing import ClassVar
from laurel_common.config import ServiceSettings
from laurel_common.rpc.run import run
from laurel_common.rpc.server import build_server
from tests.rpc.common.echo import EchoServicer, registration

class Settings(ServiceSettings):
    service_name: ClassVar[str] = "sample"

async def close() -> None:
    print('{"event": "pool closed"}', flush=True)

async def bootstrap(settings):
    return build_server(settings, [registration(EchoServicer())], closers=[close])

run(Settings, bootstrap)
"""
ROOT = Path(__file__).parents[3]


async def process(directory: Path, **variables: str) -> asyncio.subprocess.Process:
    keys = TestKeys(directory)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LAUREL_DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/x",
        "LAUREL_REDIS_URL": "redis://127.0.0.1:1",
        "LAUREL_TRUST_FILE": str(keys.trust_file),
        "LAUREL_KEY_FILE": str(keys.key_file),
        "LAUREL_LISTEN": "127.0.0.1:0",
        "LAUREL_DRAIN_SECONDS": "0",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        env=environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def until(running: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    """The first line with this event."""
    assert running.stdout is not None
    async for line in running.stdout:
        found: dict[str, Any] = json.loads(line)
        if found["event"] == event:
            return found
    raise AssertionError(f"ended without {event}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order_and_without_complaint(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with asyncio.timeout(60):
        running = await process(tmp_path)
        health = await until(running, "health")
        assert health["serving"] is True
        assert health["service"] == "sample"
        running.send_signal(number)
        out, err = await running.communicate()
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["pool closed", "stopped"]
    assert (running.returncode, err) == (0, b"")


async def test_settings_that_are_wrong_are_told_without_a_traceback(tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        running = await process(tmp_path, LAUREL_LISTEN="nowhere", LAUREL_COLOUR="blue")
        _, err = await running.communicate()
    assert running.returncode == 78
    text = err.decode()
    assert "LAUREL_COLOUR: no such setting of sample" in text
    assert "LAUREL_LISTEN:" in text
    assert "Traceback" not in text
    assert "hunter2" not in text


async def test_a_port_that_is_taken_is_told_and_pools_are_closed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with asyncio.timeout(60):
            running = await process(tmp_path, LAUREL_LISTEN=f"127.0.0.1:{port}")
            out, err = await running.communicate()
    assert running.returncode == 78
    assert f"127.0.0.1:{port} can't be bound" in err.decode()
    assert b"pool closed" in out


async def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("redis://x")
    (tmp_path / "secret").chmod(0o644)
    async with asyncio.timeout(60):
        running = await process(tmp_path, LAUREL_REDIS_URL_FILE=str(tmp_path / "secret"))
        _, err = await running.communicate()
    assert running.returncode == 78
    assert "everybody can read it" in err.decode()
