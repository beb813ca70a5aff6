"""Names as GitHub compares them, tombstones of lost ones, and ids of whoever has no number."""

import re
from hashlib import sha1, sha256

_SYNTHETIC_CEILING = -(2**62) - 1
_SYNTHETIC_SPAN = 2**62 - 1
_PRIVATE = "@users.noreply.github.com"
_TOMBSTONE = re.compile(r"~-?\d+")


def folded(name: str) -> str:
    """The form in which two names are the same: ASCII letters in lower case, the rest as it is.

    PostgreSQL's lower(name COLLATE "C") says the same of every string.
    """
    return name.lower() if name.isascii() else name.encode().lower().decode()


def tombstone(entity_id: int) -> str:
    """The name of what lost its own: no two ids share one, and GitHub allows none like it."""
    return f"~{entity_id}"


def is_tombstone(name: str) -> bool:
    """Whether a login, a slug, or a repository's own name is a tombstone."""
    return _TOMBSTONE.fullmatch(name) is not None


def synthetic_account_id(login: str) -> int:
    """The id of an account that no source has numbered, from its login; case does not matter.

    Between -2^63 + 1 and -2^62 - 1, so that its negative, an installation's id, fits 64 bits.
    """
    return _synthetic_id("login", folded(login))


def private_address_ids(user_id: int, login: str) -> frozenset[int]:
    """The synthetic ids that authors get who are known by a private address of this user's alone:
    `id+login` and `login` at GitHub's domain, in the spellings that occur, hashed as archives do.
    """
    spellings = {login, folded(login)}
    locals_ = spellings | {f"{user_id}+{spelling}" for spelling in spellings}
    return frozenset(
        # SHA-1 because GH Archive uses it: what matters is that both sides say the same.
        _synthetic_id("email", sha1(each.encode(), usedforsecurity=False).hexdigest() + _PRIVATE)
        for each in locals_
    )


def is_synthetic(entity_id: int) -> bool:
    """Whether the id was made by Laurel, not by GitHub."""
    return entity_id <= _SYNTHETIC_CEILING


def _synthetic_id(kind: str, name: str) -> int:
    digest = sha256(f"{kind}|{name}".encode()).digest()
    return _SYNTHETIC_CEILING - int.from_bytes(digest[:8], "big") % _SYNTHETIC_SPAN
