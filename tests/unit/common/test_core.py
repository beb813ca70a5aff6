"""gRPC's core takes the switches that it is given."""

import os
import subprocess
import sys

import pytest

from laurel_common.rpc.core import EXPERIMENTS

_SERVICES = ("identity", "ingest", "scoring", "leaderboard")
# Says what the switches are when somebody first wants grpc, and what grpc thinks of them.
_IMPORT = """
import importlib, os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "grpc":
            sys.meta_path.remove(self)
            print(os.environ.get("GRPC_EXPERIMENTS"))
            import grpc
            sys.exit()

sys.meta_path.insert(0, Finder())
importlib.import_module(sys.argv[1])
"""


def _imported(module: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRPC_")}
    command = [sys.executable, "-c", _IMPORT, module]
    return subprocess.run(command, env=kept | environ, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("service", _SERVICES)
def test_a_service_sets_the_switches_before_it_imports_grpc(service: str) -> None:
    assert _imported(f"laurel_{service}.__main__").stdout == f"{EXPERIMENTS}\n"


def test_the_pinned_grpc_knows_the_switches_and_an_operators_own_are_left_alone() -> None:
    assert "Unknown experiment" not in _imported("laurel_common.rpc.run").stderr
    others = _imported("laurel_common.rpc.run", GRPC_EXPERIMENTS="-no_such_switch")
    assert others.stdout == "-no_such_switch\n"
    assert "Unknown experiment: no_such_switch" in others.stderr
