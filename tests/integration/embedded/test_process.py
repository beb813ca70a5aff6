"""Leftover servers are ended by their identity, never by a number alone."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from laurel_embedded import AlreadyRunning
from laurel_embedded.process import (
    DirectoryLock,
    command_line,
    end_leftover,
    free_port,
    read_number,
)


def test_a_process_that_is_not_ours_is_left_alone() -> None:
    assert not end_leftover(os.getpid(), "/no/such/cluster", [(signal.SIGKILL, 1.0)])


def test_a_process_that_ignores_every_request_is_killed(tmp_path: Path) -> None:
    marker = str(tmp_path / "cluster")
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, marker], stdout=subprocess.PIPE
    ) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()

        assert end_leftover(stubborn.pid, marker, [(signal.SIGTERM, 0.1)])
        assert stubborn.wait() == -signal.SIGKILL


def test_a_number_that_nobody_has_ends_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert command_line(gone.pid) == ""
    assert not end_leftover(gone.pid, "python", [(signal.SIGTERM, 0.1)])


@pytest.mark.parametrize("content", ["", "not a number\n"])
def test_a_damaged_pid_file_says_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "pid"
    file.write_text(content)
    assert read_number(file) is None
    assert read_number(tmp_path / "missing") is None


def test_a_free_port_is_none_that_the_system_gives_to_others() -> None:
    port = free_port()
    assert port < 32_768
    with socket.socket() as taker:
        assert free_port(port) == port
        taker.bind(("127.0.0.1", port))
        assert free_port(port) not in (port, 0)


def test_a_lock_is_free_again_after_its_release(tmp_path: Path) -> None:
    first, second = DirectoryLock(tmp_path / "lock"), DirectoryLock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(AlreadyRunning):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
