"""A small git repository made on the spot, and the same commits as GH Archive tells of them."""

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from laurel_cli.demo.cast import PEOPLE, Account
from laurel_cli.demo.shapes import hashed_email
from tests.support.world_tenants import Tenant

REPOSITORY = "clockwork"
REPOSITORY_ID = 2_000_000_390


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as it was made."""

    sha: str
    author: Account
    message: str
    at: datetime


def make_repository(path: Path, tenant: Tenant, start: datetime) -> list[Commit]:
    """A repository on `main`: six commits by three people, two of them by a merged pull request,
    one with a co-author. Returns what are no merges, oldest first.
    """
    path.mkdir()
    _git(path, "init", "--quiet", "--initial-branch=main")
    origin = f"https://github.com/{tenant.login}/{REPOSITORY}.git"
    _git(path, "remote", "add", "origin", origin)
    people = [each.account for each in PEOPLE[:3]]
    made: list[Commit] = []

    def commit(author: Account, message: str) -> None:
        at = start + timedelta(hours=len(made))
        (path / f"file{len(made)}.txt").write_text("tick\n" * (len(made) + 1))
        _git(path, "add", ".")
        _git(path, "commit", "--quiet", "-m", message, author=author, at=at)
        sha = _git(path, "rev-parse", "HEAD")
        made.append(Commit(sha, author, message, at))

    commit(people[0], "Begin")
    commit(people[1], "Wind the spring")
    _git(path, "checkout", "--quiet", "-b", "escapement")
    commit(people[2], "Add an escapement")
    commit(people[2], "Let the escapement tick")
    _git(path, "checkout", "--quiet", "main")
    merged = f"Merge pull request #7 from {tenant.login}/escapement"
    merged_at = start + timedelta(hours=30)
    arguments = ("merge", "--quiet", "--no-ff", "-m", merged, "escapement")
    _git(path, *arguments, author=people[0], at=merged_at)
    commit(people[0], "Oil it (#9)")
    trailer = f"Co-authored-by: {people[1].name} <{_address(people[1])}>"
    commit(people[0], f"Polish the case\n\n{trailer}")
    return made


def pushed(
    tenant: Tenant, commits: list[Commit], at: datetime, *, by: Account | None = None
) -> list[bytes]:
    """The same commits as a push event of 2021 each, by their authors or all by one account."""
    lines = []
    for number, each in enumerate(commits):
        actor = by or each.author
        event = {
            "id": str(9_000_000_000 + number),
            "type": "PushEvent",
            "actor": {"id": actor.id, "login": actor.login, "avatar_url": actor.avatar_url},
            "repo": {"id": REPOSITORY_ID + tenant.offset, "name": f"{tenant.login}/{REPOSITORY}"},
            "payload": {
                "push_id": number,
                "ref": "refs/heads/main",
                "head": each.sha,
                "before": "0" * 40,
                "size": 1,
                "distinct_size": 1,
                "commits": [
                    {
                        "sha": each.sha,
                        "author": {"name": each.author.name, "email": hashed_email(each.author)},
                        "message": each.message,
                        "distinct": True,
                    }
                ],
            },
            "public": True,
            "created_at": (at + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "org": {"id": tenant.account_id, "login": tenant.login},
        }
        lines.append(json.dumps(event).encode())
    return lines


def _address(account: Account) -> str:
    return f"{account.id}+{account.login}@users.noreply.github.com"


def _git(
    path: Path, *arguments: str, author: Account | None = None, at: datetime | None = None
) -> str:
    who = author or PEOPLE[0].account
    when = (at or datetime.now(UTC)).isoformat()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": who.name,
        "GIT_AUTHOR_EMAIL": _address(who),
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": who.name,
        "GIT_COMMITTER_EMAIL": _address(who),
        "GIT_COMMITTER_DATE": when,
    }
    done = subprocess.run(
        ["git", *arguments], cwd=path, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
