"""Text that is safe to print, and numbers as people read them."""

import re
import unicodedata
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

# CSI, OSC and the other string sequences up to their ends, then two-character escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]?"
)
# Marks that turn the direction of what follows, and what shows as nothing at all.
_INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff") | {
    chr(code) for span in (range(0x202A, 0x202F), range(0x2066, 0x206A)) for code in span
}
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


def clean(text: str) -> str:
    """`text` of a stranger's on one line, without what a terminal would obey."""
    plain = _ESCAPES.sub("", text)
    kept = (_printable(each) for each in plain if each not in _INVISIBLE)
    return "".join(kept).strip()


def _printable(character: str) -> str:
    if character in "\t\n\r":
        return " "
    return "" if unicodedata.category(character) in _UNPRINTABLE else character


def points(e4: int) -> str:
    """Ten-thousandths as points: 12.50, -3.00, 0.1234; never rounded."""
    whole, rest = divmod(abs(e4), 10_000)
    decimals = f"{rest:04d}"
    shown = decimals[:2] + decimals[2:].rstrip("0")
    return f"{'-' if e4 < 0 else ''}{whole:,}.{shown}"


def factor(e4: int) -> str:
    """Ten-thousandths as a factor: 1.5, 0.67, 2."""
    return f"{e4 / 10_000:.4f}".rstrip("0").rstrip(".")


def moment(stamp: Timestamp) -> str:
    """A time in UTC to the second, or a dash where there is none."""
    if stamp.seconds == 0 and stamp.nanos == 0:
        return "-"
    return f"{datetime.fromtimestamp(stamp.seconds, UTC):%Y-%m-%d %H:%M:%S}"


def words(constant: str, prefix: str) -> str:
    """An enum's name as a word: PR_CLOSE_NO_MERGE without its prefix, in lower case."""
    return constant.removeprefix(prefix).lower()
