"""`laurel up` with its real processes: found, called, killed, found again."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from laurel_cli.rpc.health import health_of
from laurel_cli.stack.layout import SERVICES
from laurel_cli.supervision.identity import ProcessIdentity
from tests.e2e.running import Up, environment, laurel, running_up, start_up, stop, wait_for

README = Path(__file__).resolve().parents[2] / "README.md"
_EVENT = {
    "id": "1",
    "type": "IssuesEvent",
    "actor": {"id": 2_000_000_901, "login": "ada"},
    "repo": {"id": 2_000_000_902, "name": "apache/arrow"},
    "org": {"id": 47_359, "login": "apache"},
    "payload": {
        "action": "opened",
        "issue": {
            "id": 2_000_000_903,
            "number": 7,
            "title": "A thing",
            "user": {"id": 2_000_000_901, "login": "ada", "type": "User"},
            "state": "open",
            "created_at": "2021-07-21T06:00:00Z",
        },
    },
    "public": True,
    "created_at": "2021-07-21T06:00:01Z",
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running_up(tmp_path_factory.mktemp("up")) as found:
        yield found


@pytest.fixture(scope="module")
def apache(up: Up) -> None:
    """The account of the README's lines, and one whose login is a number, with an event each."""
    numbered = {"repo": {"id": 2_000_000_905, "name": "404/b"}, "org": {"id": 406, "login": "404"}}
    archive = up.home / "apache.json"
    archive.write_text("".join(json.dumps(each) + "\n" for each in (_EVENT, _EVENT | numbered)))
    up.laurel("import", "gharchive", str(archive), "--owner", "apache", "--owner", "404")
    up.laurel("score", "apache")


def identity_of(up: Up, service: str) -> ProcessIdentity:
    found = ProcessIdentity.load(up.data / "run" / f"{service}.pid")
    assert found is not None
    return found


def states(up: Up) -> dict[str, str]:
    """What each service says of its health."""

    async def ask() -> dict[str, str]:
        answers = await asyncio.gather(*(health_of(target) for target in up.targets.values()))
        return dict(zip(up.targets, answers, strict=True))

    return asyncio.run(ask())


def readme_lines() -> list[str]:
    """The commands of the README's section on grpcurl and buf curl, joined over line ends."""
    section = README.read_text().split("### With grpcurl or buf curl", 1)[1]
    block = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert block is not None
    commands = re.split(r"^\$ ", block[1], flags=re.MULTILINE)
    return [command.replace("\\\n", " ").strip() for command in commands if command.strip()]


def in_shell(up: Up, script: str) -> subprocess.CompletedProcess[str]:
    """Runs lines as a user does, but for the ports, which are this run's."""
    for port, service in zip(range(7401, 7405), SERVICES, strict=True):
        script = script.replace(f"127.0.0.1:{port}", up.targets[service])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=up.home,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_four_services_serve_and_the_endpoints_were_printed(up: Up) -> None:
    told = json.loads(up.laurel("status", "--json").stdout)
    assert told == states(up) == dict.fromkeys(SERVICES, "SERVING")
    for target in up.targets.values():
        assert target in up.output()


def test_nothing_secret_is_readable_by_others_or_printed(up: Up) -> None:
    private = [*(up.data / "keys").iterdir(), *(up.data / "secrets").iterdir()]
    assert private
    for path in private:
        assert path.stat().st_mode & 0o077 == 0, path
        secret = path.read_text().strip()
        assert secret not in up.output()
        for log in (up.data / "log").iterdir():
            assert secret not in log.read_text(), (path, log)


def test_a_second_up_on_the_same_directory_is_refused(up: Up) -> None:
    done = up.laurel("up", "--ports", "any", check=False)
    assert done.returncode == 1
    assert f"is in use by process {up.process.pid}" in done.stderr
    assert states(up) == dict.fromkeys(SERVICES, "SERVING")


def test_ports_that_are_taken_are_named(up: Up, tmp_path: Path) -> None:
    ports = ",".join(target.rpartition(":")[2] for target in up.targets.values())
    done = laurel(tmp_path, "up", "--ports", ports, check=False)
    assert done.returncode == 1
    assert f"port {ports.replace(',', ', ')} is in use" in done.stderr


def test_the_lines_of_the_readme_work_with_buf_curl(up: Up, apache: None) -> None:
    token, *calls = readme_lines()
    assert token == "TOKEN=$(laurel token)"
    buf = [line for line in calls if line.startswith("buf curl")]
    assert buf
    for line in buf:
        done = in_shell(up, f"{token}\n{line}")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["installation"]["accountLogin"] == "apache"


def test_the_readmes_grpcurl_lines_ask_what_buf_curl_can_ask_too(up: Up, apache: None) -> None:
    grpcurl = [line for line in readme_lines() if line.startswith("grpcurl")]
    assert grpcurl
    for line in grpcurl:
        words = shlex.split(line.replace("$TOKEN", "TOKEN"))
        header, data = words[words.index("-H") + 1], words[words.index("-d") + 1]
        target, method = words[-2:]
        call = [
            "buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge",
            "--data", data, f"http://{target}/{method}",
        ]  # fmt: skip
        script = (
            f"TOKEN=$(laurel token)\n{shlex.join(call)} --header "
            + f'"{header.replace("TOKEN", "$TOKEN")}"'
        )
        done = in_shell(up, script)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["version"] == 1


def test_an_account_is_found_by_its_id_and_by_a_login_that_is_a_number(
    up: Up, apache: None
) -> None:
    for account in ("-47359", "404"):
        run = json.loads(up.laurel("score", account, "--no-wait", "--json").stdout)
        assert int(run["installation_id"]) == {"-47359": -47359, "404": -406}[account]


def test_calls_without_a_token_are_refused(up: Up) -> None:
    target = up.targets["identity"]
    method = "laurel.identity.v1.InstallationService/ListInstallations"
    call = ["buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--data", "{}"]
    done = in_shell(up, shlex.join([*call, f"http://{target}/{method}"]))
    assert done.returncode != 0
    assert "unauthenticated" in done.stderr.lower()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_killed_comes_back(up: Up, service: str) -> None:
    before = identity_of(up, service)
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: not before.runs)
    wait_for(lambda: states(up)[service] == "SERVING")
    assert identity_of(up, service) != before
    assert f"{service} was killed by SIGKILL; started again" in up.output()


def test_an_embedded_server_that_is_killed_comes_back(up: Up) -> None:
    pid = int((up.data / "valkey" / "valkey.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: "Valkey died; started again" in up.output())
    wait_for(lambda: states(up) == dict.fromkeys(SERVICES, "SERVING"))


@pytest.mark.skipif(sys.platform != "linux", reason="process identities come from /proc")
def test_everything_is_found_again_after_the_supervisor_is_killed(tmp_path: Path) -> None:
    first = start_up(tmp_path)
    token = laurel(tmp_path, "token").stdout
    services = [identity_of(first, name) for name in SERVICES]
    first.process.kill()
    first.process.wait()
    with running_up(tmp_path) as second:
        assert states(second) == dict.fromkeys(SERVICES, "SERVING")
        assert not any(each.runs for each in services)
        assert "applied migration" not in second.output()
        # The keys are the same: what was minted before still counts.
        done = second.laurel("board", "nobody", "--token", token.strip(), check=False)
        assert done.returncode == 3
        assert "INSTALLATION_NOT_FOUND" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="whose child a process is comes from /proc")
def test_ctrl_c_stops_everything_in_order_also_where_services_are_two_processes_each(
    tmp_path: Path,
) -> None:
    up = start_up(tmp_path, LAUREL_PROCESSES="2")
    logs = {name: up.data / "log" / f"{name}.log" for name in SERVICES}
    # Each process looks after its own health.
    wait_for(lambda: all(_told(log, '"serving": true') == 2 for log in logs.values()))
    parents = [identity_of(up, name) for name in SERVICES]
    services = [*parents, *(each for parent in parents for each in _children_of(parent))]
    assert len(services) == 3 * len(SERVICES)
    assert states(up) == dict.fromkeys(SERVICES, "SERVING")
    postgres = int((up.data / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    assert stop(up) == 0
    assert not any(each.runs for each in services)
    assert ProcessIdentity.of(postgres) is None
    assert not list((up.data / "run").iterdir())
    assert [_told(log, '"event": "stopped"') for log in logs.values()] == [2] * len(SERVICES)


def _told(log: Path, what: str) -> int:
    return log.read_text().count(what)


def _children_of(parent: ProcessIdentity) -> list[ProcessIdentity]:
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
    found = [ProcessIdentity.of(int(each)) for each in listed.split()]
    return [each for each in found if each is not None]
