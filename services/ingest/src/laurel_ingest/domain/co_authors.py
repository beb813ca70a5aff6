"""Everybody whom a commit's message names as having written it together."""

import re

_TRAILER = re.compile(
    r"^co-authored-by:[ \t]*(?P<name>[^<\n]*?)[ \t]*<(?P<email>[^>\n]+)>[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
MAX_CO_AUTHORS = 100
"""More than that is no team but a nuisance."""


def co_authors(message: str) -> list[tuple[str, str]]:
    """(name, e-mail) of each `Co-authored-by` trailer, in order."""
    if "o-authored-by" not in message.lower():
        return []
    return [(m["name"], m["email"]) for m in _TRAILER.finditer(message)][:MAX_CO_AUTHORS]
