"""Facts of commits, from pushes and from git's own history."""

import re

from laurel_ingest.domain.co_authors import co_authors
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import JsonObject, text_of
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.registers import Said

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def sha_of(commit: JsonObject) -> str:
    """A commit's SHA-1 or SHA-256 name in lower case."""
    sha = sha_under(commit, "sha")
    if sha is None:
        raise MalformedError("sha is missing")
    return sha


def sha_under(source: JsonObject, name: str) -> str | None:
    """A commit's name under a name, in lower case; None where absent, null or empty."""
    sha = (text_of(source, name) or "").lower()
    if sha and not _SHA.fullmatch(sha):
        raise MalformedError(f"{name} is not a commit's")
    return sha or None


def authors_of(found: Findings, author: JsonObject, message: str) -> Said | None:
    """[[user id, is bot], …]: the author, then the co-authors, each once; None without author."""
    first = found.author(text_of(author, "email"), text_of(author, "name"))
    if first is None:
        return None
    people = [first]
    people += [
        person for name, email in co_authors(message) if (person := found.author(email, name))
    ]
    credited: dict[int, bool] = {}
    for person in people:
        found.meet(person)
        credited.setdefault(person.user_id, person.is_bot)
    return found.said([[user_id, bot] for user_id, bot in credited.items()])
