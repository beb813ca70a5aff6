"""What is typed at `laurel` and makes no sense: one line that says so, and exit code 2."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from laurel_cli.__main__ import app
from laurel_cli.errors import EXIT_REFUSED
from laurel_cli.stack.credentials import ensure_credentials
from laurel_cli.stack.layout import Layout

HUGE = "9" * 23
DIGITS = "9" * 5_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data directory with an operator's key and nothing that runs."""
    layout = Layout(tmp_path_factory.mktemp("data"))
    layout.make()
    ensure_credentials(layout)
    return str(layout.root)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["board", HUGE], "ids have 19 digits"),
        (["board", f"-{DIGITS}"], "ids have 19 digits"),
        (["score", "--now"], "no such option"),
        (["claim", "-5"], "name the person, or --release"),
        (["claim", "--release", "-5", "ada"], "name the person, or --release"),
        (["claim", f"-{DIGITS}", "ada"], "ids have 19 digits"),
        (["ingest", "start", "acme", "--period", "ever"], "no such period: ever; there are today"),
        (["ingest", "start", "acme", "--team", "1", "--repository", "2"], "not both"),
        (["deliveries", "list", "--state", "gone"], "no such state: gone; there are waiting, done"),
        (["deliveries", "list", "--limit", "1001"], "--limit"),
        (["deliveries", "replay"], "Missing argument"),
        (["token", "--ttl", f"{HUGE}h"], "is not a duration"),
        (["up", "--log-level", "loud"], "--log-level is one of debug"),
        (["up", "--database-url", "hunter2"], "--database-url: not a URL"),
        (["up", "--redis-url", "hunter2"], "--redis-url: not a URL"),
        (["migrate", "--database-url", "mysql://me:hunter2@db/x"], "not a URL"),
        (["import", "git", ".", "--repository-id", "-5"], "--repository-id"),
        (["import", "git", ".", "--repository-id", HUGE], "--repository-id"),
        (["import", "git", ".", "--repository", "a/b c"], "--repository is owner/name"),
        (["import", "git", ".", "--repository", "a/b/c"], "--repository is owner/name"),
    ],
)
def test_arguments_that_make_no_sense_are_told_in_a_line(
    data: str, arguments: list[str], problem: str
) -> None:
    where = [] if arguments[0] == "migrate" else ["--data", data]
    done = CliRunner().invoke(app, [*arguments, *where], env={"COLUMNS": "200"})
    assert done.exit_code == 2, done.output
    assert problem in done.stderr
    assert "hunter2" not in done.output
    assert not os.path.lexists(Path(data) / "postgres")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(command.split(), id=command)
        for command in (
            *("ingest start acme", "ingest watch acme 1", "ingest list acme"),
            *("ingest cancel acme 1", "coverage acme", "deliveries list", "deliveries replay x"),
        )
    ],
)
def test_who_has_no_key_is_told_so_in_a_line(tmp_path: Path, arguments: list[str]) -> None:
    done = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path)])
    assert done.exit_code == EXIT_REFUSED, done.output
    assert "no operator key at" in done.stderr


def test_up_takes_a_directory_of_certificates(data: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["up", "--data", data, "--certs", str(tmp_path)])
    assert done.exit_code == 1
    assert "has no ca.pem: `laurel certs" in done.stderr.replace("\n", "")


@pytest.mark.parametrize("command", ["status", "board"])
def test_an_authority_that_is_none_is_told_in_a_line(data: str, command: str) -> None:
    account = ["acme"] if command == "board" else []
    for path, problem in (("nowhere.pem", "No such file"), ("trust.toml", "no certificate in PEM")):
        environ = {"LAUREL_TLS_CA_FILE": f"{data}/{path}", "COLUMNS": "200"}
        done = CliRunner().invoke(app, [command, *account, "--data", data], env=environ)
        assert done.exit_code == 2, done.output
        assert problem in done.stderr


def test_a_variable_with_a_typing_error_starts_nothing(data: str) -> None:
    environ = {"LAUREL_DATABSE_URL": "postgresql://me:hunter2@db/laurel"}
    done = CliRunner().invoke(app, ["up", "--data", data], env=environ)
    assert done.exit_code == 2
    assert "no service has a setting LAUREL_DATABSE_URL" in done.stderr
    assert "hunter2" not in done.output
    assert not os.path.lexists(Path(data) / "postgres")
