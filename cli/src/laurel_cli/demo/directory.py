"""The demo's own data directory: made empty for every run, and never anybody else's."""

import shutil
from pathlib import Path

from laurel_cli.errors import UsageError
from laurel_cli.supervision.lock import exclusive

_MARK = "laurel-demo"


def reset(root: Path) -> None:
    """Empties the directory of an earlier demo, or takes a new one.

    Raises UsageError for a directory with anything else in it, AlreadyRunningError where a demo
    runs on it now.
    """
    root.mkdir(parents=True, exist_ok=True)
    found = [path for path in root.iterdir() if path.name != "lock"]
    if found and not (root / _MARK).exists():
        raise UsageError(f"{root} is not the demo's; it is emptied for a demo, so take another")
    with exclusive(root):
        for path in found:
            if path.name == _MARK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        (root / _MARK).touch()
