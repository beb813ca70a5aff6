"""Compiled code is kept on disk where that is possible, and works where it is not."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from laurel_scoring import domain
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.merging import SignalChanges, in_order, merged, pairs_of
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.timeline import Timeline
from laurel_scoring.domain.touched import scopes_of
from laurel_scoring.warm_up import warm_up
from tests.support.scoring_builders import AS_OF, a_signal, columns


def compiled_functions() -> dict[str, list[object]]:
    """The forms in which each compiled function of the domain is there by now. Those that others
    of their module call are part of them.
    """
    forms: dict[str, list[object]] = {}
    for each in iter_modules(domain.__path__):
        module = import_module(f"laurel_scoring.domain.{each.name}")
        own = {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__
        }
        called = {name for value in own.values() for name in value.py_func.__code__.co_names}
        for name in own.keys() - called:
            forms[f"{module.__name__}.{name}"] = list(own[name].signatures)
    return forms


def test_a_warm_engine_compiles_nothing_for_other_inputs() -> None:
    warm_up()
    forms = compiled_functions()
    assert len(forms) >= 9
    assert [name for name, each in forms.items() if not each] == []
    # One with and one without a ledger, if that makes a difference at all.
    assert all(len(each) <= 2 for each in forms.values())
    signals = [a_signal(key="1"), a_signal(user=2, repository=11, key="2"), a_signal(key="3")]
    known = in_order(columns(signals[:2]))
    removed = columns(signals[:1])
    now, _ = merged(known, SignalChanges(columns(signals[2:]), removed.content_hash, removed.users))
    roster = Roster(1, frozenset({10, 11}), (Team(5, frozenset({1, 2})),))
    windows = Windows.of_periods(to_microseconds(AS_OF))
    for only in (None, scopes_of(pairs_of(now, np.arange(2)), roster)):
        list(Evaluation(Timeline.of(now), roster, DEFAULT_RULES, windows, only).families())
    assert compiled_functions() == forms


def test_where_nothing_can_be_written_the_function_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    njit = numba.njit

    def without_cache(*functions: Any, **options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*functions, **options)

    monkeypatch.setattr(numba, "njit", without_cache)

    @compiled
    def twice(number: int) -> int:
        return number * 2

    assert twice(21) == 42


def test_the_cache_goes_where_it_is_told(tmp_path: Path) -> None:
    code = (
        "from laurel_scoring.domain.columns import positions_in\n"
        "import numpy as np\n"
        "from laurel_scoring.domain import kernel\n"
        "assert kernel.mul(np.int64(3), np.int64(5000)) == 2\n"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert list(tmp_path.rglob("*.nbi"))
