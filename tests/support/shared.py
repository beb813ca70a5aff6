"""Samples of real GitHub activity that lie beside the project and are not part of it."""

import os
from pathlib import Path

import pytest

VARIABLE = "PYTEST_LAUREL_SHARED_DATA"


def shared_data(path: str) -> Path:
    """A file of the samples' folder; skips the test where there is none.

    The folder is what the variable says, else `shared/data` beside the checkout.
    """
    beside = Path(__file__).parents[3] / "shared" / "data"
    found = Path(os.environ.get(VARIABLE, beside)) / path
    if not found.exists():
        pytest.skip(f"no {path}: {VARIABLE} names no folder that has it")
    return found
