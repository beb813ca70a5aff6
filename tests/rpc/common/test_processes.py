"""Several processes of a service on one port."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from laurel_common.rpc.processes import EXIT_CONFIG
from tests.rpc.common.test_process import process
from tests.support.stack_running import reserved_ports


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # whoever adopts it may take its time


async def serves(port: int) -> bool:
    """Whether a new connection is answered."""
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def until_two_serve(running: asyncio.subprocess.Process, port: int) -> list[int]:
    async with asyncio.timeout(60):
        while len(found := children_of(running.pid)) < 2 or not await serves(port):
            await asyncio.sleep(0.02)
    return found


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    with reserved_ports() as ports:
        port = ports.rpc["identity"]
        parent = await process(tmp_path, LAUREL_LISTEN=f"127.0.0.1:{port}", LAUREL_PROCESSES="2")
        yield parent, port
        if parent.returncode is None:
            parent.kill()
        await parent.communicate()


async def test_two_processes_share_a_port_and_end_with_their_parents_end(
    running: tuple[asyncio.subprocess.Process, int],
) -> None:
    parent, port = running
    first, second = await until_two_serve(parent, port)
    # One that dies is missed by nobody for long: the other answers, and it comes again.
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(60):
        while first in (now := children_of(parent.pid)) or len(now) < 2 or not await serves(port):
            await asyncio.sleep(0.02)
    assert second in now
    parent.terminate()
    output, _ = await parent.communicate()
    assert parent.returncode == 0
    # Of the two, one may not have come so far as to have something to close.
    assert b'"event": "pool closed"' in output
    assert not await serves(port)


async def test_processes_do_not_outlive_a_parent_that_is_killed(
    running: tuple[asyncio.subprocess.Process, int],
) -> None:
    parent, port = running
    children = await until_two_serve(parent, port)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(30):
        while any(map(alive, children)):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("port", ["taken", "0"])
async def test_a_port_that_can_not_be_shared_is_refused(tmp_path: Path, port: str) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1] if port == "taken" else 0
        parent = await process(tmp_path, LAUREL_LISTEN=f"127.0.0.1:{number}", LAUREL_PROCESSES="2")
        _, errors = await parent.communicate()
    assert parent.returncode == EXIT_CONFIG
    assert b"LAUREL_LISTEN" in errors
