"""Ends what an earlier supervisor left running."""

import asyncio
import signal
from pathlib import Path

from laurel_cli.supervision.identity import ProcessIdentity, signal_process

_POLL_SECONDS = 0.05


async def end_leftovers(directory: Path, *, grace_seconds: float) -> list[str]:
    """Stops the processes that the files in `directory` name; returns the names of those found.

    A file whose process is gone, or whose process id means another process by now, is removed and
    nothing else happens.
    """
    found = _ask_to_end(directory)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_seconds
    while any(each.runs for each in found.values()):
        if loop.time() > deadline:
            for each in found.values():
                signal_process(each, signal.SIGKILL)
        await asyncio.sleep(_POLL_SECONDS)
    return list(found)


def _ask_to_end(directory: Path) -> dict[str, ProcessIdentity]:
    found = {}
    for path in sorted(directory.glob("*.pid")):
        identity = ProcessIdentity.load(path)
        if identity is not None and signal_process(identity, signal.SIGTERM):
            found[path.stem] = identity
        path.unlink(missing_ok=True)
    return found
