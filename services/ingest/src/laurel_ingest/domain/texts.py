"""Texts from strangers, made fit to be stored."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TOMBSTONE = re.compile(r"~-?\d+")
_LONGEST_LOGIN = 255
REPLACEMENT = "\ufffd"
TITLE_LENGTH = 256


def is_tombstone(name: str) -> bool:
    """Whether the directory gives such a name to what has lost its own, and takes it of nobody."""
    return _TOMBSTONE.fullmatch(name) is not None


def owner_of(full_name: str) -> str | None:
    """The owner of a repository's owner/name; None where it is no such name."""
    owner, _, name = full_name.partition("/")
    is_name = (
        0 < len(owner) <= _LONGEST_LOGIN
        and name
        and "/" not in name
        and not any(letter.isspace() for letter in full_name)
        and not is_tombstone(owner)
        and not is_tombstone(name)
    )
    return owner if is_name else None


def clean(text: str) -> str:
    """The text with NUL and lone surrogates replaced: PostgreSQL takes neither."""
    return text if text.isprintable() else _UNSTORABLE.sub(REPLACEMENT, text)


def headline(text: str | None) -> str | None:
    """The first line, cleaned, at most 256 characters; None where it says nothing."""
    if not text:
        return None
    return clean(text.strip().partition("\n")[0].strip())[:TITLE_LENGTH] or None
