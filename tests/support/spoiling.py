"""Something sound with junk in it, for hypothesis."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import strategies as st

_JUNK: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**63, 2**70, "", "\0", "\ud800", "x" * 5_000, [], {}, [None]),
    *({"id": "1"}, "2021-13-45T99:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
]
JUNK = st.sampled_from(_JUNK)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to everything below a value."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [step for key, each in items for step in ((*path, key), *places(each, (*path, key)))]


@st.composite
def spoiled(draw: st.DrawFn, sound: st.SearchStrategy[Any]) -> Any:
    """Something sound with junk in one or two places."""
    whole = copy.deepcopy(draw(sound))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places(whole)))
        inner = whole
        for key in path[:-1]:
            inner = inner[key]
        # A copy: junk may be put into junk, and what is sampled is the same object every time.
        inner[path[-1]] = copy.deepcopy(draw(JUNK))
        if not places(whole):
            break
    return whole


def spoilt(body: dict[str, Any], draw: Random, count: int) -> Iterator[bytes]:
    """A payload as bytes: whole things missing, null, junk, huge and deep, then `count` with junk
    anywhere.
    """
    for name in body:
        yield _bytes({key: value for key, value in body.items() if key != name})
        yield from (_bytes(body | {name: junk}) for junk in (None, "7", {"id": True}))
        yield _bytes(body | {name: {"id": 1, "name": "x" * 300_000}})
        yield _bytes(body)[:-1] + b', "%s": %s}' % (name.encode(), b"[" * 3_000 + b"]" * 3_000)
    for _ in range(count):
        whole = copy.deepcopy(body)
        *outer, last = draw.choice(places(whole))
        inner: Any = whole
        for key in outer:
            inner = inner[key]
        inner[last] = draw.choice(_JUNK)
        yield _bytes(whole)


def _bytes(value: Any) -> bytes:
    # As json writes it: lone surrogates and numbers of any size are on the wire too.
    return json.dumps(value).encode()
