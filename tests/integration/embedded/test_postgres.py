"""The embedded PostgreSQL: found again whatever happened to it, and nobody else's."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from laurel_embedded import AlreadyRunning, EmbeddedPostgres, EmbeddedServerError, StartFailed
from laurel_embedded.process import command_line
from tests.support.waiting import eventually

Make = Callable[..., EmbeddedPostgres]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes servers on one directory, volatile and small; they are stopped after the test."""
    made: list[EmbeddedPostgres] = []

    def server(**options: object) -> EmbeddedPostgres:
        small = {"shared_buffers": "16MB", "max_connections": "20"}
        defaults: dict[str, object] = {"durable": False, "die_with_parent": True, "settings": small}
        made.append(EmbeddedPostgres(tmp_path / "postgres", **(defaults | options)))  # type: ignore[arg-type]  # checked by the constructor's callers
        return made[-1]

    yield server
    for each in made:
        each.stop()


def _remember(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")


def _remembers(server: EmbeddedPostgres) -> bool:
    with psycopg.connect(server.url()) as connection:
        return connection.execute("SELECT answer FROM remembered").fetchone() == (42,)


def test_what_was_stored_is_there_after_a_restart_on_the_same_port(make: Make) -> None:
    first = make().start()
    _remember(first)
    port = first.port
    first.stop()
    assert not first.running

    second = make().start()

    assert second.port == port
    assert _remembers(second)


def test_a_killed_server_starts_again_with_its_data(make: Make) -> None:
    server = make(durable=True).start()
    _remember(server)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: not server.running)
    server.stop()

    server.start()

    assert _remembers(server)


def test_the_server_of_a_killed_owner_is_ended_and_its_data_found(
    make: Make, tmp_path: Path
) -> None:
    program = textwrap.dedent("""
        import sys, time
        from laurel_embedded import EmbeddedPostgres
        server = EmbeddedPostgres(sys.argv[1], durable=False).start()
        print(server.pid, flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "postgres")], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        leftover = int(owner.stdout.readline())
        owner.kill()
    assert "postgres" in command_line(leftover)

    server = make().start()

    assert server.pid != leftover
    assert str(tmp_path) not in command_line(leftover)
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal")
def test_a_tied_server_dies_with_its_owner(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, signal, sys
        from laurel_embedded import EmbeddedPostgres
        server = EmbeddedPostgres(sys.argv[1], durable=False, die_with_parent=True).start()
        print(server.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    owner = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "postgres")],
        stdout=subprocess.PIPE,
        check=False,
    )

    eventually(lambda: str(tmp_path) not in command_line(int(owner.stdout)))


def test_a_stale_pid_file_with_somebody_elses_number_is_no_obstacle(
    make: Make, tmp_path: Path
) -> None:
    server = make().start()
    server.stop()
    stale = tmp_path / "postgres" / "data" / "postmaster.pid"
    stale.write_text(f"{os.getppid()}\n{tmp_path / 'postgres' / 'data'}\n1\n5432\n\n\n\n")

    assert server.start().running


def test_a_taken_port_is_avoided_unless_it_was_asked_for(make: Make) -> None:
    server = make().start()
    port = server.port
    server.stop()
    with socket.socket() as taker:
        # The last connections to the server may linger on the port.
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", port))
        taker.listen()

        assert server.start().port != port
        server.stop()
        with pytest.raises(StartFailed, match="Address already in use"):
            make(port=port).start()


def test_a_server_that_ends_while_it_is_looked_at_is_no_error(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make()
    # As it looks between the look for its file and the reading of it.
    monkeypatch.setattr(Path, "exists", lambda _: True)
    with subprocess.Popen([sys.executable, "-c", ""]) as server._server:
        assert not server._is_ready()


def test_a_second_owner_of_the_directory_is_refused_and_the_first_undisturbed(make: Make) -> None:
    first = make().start()
    with pytest.raises(AlreadyRunning):
        make().start()

    with psycopg.connect(first.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_half_made_cluster_is_made_anew(make: Make, tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    assert make().start().running
    assert not half.exists()


def test_a_cluster_of_another_major_version_is_refused_in_words(make: Make, tmp_path: Path) -> None:
    cluster = tmp_path / "postgres" / "data"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 9"):
        make().start()


def test_only_its_password_opens_it_and_only_its_owner_reads_that(
    make: Make, tmp_path: Path
) -> None:
    server = make().start()
    passwords = tmp_path / "postgres" / "passwords.json"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert not list((tmp_path / "postgres").glob("initdb*"))

    wrong = re.sub(r":[^:@]+@", ":wrong@", server.url())
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_it_listens_on_loopback_alone(make: Make) -> None:
    with psycopg.connect(make().start().url()) as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
    assert row == ("127.0.0.1", "")


def test_a_volatile_server_syncs_nothing_and_a_durable_one_everything(make: Make) -> None:
    volatile, durable = make(durable=False), make(durable=True)
    for server, expected in ((volatile, "off"), (durable, "on")):
        with server, psycopg.connect(server.url()) as connection:
            assert connection.execute("SHOW fsync").fetchone() == (expected,)
            assert connection.execute("SHOW max_locks_per_transaction").fetchone() == ("1024",)


def test_stopping_twice_and_stopping_unstarted_do_nothing(make: Make) -> None:
    server = make()
    server.stop()
    server.start()
    server.stop()
    server.stop()
    assert not server.running


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become somebody else")
def test_a_normal_user_needs_no_rights_of_root() -> None:
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    program = textwrap.dedent("""
        import sys, psycopg
        from laurel_embedded import EmbeddedPostgres
        with EmbeddedPostgres(sys.argv[1], durable=False, die_with_parent=True) as server:
            print(psycopg.connect(server.url()).execute("SELECT current_user").fetchone()[0])
    """)
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, 65534, 65534)
        try:
            subprocess.run([sys.executable, "-c", ""], check=True, **nobody)  # type: ignore[call-overload]  # options by name
        except (PermissionError, subprocess.CalledProcessError):
            pytest.skip(f"others may not run {sys.executable}")
        done = subprocess.run(
            [sys.executable, "-c", program, f"{home}/postgres"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **nobody,  # type: ignore[call-overload]  # likewise
        )
    assert done.stdout.strip() == "postgres", done.stderr
