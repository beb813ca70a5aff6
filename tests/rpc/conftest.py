"""Holds each test to what `answers.txt` says that it shows.

Whatever server of a test's ends a call, its reason is seen here; a line of the table whose test
passed without seeing its method end so fails that test.
"""

from collections.abc import Generator, Iterator

import pytest

from laurel_common.rpc.call import Call
from laurel_common.rpc.interceptors.errors import ErrorsStep
from tests.support.answers import OK, TABLE, shown

_INTERNAL = "INTERNAL"
_seen: set[tuple[str, str]] = set()
_passed = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def _sees_how_calls_end() -> Iterator[None]:
    """Beside the step that decides it: before any server is built, which keeps its steps."""
    leave = ErrorsStep.leave

    def leave_and_note(step: ErrorsStep, call: Call) -> None:
        leave(step, call)
        method = call.rule.name.rpartition(".")[2]
        left = call.status is None and call.rule.endless
        if call.error is None or left:
            # A watch ends well when its caller has seen enough.
            _seen.add((method, OK))
        elif call.status is not None:
            _seen.add((method, _INTERNAL if call.public is None else call.public.reason))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ErrorsStep, "leave", leave_and_note)
        yield


@pytest.fixture(autouse=True)
def _shows_what_it_says(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that does not show what the table has it for."""
    _seen.clear()
    yield
    if not request.node.stash.get(_passed, False):
        return  # skipped, where samples are not there, it shows nothing
    missing = shown().get(request.node.nodeid, frozenset()) - _seen
    assert not missing, f"{TABLE.name} says that this test shows {sorted(missing)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes for the fixture what came of the test itself."""
    report = yield
    if report.when == "call":
        item.stash[_passed] = report.passed
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuses lines about cases that their test does not have, where all of it was collected."""
    if any("::" in each for each in config.args):
        return
    there = {item.nodeid for item in items}
    tests = {each.partition("[")[0] for each in there}
    gone = [each for each in shown() if each.partition("[")[0] in tests and each not in there]
    if gone:
        raise pytest.UsageError(f"{TABLE.name} names cases that are no more: {gone}")
