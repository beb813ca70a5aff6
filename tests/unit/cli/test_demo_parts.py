"""The demo's smaller parts: its directory, the busiest account, the lines to go on with."""

import json
import shlex
from pathlib import Path

import pytest

from laurel.identity.v1 import entities_pb2
from laurel_cli.commands.token import parse_duration
from laurel_cli.demo.busiest import busiest_owners
from laurel_cli.demo.directory import reset
from laurel_cli.demo.onward import onward
from laurel_cli.errors import UsageError
from laurel_cli.importing.imports import find_clone
from laurel_cli.supervision.lock import AlreadyRunningError, exclusive

TARGETS = {
    "identity": "127.0.0.1:1",
    "ingest": "127.0.0.1:2",
    "scoring": "127.0.0.1:3",
    "leaderboard": "127.0.0.1:4",
}
_CALLS = ("laurel board", "buf curl")


def event(name: object) -> bytes:
    return json.dumps({"repo": {"name": name}}).encode()


def test_the_busiest_account_has_most_events_whatever_the_case() -> None:
    lines = [event("b/x"), event("A/x"), event("a/y"), event("b/x"), event("B/z"), b"{", b"7"]
    assert busiest_owners(lines) == ["b", "a"]
    assert busiest_owners([event("z/x"), event("a/x")]) == ["a", "z"]


def test_an_archive_that_names_no_repository_has_no_busiest_account() -> None:
    assert busiest_owners([b"not json", b"[]", event(5), event("no-slash"), b'{"repo": 1}']) == []


def test_a_demos_directory_is_emptied_for_the_next(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    reset(root)
    (root / "postgres").mkdir()
    (root / "postgres" / "data").write_text("old")
    (root / "trust.toml").write_text("old")
    reset(root)
    assert sorted(each.name for each in root.iterdir()) == ["laurel-demo", "lock"]


def test_a_directory_with_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="not the demo's"):
        reset(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_link_in_the_directory_points_at_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    root = tmp_path / "demo"
    reset(root)
    (root / "link").symlink_to(precious)
    reset(root)
    assert (precious / "file").read_text() == "kept"
    assert not (root / "link").exists()


def test_a_demo_that_runs_is_not_emptied_by_another(tmp_path: Path) -> None:
    reset(tmp_path / "demo")
    (tmp_path / "demo" / "trust.toml").write_text("in use")
    with exclusive(tmp_path / "demo"), pytest.raises(AlreadyRunningError):
        reset(tmp_path / "demo")
    assert (tmp_path / "demo" / "trust.toml").exists()


def test_the_lines_to_go_on_with_start_it_again_unless_it_runs(tmp_path: Path) -> None:
    acme = entities_pb2.Installation(installation_id=-7, account_login="acme\x1b[2J")
    again = onward(tmp_path, TARGETS, acme, "--period month", running=False)
    assert f"laurel up --data {tmp_path} --ports 1,2,3,4 &" in again
    assert f"laurel board acme --data {tmp_path} --period month" in again
    assert not [line for line in again if "\x1b" in line]
    running = onward(tmp_path, TARGETS, acme, "", running=True)
    assert not [line for line in running if "laurel up" in line]
    (grpcurl,) = (line for line in running if line.startswith("grpcurl"))
    data = json.loads(grpcurl.split("-d '")[1].split("'")[0])
    assert data["board"]["installation_id"] == "-7"


def test_a_strangers_login_is_one_word_of_the_lines_to_go_on_with(tmp_path: Path) -> None:
    login = "it's-$(touch${IFS}owned);`id`"
    stranger = entities_pb2.Installation(installation_id=-7, account_login=login)
    lines = onward(tmp_path / "a b", TARGETS, stranger, "", running=False)
    board, buf = (shlex.split(next(each for each in lines if word in each)) for word in _CALLS)
    assert board[2] == login
    assert board[board.index("--data") + 1] == str(tmp_path / "a b")
    assert json.loads(buf[buf.index("--data") + 1]) == {"account_login": login}


def test_what_is_no_clone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=str(tmp_path)):
        find_clone(tmp_path)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600)])
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "1d", "-1s", "1.5h", "h", "9" * 20 + "h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="duration"):
        parse_duration(text)
