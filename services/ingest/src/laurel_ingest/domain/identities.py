"""Who an e-mail address or a bare login stands for, without ever keeping an address.

GH Archive replaces the local part of each address by its SHA-1 and keeps the domain as it is.
Addresses from other sources are hashed the same way, so that an author meets himself. What has
no GitHub id yet gets a synthetic one: negative, below -2^62, from a hash; a real id can claim it.
"""

import re
from hashlib import sha1, sha256
from typing import NamedTuple

GHOST_ID = 10137
"""GitHub's user `ghost`, who stands for deleted users."""

NOREPLY_DOMAIN = "users.noreply.github.com"
_SYNTHETIC_CEILING = -(2**62) - 1
_SYNTHETIC_SPAN = 2**62 - 1
_HASHED_LOCAL_PART = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
_NOREPLY_LOCAL_PART = re.compile(
    r"(?:([1-9][0-9]{0,17})\+)?([A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?)"
)


class NoreplyAddress(NamedTuple):
    """What GitHub's private address tells: the login, and since 2017 the id too."""

    user_id: int | None
    login: str


def hashed_email(email: str) -> str:
    """An address as GH Archive writes it: SHA-1 of the local part, the domain as it is.

    One that is hashed already comes back unchanged; one without @ is hashed whole.
    """
    local, at, domain = email.strip().partition("@")
    if _HASHED_LOCAL_PART.fullmatch(local):
        return f"{local.lower()}{at}{domain}"
    # SHA-1 because GH Archive uses it: what matters is that both sides say the same.
    digest = sha1(local.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    return f"{digest}{at}{domain}"


def noreply_address(email: str) -> NoreplyAddress | None:
    """Login and id of a plain `id+login@users.noreply.github.com`; None of any other address."""
    local, _, domain = email.strip().partition("@")
    if domain.lower() != NOREPLY_DOMAIN or _HASHED_LOCAL_PART.fullmatch(local):
        return None
    match = _NOREPLY_LOCAL_PART.fullmatch(local)
    if match is None:
        return None
    return NoreplyAddress(int(match[1]) if match[1] else None, match[2])


def synthetic_id_of_email(email: str) -> int:
    """The synthetic user id of an address, hashed or not."""
    return _synthetic_id("email", hashed_email(email))


def synthetic_ids_of_private_address(email: str) -> frozenset[int]:
    """The synthetic ids that whoever has an id by this private address would have got by its hash.

    In the spellings that occur; none for an address that tells no id.
    """
    private = noreply_address(email)
    if private is None or private.user_id is None:
        return frozenset()
    return frozenset(
        synthetic_id_of_email(f"{private.user_id}+{login}@{NOREPLY_DOMAIN}")
        for login in (private.login, private.login.lower())
    )


def synthetic_id_of_login(login: str) -> int:
    """The synthetic account id of a login whose id no source has told; case does not matter."""
    return _synthetic_id("login", login.lower())


def synthetic_id_of_repository(full_name: str) -> int:
    """The synthetic id of a repository whose id nobody knows; case does not matter."""
    return _synthetic_id("repository", full_name.lower())


def claimed_synthetic_ids(user_id: int, login: str) -> frozenset[int]:
    """Every synthetic id that a person known by id and login turns out to be.

    The login alone, and the two forms of GitHub's private address in the spellings that occur.
    """
    spellings = {login, login.lower()}
    locals_ = spellings | {f"{user_id}+{spelling}" for spelling in spellings}
    return frozenset(
        {synthetic_id_of_login(login)}
        | {synthetic_id_of_email(f"{local}@{NOREPLY_DOMAIN}") for local in locals_}
    )


def is_synthetic(account_id: int) -> bool:
    """Whether an id was made here and not by GitHub."""
    return account_id <= _SYNTHETIC_CEILING


def _synthetic_id(kind: str, name: str) -> int:
    digest = sha256(f"{kind}|{name}".encode("utf-8", "replace")).digest()
    # The span leaves out -2^63, whose negative (an installation's id) would not fit 64 bits.
    return _SYNTHETIC_CEILING - int.from_bytes(digest[:8]) % _SYNTHETIC_SPAN
