"""Becomes the server: drops root, ties itself to its parent, and executes the command line.

Run as a script by `process.spawn`: `launch.py UID GID SIGNAL PARENT command…`. UID and GID -1 keep
the user; SIGNAL 0 unties the server from its parent, whose process id PARENT is.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    uid, gid, death_signal, parent = (int(value) for value in sys.argv[1:5])
    command = sys.argv[5:]
    if uid >= 0:
        _become(uid, gid)
    if death_signal and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died before we asked to be told
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - to become the server is this program's purpose


def _become(uid: int, gid: int) -> None:
    """Changes the user but keeps the right to pass through root's private directories.

    The wheel and the data may lie below a home that only root may enter; loosening that home's
    mode instead would outlive us.
    """
    linux = sys.platform == "linux"
    if linux:
        ctypes.CDLL(None).prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if linux:
        _keep_dac_override()


def _keep_dac_override() -> None:
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Effective, permitted, inheritable; then the same for capabilities from 32 on.
    mask = 1 << _CAP_DAC_OVERRIDE
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref(data)) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main()
