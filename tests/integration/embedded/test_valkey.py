"""The embedded Valkey: a cache of one's own, up again whatever happened to it."""

import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from laurel_embedded import AlreadyRunning, EmbeddedValkey, StartFailed
from laurel_embedded.process import command_line
from tests.support.waiting import eventually


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    valkey = EmbeddedValkey(tmp_path / "valkey", max_memory="32mb", die_with_parent=True)
    yield valkey
    valkey.stop()


def _ping(server: EmbeddedValkey) -> bool:
    with Redis.from_url(server.url()) as client:
        return bool(client.ping())


def test_it_is_a_cache_that_forgets_the_least_used_and_writes_nothing(
    server: EmbeddedValkey, tmp_path: Path
) -> None:
    with Redis.from_url(server.start().url(), decode_responses=True) as client:
        settings = client.config_get("maxmemory", "maxmemory-policy", "save", "appendonly", "bind")
        client.set("kept", "no")
    server.stop()

    assert settings == {
        "maxmemory": str(32 * 1024 * 1024),
        "maxmemory-policy": "allkeys-lru",
        "save": "",
        "appendonly": "no",
        "bind": "127.0.0.1",
    }
    assert not list((tmp_path / "valkey").glob("*.rdb"))


def test_it_comes_back_on_its_port_after_a_kill(server: EmbeddedValkey) -> None:
    port = server.start().port
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not server.running)
    server.stop()

    assert server.start().port == port
    assert _ping(server)


def test_the_server_of_a_killed_owner_is_ended(server: EmbeddedValkey, tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys, time
        from laurel_embedded import EmbeddedValkey
        print(EmbeddedValkey(sys.argv[1]).start().pid, flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "valkey")], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        leftover = int(owner.stdout.readline())
        owner.kill()
    # Found again by the path of its configuration, not by a name that any Valkey has.
    assert str(tmp_path) in command_line(leftover)

    assert _ping(server.start())
    assert server.pid != leftover
    assert str(tmp_path) not in command_line(leftover)


def test_a_taken_port_is_avoided_unless_it_was_asked_for(
    server: EmbeddedValkey, tmp_path: Path
) -> None:
    port = server.start().port
    server.stop()
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", port))
        taker.listen()

        assert server.start().port != port
        with pytest.raises(StartFailed):
            EmbeddedValkey(tmp_path / "other", port=port).start()


def test_a_second_owner_of_the_directory_is_refused(server: EmbeddedValkey) -> None:
    server.start()
    with pytest.raises(AlreadyRunning):
        EmbeddedValkey(server.directory).start()
    assert _ping(server)


def test_only_its_password_opens_it_and_only_its_owner_reads_that(server: EmbeddedValkey) -> None:
    server.start()
    for name in ("passwords.json", "valkey.conf"):
        assert stat.S_IMODE((server.directory / name).stat().st_mode) == 0o600
    assert "requirepass" not in command_line(server.pid or 0)

    with (
        Redis.from_url(f"redis://127.0.0.1:{server.port}/0") as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()
