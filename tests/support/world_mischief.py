"""Values that nobody in their right mind sends, and lines of archives that were tampered with."""

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

NASTY: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    2**200,
    1.5,
    1e308,
    "",
    " ",
    "0",
    "\x00",
    "a\x00b",
    "\ud800",
    "☃" * 3000,
    "x" * 100_000,
    "../../etc/passwd",
    "'; DROP TABLE signals; --",
    "a/b/c",
    "~5",
    "acme/~5",
    "0+a@users.noreply.github.com",
    "/",
    "0" * 40,
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2021-02-30T00:00:00Z",
    "2021-01-01T00:00:00.123456789Z",
    "2021-01-01T00:00:00+99:99",
    "1e999",
    [],
    {},
    [[]],
    [None, 1, "x", {}],
    {"id": None, "login": None},
    {"id": "12", "login": 12},
    {"id": -5, "login": "x\x00"},
)

# Lines that are not even events.
NO_EVENTS = (
    b"",
    b" ",
    b"\x00",
    b"\xff\xfe\x00",
    b"null",
    b"123",
    b'"text"',
    b"[]",
    b"{}",
    b"{" * 10_000,
    b"[" * 100_000,
    b'{"type": "PushEvent"',
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"NaN",
    b'{"type": NaN}',
    b'{"id": 1e400, "type": "PushEvent"}',
    b"[" + b"1," * 200_000 + b"1]",
    '{"type": "PushEvent", "actor": "é"}'.encode("latin-1"),
)


def tampered(lines: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """Lines with one to three of their values replaced, removed or doubled."""
    rng = Random(seed)  # noqa: S311 - chooses what to break, no secret
    for _ in range(count):
        event = json.loads(rng.choice(lines))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            _tamper(rng, event)
        yield json.dumps(event).encode()


def _tamper(rng: Random, event: Any) -> None:
    places = list(_places(event))
    if not places:
        return
    holder, key = rng.choice(places)
    how = rng.random()
    if how < 0.1:
        del holder[key]
    elif how < 0.2 and isinstance(holder, list):
        holder.append(deepcopy(holder[key]))
    else:
        holder[key] = deepcopy(rng.choice(NASTY))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items: Any = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield value, key
        yield from _places(inner)
