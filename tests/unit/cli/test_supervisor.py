"""The supervisor over small real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from laurel_cli.supervision.identity import ProcessIdentity
from laurel_cli.supervision.leftovers import end_leftovers
from laurel_cli.supervision.lock import AlreadyRunningError, exclusive
from laurel_cli.supervision.program import Keeper, Program
from laurel_cli.supervision.supervisor import supervise

# Says that it is there, ends well on SIGTERM and leaves a line about it.
WELL_BEHAVED = """
import signal, sys, time
def stop(*_):
    print(NAME, "stopped", time.monotonic_ns(), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print(NAME, "ready", flush=True)
while True:
    signal.pause()
"""
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""


def program(tmp_path: Path, source: str, name: str = "dummy") -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-c", f"NAME = {name!r}\n{source}"],
        environ={**os.environ, "LAUREL_MARK": name},
        log_file=tmp_path / f"{name}.log",
        pid_file=tmp_path / f"{name}.pid",
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def said(program: Program, text: str) -> int:
    return program.log_file.read_text().count(text) if program.log_file.exists() else 0


async def test_a_killed_program_is_started_again_and_the_death_is_reported(tmp_path: Path) -> None:
    dummy, lines = program(tmp_path, WELL_BEHAVED), list[str]()
    async with supervise([[dummy]], report=lines.append, grace_seconds=5) as supervision:
        keeper = supervision.keepers["dummy"]
        await until(lambda: said(dummy, "ready") == 1)
        first = keeper.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: said(dummy, "ready") == 2)
        assert keeper.pid not in (None, first)
    assert lines == ["dummy was killed by SIGKILL; started again in 0.2 s"]
    assert said(dummy, "stopped") == 1
    assert not dummy.pid_file.exists()


async def test_a_program_that_ends_by_itself_is_started_again(tmp_path: Path) -> None:
    brief, lines = program(tmp_path, "raise SystemExit(3)"), list[str]()
    async with supervise([[brief]], report=lines.append, grace_seconds=5) as supervision:
        await until(lambda: supervision.keepers["dummy"].starts == 3)
    assert lines[0] == "dummy ended with code 3; started again in 0.2 s"
    assert lines[1] == "dummy ended with code 3; started again in 0.4 s"


async def test_a_program_that_can_not_stay_up_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_cli.supervision.backoff.LONGEST_DELAY", 0.01)
    brief, lines = program(tmp_path, "raise SystemExit(1)"), list[str]()
    async with supervise([[brief]], report=lines.append, grace_seconds=5):
        await until(lambda: len(lines) >= 5)
    assert "can't stay up" in lines[4]
    assert str(brief.log_file) in lines[4]


async def test_a_program_whose_settings_are_wrong_is_given_up_at_its_first_death(
    tmp_path: Path,
) -> None:
    wrong, lines = program(tmp_path, f"raise SystemExit({os.EX_CONFIG})"), list[str]()
    async with supervise([[wrong]], report=lines.append, grace_seconds=5) as supervision:
        keeper = supervision.keepers["dummy"]
        assert not keeper.hopeless
        await until(lambda: lines)
        assert keeper.hopeless
        assert not keeper.looping


async def test_waves_are_stopped_one_after_the_other(tmp_path: Path) -> None:
    caller = program(tmp_path, WELL_BEHAVED, "caller")
    called = program(tmp_path, WELL_BEHAVED, "called")
    async with supervise([[caller], [called]], report=print, grace_seconds=5):
        await until(lambda: said(caller, "ready") and said(called, "ready"))
    ends = [int(each.log_file.read_text().split()[-1]) for each in (caller, called)]
    assert ends[0] < ends[1]


async def test_a_program_that_ignores_the_request_is_killed_after_the_grace(
    tmp_path: Path,
) -> None:
    deaf, lines = program(tmp_path, DEAF), list[str]()
    async with supervise([[deaf]], report=lines.append, grace_seconds=0.1) as supervision:
        await until(lambda: said(deaf, "ready"))
        pid = supervision.keepers["dummy"].pid
    assert lines == ["dummy did not stop in 0.1 s: killed"]
    assert pid is not None
    assert ProcessIdentity.of(pid) is None


async def test_stopping_between_two_tries_starts_nothing_any_more(tmp_path: Path) -> None:
    keeper = Keeper(program(tmp_path, "raise SystemExit(1)"), report=print, grace_seconds=5)
    task = asyncio.create_task(keeper.keep())
    await until(lambda: keeper.starts == 1 and keeper.pid is None)
    await keeper.stop()
    await task
    assert keeper.starts == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
async def test_programs_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import asyncio, os, sys
        from pathlib import Path
        from laurel_cli.supervision.program import Program
        from laurel_cli.supervision.supervisor import supervise

        async def main(folder):
            dummy = Program("dummy", [sys.executable, "-c", sys.argv[2]], dict(os.environ),
                            folder / "dummy.log", folder / "dummy.pid")
            async with supervise([[dummy]], report=print, grace_seconds=5):
                await asyncio.Event().wait()

        asyncio.run(main(Path(sys.argv[1])))
        """
    )
    dummy = program(tmp_path, WELL_BEHAVED)
    arguments = [sys.executable, "-c", script, str(tmp_path), "NAME='dummy'\n" + WELL_BEHAVED]
    supervisor = await asyncio.create_subprocess_exec(*arguments)
    await until(lambda: said(dummy, "ready"))
    identity = ProcessIdentity.load(dummy.pid_file)
    assert identity is not None
    assert identity.runs
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not identity.runs)
    assert said(dummy, "stopped") == 1


@pytest.fixture
def deaf_processes() -> Iterator[tuple[ProcessIdentity, ProcessIdentity]]:
    """Two processes that stay until they are killed."""
    started = [
        subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) for _ in range(2)
    ]
    for each in started:
        assert each.stdout is not None
        each.stdout.readline()
    identities = [ProcessIdentity.of(each.pid) for each in started]
    yield cast("tuple[ProcessIdentity, ProcessIdentity]", tuple(identities))
    for each in started:
        each.kill()
        each.communicate()


async def test_leftovers_are_ended_and_strangers_left_alone(
    tmp_path: Path, deaf_processes: tuple[ProcessIdentity, ProcessIdentity]
) -> None:
    left, stranger = deaf_processes
    left.save(tmp_path / "ours.pid")
    # The process id of somebody who has ended since, given to a process of somebody else.
    replace(stranger, start_time=stranger.start_time - 1).save(tmp_path / "other.pid")
    broken = tmp_path / "broken.pid"
    broken.write_text("{")
    assert await end_leftovers(tmp_path, grace_seconds=0.1) == ["ours"]
    assert not left.runs
    assert stranger.runs
    assert not broken.exists()


def test_a_directory_has_one_holder_at_a_time(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        with pytest.raises(AlreadyRunningError) as refused, exclusive(tmp_path):
            pass
        assert refused.value.holder == str(os.getpid())
    with exclusive(tmp_path):
        pass
