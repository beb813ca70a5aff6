"""Commits of a clone that a test makes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from laurel_cli.sources.git import GitClone, GitError


class Clone:
    """A repository of the test's own, whatever the machine's git is set to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--initial-branch=main")

    def git(self, *arguments: str, **environment: str) -> str:
        settings = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann Ö",
            "GIT_AUTHOR_EMAIL": "ann@example.com",
            "GIT_COMMITTER_NAME": "Bot",
            "GIT_COMMITTER_EMAIL": "bot@example.com",
            "GIT_AUTHOR_DATE": "2021-05-01T10:00:00+0200",
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env={**os.environ, **settings, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, name: str, message: str, content: str = "one\ntwo\n") -> str:
        (self.path / name).write_text(content)
        self.git("add", ".")
        self.git("commit", "--message", message)
        return self.git("rev-parse", "HEAD")

    def records(self) -> list[dict[str, Any]]:
        clone = GitClone(self.path)
        return [json.loads(line) for line in clone.records(clone.default_branch())]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def test_a_commit_is_told_whole(clone: Clone) -> None:
    message = "Add é\n\nWhy: \x1e and \x1f\n\nCo-authored-by: B <b@example.com>"
    sha = clone.commit("a", message)
    assert clone.records() == [
        {
            "sha": sha,
            "parents": [],
            "author": {"name": "Ann Ö", "email": "ann@example.com"},
            "authored_at": "2021-05-01T10:00:00+02:00",
            "message": message,
            "additions": 2,
            "deletions": 0,
        }
    ]


def test_merges_come_before_what_they_merged_and_count_no_lines(clone: Clone) -> None:
    base = clone.commit("a", "Base")
    clone.git("checkout", "-b", "side")
    side = clone.commit("b", "Side")
    clone.git("checkout", "main")
    main = clone.commit("c", "Main")
    clone.git("merge", "--no-ff", "--message", "Merge pull request #4 from x/side", "side")

    records = clone.records()

    order = [each["sha"] for each in records]
    assert records[0]["parents"] == [main, side]
    assert "additions" not in records[0]
    assert order.index(side) < order.index(base)
    assert order.index(main) < order.index(base)


def test_binary_files_and_empty_commits_count_no_lines(clone: Clone) -> None:
    (clone.path / "x.bin").write_bytes(bytes(range(256)))
    clone.git("add", ".")
    clone.git("commit", "--message", "Binary")
    clone.git("commit", "--allow-empty", "--allow-empty-message", "--message", "")
    assert [each.get("additions") for each in clone.records()] == [None, None]


def test_neither_settings_nor_a_hooks_variables_change_what_is_read(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.commit("a", "First")
    other = Clone(tmp_path / "other")
    other.commit("b", "Elsewhere")
    (tmp_path / ".gitconfig").write_text("[log]\nshowRoot = false\n")
    clone.git("config", "log.showRoot", "false")
    expected = clone.records()
    assert expected[0]["additions"] == 2
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    assert clone.records() == expected


def test_a_replaced_commit_is_told_as_it_was_made(clone: Clone) -> None:
    sha = clone.commit("a", "As it was made")
    clone.git("commit", "--amend", "--message", "As somebody would have it")
    clone.git("reset", "--hard", sha)
    clone.git("replace", sha, "HEAD@{1}")
    assert [each["message"] for each in clone.records()] == ["As it was made"]


def test_a_shallow_clones_edge_is_left_out(clone: Clone, tmp_path: Path) -> None:
    shas = [clone.commit("a", str(number), f"{number}\n" * number) for number in range(1, 5)]
    assert GitClone(clone.path).edge() == frozenset()
    clone.git("clone", "--quiet", "--depth=2", f"file://{clone.path}", str(tmp_path / "shallow"))
    shallow = GitClone(tmp_path / "shallow")
    assert shallow.edge() == {shas[2]}
    records = shallow.records(shallow.default_branch(), without=shallow.edge())
    assert [json.loads(line)["sha"] for line in records] == [shas[3]]


def test_a_mailmap_changes_nobody(clone: Clone) -> None:
    clone.commit(".mailmap", "Map", "Other <other@example.com> <ann@example.com>\n")
    clone.git("config", "log.mailmap", "true")
    assert clone.records()[0]["author"]["email"] == "ann@example.com"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@github.com:acme/rocket.git", "acme/rocket"),
        ("https://github.com/acme/rocket", "acme/rocket"),
        ("https://user:secret@github.com/acme/rocket.git/", "acme/rocket"),
        ("ssh://git@github.com/acme/rocket.js.git", "acme/rocket.js"),
        ("https://gitlab.example/acme/rocket", None),
        ("/srv/git/rocket.git", None),
    ],
)
def test_the_remote_names_the_repository(clone: Clone, url: str, name: str | None) -> None:
    clone.git("remote", "add", "origin", url)
    assert GitClone(clone.path).repository() == name


def test_a_clone_without_a_remote_names_none(clone: Clone) -> None:
    assert GitClone(clone.path).repository() is None


def test_what_is_no_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no git repository"):
        GitClone(tmp_path).default_branch()


def test_a_reader_that_leaves_early_ends_git(clone: Clone) -> None:
    for each in range(30):
        clone.commit("a", f"Work {each}", "x\n" * each)
    records = GitClone(clone.path).records("HEAD")
    assert next(records)
    records.close()  # type: ignore[attr-defined]  # a generator, which an iterator need not be
    assert GitClone(clone.path).count("HEAD") == 30
