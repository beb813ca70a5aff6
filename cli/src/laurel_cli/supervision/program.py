"""One program that is kept running."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from laurel_cli.supervision import child
from laurel_cli.supervision.backoff import Backoff
from laurel_cli.supervision.identity import ProcessIdentity

_MAX_LOG_BYTES = 20 * 1024 * 1024

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: an executable's path with its arguments, its whole environment, its files."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log_file: Path
    pid_file: Path


class Keeper:
    """Runs a program until told to stop, again whenever it ends.

    `report` gets one line for each death and for a program that can't stay up.
    """

    def __init__(self, program: Program, *, report: Report, grace_seconds: float) -> None:
        self.program = program
        self.starts = 0
        self._backoff = Backoff()
        self._report = report
        self._grace_seconds = grace_seconds
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._misconfigured = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def looping(self) -> bool:
        """Whether it dies again and again."""
        return self._backoff.looping

    @property
    def hopeless(self) -> bool:
        """Whether it can't start: it keeps dying, or said that its settings can't be used."""
        return self.looping or self._misconfigured

    async def keep(self) -> None:
        """Returns when the program has ended after `stop`."""
        while not self._stopping.is_set():
            started_at = time.monotonic()
            code = await self._run_once()
            self._misconfigured = code == os.EX_CONFIG
            if self._stopping.is_set():
                break
            delay = self._backoff.died(started_at=started_at, now=time.monotonic())
            self._report(self._obituary(code, delay))
            await self._wait(delay)
        self.program.pid_file.unlink(missing_ok=True)

    async def stop(self) -> None:
        """Asks it to end (SIGTERM) and kills it after the grace period."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self._grace_seconds):
                await process.wait()
        except TimeoutError:
            self._report(f"{self.program.name} did not stop in {self._grace_seconds:g} s: killed")
            process.kill()
            await process.wait()

    async def _run_once(self) -> int:
        program = self.program
        _rotate(program.log_file)
        with program.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_tied_to_us(program.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(program.environ),
                # A Ctrl-C at the terminal is for the supervisor, which stops things in order.
                start_new_session=True,
            )
        self.starts += 1
        identity = ProcessIdentity.of(self._process.pid)
        if identity is not None:
            identity.save(program.pid_file)
        if self._stopping.is_set():
            self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _obituary(self, code: int, delay: float) -> str:
        name = self.program.name
        ended = f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with code {code}"
        if self.looping:
            return (
                f"{name} {ended} and can't stay up; next try in {delay:g} s; "
                f"its log: {self.program.log_file}"
            )
        return f"{name} {ended}; started again in {delay:g} s"


def _tied_to_us(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), *command]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _rotate(path: Path) -> None:
    """Keeps one former log where the current one has grown long."""
    if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
