"""Long arrays as the text that PostgreSQL reads them from, to be cast where they are used.

The driver makes each element by itself, in Python; of thousands of them that is most of the time.
"""

from collections.abc import Iterable


def numbers(values: Iterable[int]) -> str:
    """An array of whole numbers."""
    return f"{{{','.join(map(str, values))}}}"


def texts(values: Iterable[str]) -> str:
    """An array of texts, none of them null. PostgreSQL's texts hold no NUL: it may part them."""
    several = list(values)
    quoted = "\x00".join(several).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + quoted.replace("\x00", '","') + '"}' if several else "{}"
