"""Everybody whom a commit's message names as having written it together."""

import re
from itertools import islice

# Each part ends where the next one begins, so that whatever strangers write is read in one pass.
_TRAILER = re.compile(
    r"^co-authored-by:(?P<name>[^<\n]*)<(?P<email>[^>\n]+)>[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
MAX_CO_AUTHORS = 100
"""More than that is no team but a nuisance."""


def co_authors(message: str) -> list[tuple[str, str]]:
    """(name, e-mail) of each `Co-authored-by` trailer, in order."""
    if "o-authored-by" not in message.lower():
        return []
    found = islice(_TRAILER.finditer(message), MAX_CO_AUTHORS)
    return [(match["name"].strip(" \t"), match["email"]) for match in found]
