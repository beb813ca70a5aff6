"""A `laurel up` of one's own for end-to-end tests, as a user starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from laurel_cli.rpc.where import Where
from laurel_cli.stack.layout import Layout
from tests.support.secrecy import check_logs

BIN = Path(sys.executable).parent
_START_SECONDS = 180.0
_STOP_SECONDS = 60.0


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has no LAUREL_* variables and the venv on the path."""
    plain = {key: text for key, text in os.environ.items() if not key.startswith("LAUREL_")}
    return {**plain, "PATH": f"{BIN}:{plain['PATH']}", "COLUMNS": "200", **more}


@dataclass
class Up:
    """A running `laurel up`."""

    home: Path
    process: subprocess.Popen[bytes]

    @property
    def data(self) -> Path:
        """Its data directory, which is the default of `home`."""
        return self.home / ".laurel"

    @property
    def targets(self) -> dict[str, str]:
        """Where its services are."""
        return Where(data=self.data).targets(environ={})

    def output(self) -> str:
        """What it has printed so far."""
        return (self.home / "up.out").read_text()

    def laurel(
        self, *arguments: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs another `laurel` command against it."""
        return laurel(self.home, *arguments, check=check, **variables)


def laurel(
    home: Path, *arguments: str, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs a `laurel` command in `home`; fails with what it printed where `check` is not met."""
    done = subprocess.run(
        [str(BIN / "laurel"), *arguments],
        cwd=home,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def start_up(home: Path, arguments: Sequence[str] = (), **variables: str) -> Up:
    """Starts `laurel up` in `home` and waits until it says that it is up."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.out").open("wb") as output:
        process = subprocess.Popen(
            [str(BIN / "laurel"), "up", "--ports", "any", *arguments],
            cwd=home,
            env=environment(**variables),
            stdout=output,
            stderr=output,
        )
    up = Up(home, process)
    wait_for(lambda: "Laurel is up" in up.output() or process.poll() is not None)
    assert process.poll() is None, up.output()
    return up


def stop(up: Up) -> int:
    """Ends it as Ctrl-C does; returns its exit code."""
    up.process.send_signal(signal.SIGINT)
    return up.process.wait(_STOP_SECONDS)


@contextmanager
def running_up(home: Path, arguments: Sequence[str] = ()) -> Iterator[Up]:
    """A `laurel up` while the block runs; what it and its services print is looked through for
    secrets in the end.
    """
    up = start_up(home, arguments)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            stop(up)
    data = Path(arguments[arguments.index("--data") + 1]) if "--data" in arguments else up.data
    check_logs(Layout(data), up.output())


def wait_for(condition: Callable[[], object], seconds: float = _START_SECONDS) -> None:
    """Waits until `condition()` holds: another process's doing has no event to wait for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
