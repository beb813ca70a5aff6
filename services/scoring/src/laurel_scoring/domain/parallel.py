"""Splits a computation over columns between the cores. Compiled code and NumPy's sorts let go of
the interpreter's lock, so plain threads do; a thread that waits costs nothing between runs.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numba import config

from laurel_scoring.domain.columns import Int64s

# Those that this process may use.
_CORES = int(vars(config)["NUMBA_DEFAULT_NUM_THREADS"])
# Below this much work a second thread costs more than it spares.
_LEAST = 50_000

_threads = ThreadPoolExecutor(max(_CORES - 1, 1), thread_name_prefix="engine")


def in_parts(work: Callable[[int, int], object], begins: Int64s) -> None:
    """Calls work(first, end) for consecutive items, in as many parts as there are cores.

    begins: where the signals of each item begin, and the end of the last; parts hold about equally
    many. The calls write into separate places.
    """
    items, size = len(begins) - 1, int(begins[-1] - begins[0])
    parts = min(_CORES, size // _LEAST) or 1
    wanted = begins[0] + size * np.arange(1, parts) // parts
    cuts = [0, *np.searchsorted(begins, wanted).tolist(), items]
    others = [_threads.submit(work, first, end) for first, end in pairwise(cuts[1:]) if first < end]
    work(cuts[0], cuts[1])
    for other in others:
        other.result()
