"""Commits of a clone's default branch, one JSON line each, newest first, by `git log`.

Every line has sha, parents, author {name, email}, authored_at, message, and where git counted
them additions and deletions; ingest's normalizer reads them, nothing is judged here.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Final

# NUL is the one byte that neither names nor messages can hold. What --numstat prints follows the
# last one, up to the first of the next commit.
_FORMAT: Final = "".join(f"%x00{field}" for field in ("%H", "%P", "%an", "%ae", "%aI", "%B", ""))
_FIELDS: Final = 7
_REMOTE: Final = re.compile(
    r"^(?:https?://|ssh://|git://)?(?:[^@/]+@)?github\.com[:/](?P<name>[^/\s]+/[^/\s]+?)(?:\.git)?/?$",
    re.IGNORECASE,
)
_ENVIRONMENT: Final = {
    # Neither the user's settings nor the terminal's language change what is printed, and nothing
    # asks or reaches out.
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}


class GitError(Exception):
    """What git said where it could not do what was asked."""


@dataclass(frozen=True, slots=True)
class GitClone:
    """A clone, with or without a work tree."""

    path: Path

    def repository(self) -> str | None:
        """owner/name on github.com of the remote `origin`; None where there is none."""
        try:
            url = self._ask("remote", "get-url", "origin")
        except GitError:
            return None
        match = _REMOTE.match(url)
        return match["name"] if match else None

    def default_branch(self) -> str:
        """The branch that `origin` calls its default, else main or master, else the current one.

        As a ref that `git log` takes. Raises GitError for what is no clone, or an empty one.
        """
        candidates = ("refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master", "HEAD")
        for ref in candidates:
            try:
                self._ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
            except GitError:
                continue
            return ref
        raise GitError(f"{self.path} is no git repository, or has no commit")

    def count(self, ref: str) -> int:
        """How many commits a ref reaches."""
        return int(self._ask("rev-list", "--count", ref))

    def edge(self) -> frozenset[str]:
        """The SHAs at which a shallow clone ends; empty for a whole one.

        What they changed and whether they are merges can't be told: their parents are missing.
        """
        if self._ask("rev-parse", "--is-shallow-repository") != "true":
            return frozenset()
        file = self.path / self._ask("rev-parse", "--git-path", "shallow")
        return frozenset(file.read_text().split())

    def records(self, ref: str, *, without: frozenset[str] = frozenset()) -> Iterator[bytes]:
        """Every commit that a ref reaches, children before parents, but those of `without`.

        Streams; git is ended when the reader leaves early. Raises GitError.
        """
        command = self._command(
            *("log", "--topo-order", "--numstat", "--no-renames", "--no-mailmap"),
            *("--no-show-signature", "--no-color", "--no-ext-diff", "--encoding=UTF-8"),
            *(f"--format={_FORMAT}", ref, "--"),
        )
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
        ) as process:
            try:
                assert process.stdout is not None  # noqa: S101 - a pipe was asked for
                for record in _records(process.stdout):
                    if record[0] not in without:
                        yield _line(record)
            finally:
                if process.poll() is None and process.stdout and not process.stdout.closed:
                    process.stdout.close()
            _, errors = process.communicate()
            if process.returncode:
                raise GitError(_message(errors))

    def _ask(self, *arguments: str) -> str:
        done = subprocess.run(
            self._command(*arguments), capture_output=True, check=False, env=_environment()
        )
        if done.returncode:
            raise GitError(_message(done.stderr))
        return done.stdout.decode("utf-8", "replace").strip()

    def _command(self, *arguments: str) -> list[str]:
        safe = ("-c", f"safe.directory={self.path.resolve()}")
        # The clone's own settings count as well, unless they are overruled here.
        plain = ("-c", "log.showSignature=false", "-c", "log.showRoot=true")
        return ["git", *safe, *plain, "-C", str(self.path), *arguments]


def _environment() -> dict[str, str]:
    # Run from a hook, git's own variables name the repository that the hook is of.
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    return {**inherited, **_ENVIRONMENT}


def _records(stream: IO[bytes]) -> Iterator[list[str]]:
    """The fields of each commit, with what --numstat printed of it as the last."""
    fields: list[str] = []
    for field in islice(_fields(stream), 1, None):
        fields.append(field.decode("utf-8", "replace"))
        if len(fields) == _FIELDS:
            yield fields
            fields = []


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    """What git printed, cut at NUL."""
    pending: list[bytes] = []
    while chunk := stream.read(1 << 16):
        first, *others = chunk.split(b"\0")
        pending.append(first)
        for other in others:
            yield b"".join(pending)
            pending = [other]
    yield b"".join(pending)


def _line(fields: list[str]) -> bytes:
    sha, parents, name, email, authored_at, message, counted = fields
    content: dict[str, object] = {
        "sha": sha,
        "parents": parents.split(),
        "author": {"name": name, "email": email},
        "authored_at": authored_at,
        "message": message.rstrip("\n"),
    }
    if lines := _line_counts(counted):
        content["additions"], content["deletions"] = lines
    return json.dumps(content).encode()


def _line_counts(numstat: str) -> tuple[int, int] | None:
    """Added and deleted lines over all files; None where nothing was counted (merges, binaries)."""
    additions = deletions = 0
    seen = False
    for line in numstat.splitlines():
        added, _, rest = line.partition("\t")
        deleted = rest.partition("\t")[0]
        if added.isdecimal() and deleted.isdecimal():
            additions, deletions, seen = additions + int(added), deletions + int(deleted), True
    return (additions, deletions) if seen else None


def _message(errors: bytes) -> str:
    text = errors.decode("utf-8", "replace").strip()
    return text.splitlines()[-1] if text else "git failed"
