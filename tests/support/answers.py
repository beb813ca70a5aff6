"""Which reasons each method answers with: as its comment documents them, and as tests show them."""

import re
from collections.abc import Callable
from functools import cache

from tests.support.contracts import DeclaredMethod, declared_methods
from tools.genproto import PROTO

_SERVICE = re.compile(r"service (\w+) ")
_METHOD = re.compile(r"\s*rpc (\w+)")
_REASON = re.compile(r"\b[A-Z]{2,}(?:_[A-Z0-9]+)*\b")
_SAYS = "Errors:"


@cache
def documented() -> dict[str, frozenset[str]]:
    """The reasons behind `Errors:` in each method's comment, by "Service/Method"; what stands in
    brackets explains the reason before it.
    """
    found: dict[str, frozenset[str]] = {}
    for path in sorted((PROTO / "laurel").rglob("*.proto")):
        service, comment = "", list[str]()
        for line in path.read_text().splitlines():
            if line.strip().startswith("//"):
                comment.append(line.strip()[2:])
                continue
            if named := _SERVICE.match(line):
                service = named[1]
            elif method := _METHOD.match(line):
                told, says, listed = " ".join(comment).partition(_SAYS)
                assert says, f"{path.name}: {method[1]} says nothing of its errors: {told}"
                plain = re.sub(r"\([^()]*\)", "", listed)
                found[f"{service}/{method[1]}"] = frozenset(_REASON.findall(plain))
            comment = []
    return found


def documenting(
    reason: str, where: Callable[[DeclaredMethod], bool] = lambda _: True
) -> list[DeclaredMethod]:
    """The methods that document a reason; their number is never 0."""
    methods = [
        each for each in declared_methods() if reason in documented()[each.name] and where(each)
    ]
    assert methods, f"no method documents {reason}"
    return methods


OK = "OK"
TABLE = PROTO.parent / "tests" / "rpc" / "answers.txt"

# Reasons of which a test goes through every method that documents them, with its module below
# tests/rpc; where it leaves methods out, the table has those.
EVERY_METHOD: dict[str, tuple[str, Callable[[DeclaredMethod], bool]]] = {
    "INVALID_REQUEST": ("every_method/test_without_a_database.py", lambda _: True),
    "INVALID_PAGE_TOKEN": ("every_method/test_without_a_database.py", lambda _: True),
    "DATABASE_UNAVAILABLE": ("every_method/test_without_a_database.py", lambda _: True),
    "CONCURRENT_CHANGE": ("every_method/test_crossing_writes.py", lambda _: True),
    # The others need each other in circumstances that take more to bring about.
    "DEPENDENCY_UNAVAILABLE": (
        "every_method/test_without_each_other.py",
        lambda each: each.context in {"ingest", "scoring"},
    ),
}


def to_be_shown() -> set[tuple[str, str]]:
    """What the table has to name a test for: each method's happy path, and each reason that it
    documents and no test of EVERY_METHOD holds.
    """
    wanted = {(each, OK) for each in documented()}
    wanted |= {(each, reason) for each, reasons in documented().items() for reason in reasons}
    for reason, (_, where) in EVERY_METHOD.items():
        wanted -= {(each.name, reason) for each in documenting(reason, where)}
    return wanted


@cache
def lines() -> tuple[tuple[str, str, str], ...]:
    """The table: method, reason, and the id of the test that shows it."""
    found = []
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            method, reason, test = line.split(maxsplit=2)
            found.append((method, reason, f"tests/rpc/{test}"))
    return tuple(found)


@cache
def shown() -> dict[str, frozenset[tuple[str, str]]]:
    """What each test shows, by its id."""
    found: dict[str, set[tuple[str, str]]] = {}
    for method, reason, test in lines():
        found.setdefault(test, set()).add((method, reason))
    return {test: frozenset(pairs) for test, pairs in found.items()}
