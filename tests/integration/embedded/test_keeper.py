"""The tests' own PostgreSQL goes with the run, however that ends."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from laurel_embedded.process import command_line
from tests.support.waiting import eventually

_ROOT = Path(__file__).parents[3]
_MODULE = textwrap.dedent("""
    import os, time
    from pathlib import Path

    def test_uses_a_database(database):
        here = Path(__file__).parent
        run = Path(os.environ["PYTEST_LAUREL_RUN_DIRECTORY"])
        (here / "keeper").write_text((run / "keeper.pid").read_text())
        (here / "server").write_text(
            (run / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
        )
        (here / "run").write_text(str(run))
        (here / "ready").touch()
        while (here / "stay").exists():
            time.sleep(0.05)
""")


def _run(directory: Path, *, stay: bool) -> subprocess.Popen[bytes]:
    """A test run of its own with one test, which stays until it is killed if so told."""
    module = directory / "test_inner.py"
    module.write_text(_MODULE)
    if stay:
        (directory / "stay").touch()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "LAUREL_"))
    }
    # No cache: the outer run writes the same one.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "tests.support.plugin", "--rootdir", str(directory), str(module)]
    return subprocess.Popen(
        command,
        cwd=_ROOT,
        env={**environment, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_run_that_ends_well_leaves_nothing(tmp_path: Path) -> None:
    assert _run(tmp_path, stay=False).wait(120) == 0

    for name, marker in (("keeper", "tests.support.keeper"), ("server", "laurel-tests-")):
        assert marker not in command_line(int((tmp_path / name).read_text()))


def test_a_killed_run_leaves_nothing(tmp_path: Path) -> None:
    run = _run(tmp_path, stay=True)
    eventually((tmp_path / "ready").exists, seconds=120)
    keeper, server = (int((tmp_path / name).read_text()) for name in ("keeper", "server"))
    assert "tests.support.keeper" in command_line(keeper)

    run.send_signal(signal.SIGKILL)
    run.wait()

    eventually(lambda: "tests.support.keeper" not in command_line(keeper))
    eventually(lambda: "laurel-tests-" not in command_line(server))
    assert not Path((tmp_path / "run").read_text()).exists()
