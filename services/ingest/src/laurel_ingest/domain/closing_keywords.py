"""Issues that a pull request says it closes, and pull requests that a commit says it came by."""

import re
from itertools import islice
from typing import Final

MAX_CLOSED: Final = 100
"""More keywords than that are no pull request's description, and each is a link to be kept."""

# GitHub's keywords, followed by `#12` or `owner/name#12` or an issue's address; a colon is allowed.
_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    r"(?:(?P<short>[\w.-]+/[\w.-]+)?#|https?://github\.com/(?P<long>[\w.-]+/[\w.-]+)/issues/)"
    r"(?P<number>[1-9][0-9]{0,8})\b",
    re.IGNORECASE,
)
# What is opened and never closed hides the rest, so that no part of a body is looked at twice.
_FENCED = re.compile(
    r"^(```|~~~).*?(?:^\1|\Z)|`[^`\n]*`|<!--.*?(?:-->|\Z)", re.DOTALL | re.MULTILINE
)
_SQUASHED = re.compile(r"\(#([1-9][0-9]{0,8})\)\s*$")
_MERGED_PULL = re.compile(r"Merge pull request #([1-9][0-9]{0,8}) from ")
_DEFAULT_MERGE_MESSAGE = re.compile(
    r"Merge (?:pull request #\d+ from |(?:remote-tracking )?branch(?:es)? |tag |commit )",
)


def closed_issues(body: str | None, full_name: str) -> frozenset[int]:
    """Numbers of the repository's own issues that a body closes by keyword.

    As GitHub reads it: code and HTML comments don't count, neither do other repositories' issues.
    """
    if not body or ("#" not in body and "/issues/" not in body):
        return frozenset()
    own = full_name.lower()
    numbers = (
        int(match["number"])
        for match in _CLOSING.finditer(_FENCED.sub(" ", body))
        if (match["short"] or match["long"] or own).lower() == own
    )
    return frozenset(islice(numbers, MAX_CLOSED))


def squashed_pull(message: str) -> int | None:
    """The number N of a first line that ends in `(#N)`, as a squash merge writes it."""
    match = _SQUASHED.search(message.partition("\n")[0])
    return int(match[1]) if match else None


def merged_pull(message: str) -> int | None:
    """The number N of a message that begins with `Merge pull request #N from`."""
    match = _MERGED_PULL.match(message)
    return int(match[1]) if match else None


def reads_as_merge(message: str) -> bool:
    """Whether a message is one that git or GitHub gives a merge commit by itself.

    All that there is to go by where a source does not tell a commit's parents.
    """
    return _DEFAULT_MERGE_MESSAGE.match(message) is not None
