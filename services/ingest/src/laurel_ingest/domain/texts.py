"""Texts from strangers, made fit to be stored."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"
TITLE_LENGTH = 256


def clean(text: str) -> str:
    """The text with NUL and lone surrogates replaced: PostgreSQL takes neither."""
    return text if text.isprintable() else _UNSTORABLE.sub(REPLACEMENT, text)


def headline(text: str | None) -> str | None:
    """The first line, cleaned, at most 256 characters; None where it says nothing."""
    if not text:
        return None
    return clean(text.strip().partition("\n")[0].strip())[:TITLE_LENGTH] or None
