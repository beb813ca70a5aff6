"""Which process a process id means: ids are used again, ids with a start time are not."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
# Fields of /proc/PID/stat after the command's closing parenthesis: state first, start time 20th.
_STATE, _START_TIME = 0, 19


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process of one boot of this machine."""

    pid: int
    start_time: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process that runs under `pid` now; None for none, a zombie, or without /proc."""
        try:
            text = (_PROC / str(pid) / "stat").read_text()
            boot_id = _BOOT_ID.read_text().strip()
        except OSError:
            return None
        fields = text.rpartition(")")[2].split()
        return None if fields[_STATE] == "Z" else cls(pid, int(fields[_START_TIME]), boot_id)

    @property
    def runs(self) -> bool:
        """Whether exactly this process is still there."""
        return type(self).of(self.pid) == self

    def save(self, path: Path) -> None:
        """Writes it so that `load` never sees half of it."""
        scratch = path.with_suffix(".new")
        scratch.write_bytes(orjson.dumps(asdict(self)))
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What `save` wrote; None where there is nothing, or nothing of use."""
        try:
            return cls(**orjson.loads(path.read_bytes()))
        except (OSError, TypeError, orjson.JSONDecodeError):
            return None


def signal_process(identity: ProcessIdentity, number: int) -> bool:
    """Sends a signal to exactly this process; returns whether it was there."""
    if not identity.runs:
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True
