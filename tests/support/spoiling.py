"""Something sound with junk in it, for hypothesis."""

import copy
from typing import Any

from hypothesis import strategies as st

JUNK = st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, 2**63, 2**70, "", "\0", "\ud800", "x" * 5_000, [], {}, [None]),
        *({"id": "1"}, "2021-13-45T99:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ]
)


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
