"""Compiled code is kept on disk where that is possible, and works where it is not."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from laurel_scoring.domain import kernel
from laurel_scoring.domain.compiling import compiled
from laurel_scoring.warm_up import warm_up


def test_a_warm_engine_compiles_nothing_for_other_inputs() -> None:
    warm_up()
    signatures = list(kernel.evaluate.signatures)  # type: ignore[attr-defined]  # numba's
    warm_up()
    assert list(kernel.evaluate.signatures) == signatures  # type: ignore[attr-defined]  # numba's
    # One with and one without a ledger, if that makes a difference at all.
    assert len(signatures) <= 2


def test_where_nothing_can_be_written_the_function_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    njit = numba.njit

    def without_cache(**options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

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
