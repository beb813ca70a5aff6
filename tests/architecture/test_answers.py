"""Every method's happy path and every reason that its comment documents has an rpc test.

Tests that go through every method hold the reasons that many share; for all others
`tests/rpc/answers.txt` names a test, and `tests/rpc/conftest.py` fails that test where its method
does not end so. Who is refused each method is held by `tests/rpc/access`.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.support.answers import EVERY_METHOD, TABLE, documented, lines, to_be_shown

ROOT = Path(__file__).parents[2]
HOW = f"add a line to {TABLE.name}, or mend the comment"


@cache
def _names_in(path: Path) -> frozenset[str]:
    """The names of a module's tests."""
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = (n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(each.name for each in functions if each.name.startswith("test_"))


def test_every_answer_that_is_documented_is_shown_by_a_test() -> None:
    listed = {(method, reason) for method, reason, _ in lines()}
    assert not to_be_shown() - listed, HOW


def test_nothing_is_shown_that_no_comment_documents() -> None:
    listed = {(method, reason) for method, reason, _ in lines()}
    assert not listed - to_be_shown(), HOW
    assert len(listed) == len(lines()), "a line too many"


def test_the_tests_that_the_table_names_are_there() -> None:
    gone = []
    for _, _, test in lines():
        path, *_, name = test.partition("[")[0].split("::")
        if not (ROOT / path).is_file() or name not in _names_in(ROOT / path):
            gone.append(test)
    assert not gone


@pytest.mark.parametrize("reason", EVERY_METHOD)
def test_what_many_methods_document_is_tried_with_each(reason: str) -> None:
    module, _ = EVERY_METHOD[reason]
    source = (TABLE.parent / module).read_text()
    assert f'"{reason}"' in source
    assert "documenting(" in source
    assert any(reason in reasons for reasons in documented().values())
