"""Becomes another program that ends when the process that started it ends.

Run as a script, `python -I -S child.py PARENT_PID PROGRAM ARGUMENT…`, so that it costs no imports
of the project. The kernel (Linux) sends SIGTERM when the parent dies, however it dies; elsewhere
supervision/leftovers.py finds what remained.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ties this process's life to its parent's and turns into the program."""
    parent, program = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
