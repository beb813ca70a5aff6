"""Where somebody may be led after signing in: to a path of the gateway's own and nowhere else."""

import re

# What a URL is written in. Whatever else there is, some gateway cuts to a byte when it writes the
# header: U+012F becomes a slash.
_WRITTEN = re.compile(r"/[\x21-\x7e]*")
_QUERY = re.compile(r"[?#]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Of what is percent-encoded, the bytes that stand for themselves.
_ENCODED = re.compile(r"%([0-7][0-9A-Fa-f])")


def is_safe_return_path(text: str) -> bool:
    """Whether every browser takes `text` for a path below the page's own host, also after a
    gateway has decoded it or has taken its dots away.

    Browsers read backslashes as slashes and drop tabs and line ends; two slashes begin a host.
    """
    if not _WRITTEN.fullmatch(text) or "\\" in text:
        return False
    path = _QUERY.split(text, maxsplit=1)[0]
    while _is_plain(path):
        decoded = _ENCODED.sub(lambda found: chr(int(found[1], 16)), path)
        if decoded == path:
            return True
        path = decoded
    return False


def _is_plain(path: str) -> bool:
    """Whether there is nothing in a path that somebody reads as the beginning of a host."""
    return not ("//" in path or "\\" in path or _CONTROL.search(path))
