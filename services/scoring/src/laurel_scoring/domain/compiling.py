"""How the engine's functions are compiled: to machine code, kept on disk, without the GIL."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiles `function` at its first call and keeps the machine code for the next process.

    The code is kept below NUMBA_CACHE_DIR, else beside the module, else in the user's cache
    directory. Where none of them can be written, each process compiles anew.
    """
    options: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}
    try:
        dispatcher: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        dispatcher = numba.njit(**options)(function)
    return dispatcher
