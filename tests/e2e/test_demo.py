"""`laurel demo`, whole: activity in, boards out, and the lines that it says to go on with."""

import csv
import gzip
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from laurel_cli.demo.cast import PEOPLE
from tests.e2e.running import BIN, Up, environment, laurel, running_up


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def clone(home: Path) -> Path:
    """A small git clone with two people in it."""
    path = home / "clone"

    def git(*arguments: str) -> None:
        settings = ("-c", "user.name=Ada", "-c", "user.email=7+ada@users.noreply.github.com")
        subprocess.run(["git", *settings, "-C", str(path), *arguments], check=True)

    path.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    git("remote", "add", "origin", "https://github.com/acme/engine.git")
    for number in range(3):
        (path / "file").write_text(f"{number}\n")
        git("add", "file")
        git("commit", "--quiet", "--message", f"Change {number}")
    return path


@pytest.fixture(scope="module")
def shown(home: Path, clone: Path) -> str:
    return laurel(home, "demo", "--git", str(clone)).stdout


def test_the_demo_prints_boards_of_contributors_teams_and_repositories(shown: str) -> None:
    for entity in ("contributors", "teams", "repositories"):
        assert f"{entity} of meridian-maps, month" in shown
    assert sum(person.account.login in shown for person in PEOPLE) >= 10
    assert "platform" in shown
    assert "meridian-maps/tileserver" in shown
    assert "depkeeper" not in shown.split("The boards", 1)[1]


def test_the_demo_says_what_it_read_and_what_it_left_out(shown: str) -> None:
    assert "events read:" in shown
    assert "not_default_branch" in shown
    assert "push_without_commits" in shown


def test_the_demo_imports_the_clone_and_ranks_its_people(shown: str) -> None:
    assert "Importing the git history of acme/engine" in shown
    assert "3 events read: 3 new signals" in shown
    assert "contributors of acme, all time" in shown


def test_the_explanation_sums_to_the_score(shown: str) -> None:
    explained = shown.split("Why ", 1)[1]
    rows = [line for line in explained.splitlines() if line.lstrip().startswith("20")]
    caption = next(line for line in explained.splitlines() if line.startswith("rank "))
    assert rows[-1].split()[-1] == caption.split(" with ")[1].split(" points")[0]


def test_a_second_demo_starts_afresh_and_comes_to_the_same_signals(
    home: Path, clone: Path, shown: str
) -> None:
    again = laurel(home, "demo", "--git", str(clone)).stdout
    assert " 0 known" not in again.split("The boards", 1)[0].splitlines()[0]
    assert "3 events read: 3 new signals" in again


def exported(up: Up, data: Path, form: str, file: Path) -> list[tuple[int, int, str, str]]:
    """Rank, id, login and score of a whole board, as `laurel export` writes it."""
    asked = ("--period", "all_time", "--format", form, "-o", str(file), "--data", str(data))
    up.laurel("export", "meridian-maps", *asked)
    content = file.read_bytes()
    if form == "arrow":
        rows: list[dict[str, Any]] = pa.ipc.open_stream(content).read_all().to_pylist()
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    else:
        rows = [json.loads(line) for line in content.splitlines()]
    return [
        (int(row["rank"]), int(row["entity_id"]), row["login"], str(row["score"])) for row in rows
    ]


def test_what_the_demo_left_can_be_run_and_looked_into(home: Path, shown: str) -> None:
    data = home / "build" / "demo"
    with running_up(home, ["--data", str(data)]) as up:
        board = up.laurel(
            "board", "meridian-maps", "--scope", "team:web", "--period", "quarter",
            "--data", str(data), "--json",
        )  # fmt: skip
        entries = json.loads(board.stdout)["entries"]
        assert "priya-raman" in {each["entity"]["login"] for each in entries}
        first = json.loads(
            up.laurel(
                "board", "meridian-maps", "--limit", "5", "--data", str(data), "--json"
            ).stdout
        )
        second = json.loads(
            up.laurel(
                "board", "meridian-maps", "--limit", "5", "--data", str(data), "--json",
                "--page-token", first["next_page_token"],
            ).stdout
        )  # fmt: skip
        assert second["entries"][0]["rank"] >= first["entries"][-1]["rank"]
        ledger = up.laurel(
            "explain", "meridian-maps", "priya-raman", "--data", str(data), "--json"
        ).stdout.splitlines()
        header, *lines = map(json.loads, ledger)
        earned = sum(int(each["points_e4"]) + int(each["penalty_e4"]) for each in lines)
        assert earned == int(header["score_e4"])
        assert len(lines) == header["line_count"]
        assert {each["user_login"] for each in lines} == {"priya-raman"}
        assert all(each["html_url"].startswith("https://github.com/") for each in lines)
        rules = home / "rules.toml"
        rules.write_text("base_points.commit = 20")
        tried = up.laurel("preview", "meridian-maps", str(rules), "--data", str(data), "--json")
        header, *entries = map(json.loads, tried.stdout.splitlines())
        assert [each["field"] for each in header["effects"]] == ["rules.base_points[commit]"]
        assert sum(int(each["score_gain_e4"]) for each in entries) <= int(
            header["effects"][0]["points_e4"]
        )
        year = ("--from", "2020-01-01", "--to", "2040-01-01", "--limit", "500", "--json")
        ranged = json.loads(up.laurel("board", "meridian-maps", *year, "--data", str(data)).stdout)
        always = ("--period", "all_time", "--limit", "500", "--json")
        stored = json.loads(
            up.laurel("board", "meridian-maps", *always, "--data", str(data)).stdout
        )
        assert [(each["entity_id"], each["score"]) for each in ranged["entries"]] == [
            (each["entity"]["id"], each["score"]) for each in stored["entries"]
        ]
        shown_rows = [
            (each["rank"], int(each["entity"]["id"]), each["entity"]["login"], each["score"])
            for each in stored["entries"]
        ]
        for form in ("csv", "jsonl", "arrow"):
            assert exported(up, data, form, home / f"board.{form}") == shown_rows, form


def test_a_directory_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    done = laurel(tmp_path, "demo", "--data", str(precious), check=False)
    assert done.returncode == 2
    assert "is not the demo's" in done.stderr
    assert (precious / "thesis.tex").read_text() == "years of work"


def test_a_path_that_is_no_clone_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = laurel(tmp_path, "demo", "--git", str(tmp_path), check=False)
    assert done.returncode == 2
    assert not (tmp_path / "build").exists()


def test_an_archive_of_ones_own_shows_its_busiest_account_that_did_anything(
    home: Path, tmp_path: Path, shown: str
) -> None:
    files = sorted((home / "build" / "demo" / "archive").glob("*.json.gz"))
    assert files
    copy = tmp_path / files[-1].name
    starred = json.dumps(
        {
            "id": "1", "type": "WatchEvent", "payload": {"action": "started"},
            "actor": {"id": 2_000_000_901, "login": "ada"},
            "repo": {"id": 2_000_000_902, "name": "007/starred"},
            "public": True, "created_at": "2021-07-21T06:00:01Z",
        }
    )  # fmt: skip
    stars = gzip.compress(f"{starred}\n".encode() * 20_000)
    copy.write_bytes(stars + files[-1].read_bytes())
    done = subprocess.run(
        [str(BIN / "laurel"), "demo", "--data", str(tmp_path / "demo"), "--archive", str(copy)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "contributors of meridian-maps, month" in done.stdout
    assert "teams of" not in done.stdout
