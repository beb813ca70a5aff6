"""Who may import whom: contexts apart, layers inwards, the domain pure, the core without words."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTEXTS = ("identity", "ingest", "leaderboard", "scoring")
SOURCES = {
    "laurel_common": ROOT / "libs/common/src/laurel_common",
    "laurel_embedded": ROOT / "libs/embedded/src/laurel_embedded",
    "laurel_sessions": ROOT / "libs/sessions/src/laurel_sessions",
    "laurel_cli": ROOT / "cli/src/laurel_cli",
} | {f"laurel_{each}": ROOT / f"services/{each}/src/laurel_{each}" for each in CONTEXTS}

# What does input or output, or knows a wire or a table.
IMPURE = {
    "adbc_driver_postgresql",
    "asyncio",
    "google",
    "grpc",
    "httpx",
    "laurel",
    "os",
    "procrastinate",
    "psycopg",
    "redis",
    "requests",
    "socket",
    "sqlalchemy",
    "structlog",
    "subprocess",
    "urllib",
}
# laurel_common's own pure modules, which a domain may stand on.
PURE_COMMON = {"laurel_common.errors", "laurel_common.clock"}
# A layer → the layers of its own context that it must not see.
FORBIDDEN_LAYERS = {
    "domain": {"application", "bootstrap", "clients", "config", "rpc", "storage"},
    "application": {"bootstrap", "clients", "config", "rpc", "storage"},
    "storage": {"bootstrap", "clients", "rpc"},
    "clients": {"bootstrap", "rpc", "storage"},
    "rpc": {"bootstrap", "clients", "storage"},
}


@dataclass(frozen=True)
class Import:
    """`module` as imported by line `line` of `file`."""

    file: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def imports_of(package: str) -> Iterator[Import]:
    """Every import of a package's files, relative ones made absolute; imported names included."""
    for file in sorted(SOURCES[package].rglob("*.py")):
        yield from imports_in(file, package, file.read_text(encoding="utf-8"))


def imports_in(file: Path, package: str, text: str) -> Iterator[Import]:
    """The imports of one file."""
    inside = file.relative_to(SOURCES[package].parent).with_suffix("").parts
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            # A package's __init__ is its own base: one level up from the file is the package.
            base = ".".join(inside[: len(inside) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                yield Import(file, node.lineno, f"{module}.{alias.name}")


def layer_of(file: Path, package: str) -> str:
    """The first folder (or module) below the package."""
    return file.relative_to(SOURCES[package]).with_suffix("").parts[0]


def top(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_context_never_imports_another(context: str) -> None:
    others = {f"laurel_{each}" for each in CONTEXTS if each != context} | {"laurel_cli"}
    found = [each for each in imports_of(f"laurel_{context}") if top(each.module) in others]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("context", CONTEXTS)
def test_layers_see_inwards_only(context: str) -> None:
    package = f"laurel_{context}"
    found = []
    for each in imports_of(package):
        if each.module.startswith(package + "."):
            seen = each.module.split(".")[1]
            if seen in FORBIDDEN_LAYERS.get(layer_of(each.file, package), ()):
                found.append(str(each))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_domain_is_pure(context: str) -> None:
    package = f"laurel_{context}"
    found = []
    for each in imports_of(package):
        if layer_of(each.file, package) != "domain":
            continue
        common = top(each.module) == "laurel_common"
        allowed = any(f"{each.module}.".startswith(f"{pure}.") for pure in PURE_COMMON)
        if top(each.module) in IMPURE or (common and not allowed):
            found.append(str(each))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("context", CONTEXTS)
def test_protobuf_and_domain_meet_in_rpc_and_clients_alone(context: str) -> None:
    package = f"laurel_{context}"
    edges = {"rpc", "clients", "bootstrap", "__main__"}
    found = [
        str(each)
        for each in imports_of(package)
        if each.module.startswith("laurel.") and layer_of(each.file, package) not in edges
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", ["laurel_common", "laurel_embedded"])
def test_libraries_know_no_context(package: str) -> None:
    found = []
    for each in imports_of(package):
        of_context = top(each.module) in {f"laurel_{name}" for name in (*CONTEXTS, "cli")}
        of_wire = each.module.startswith(tuple(f"laurel.{name}." for name in CONTEXTS))
        if of_context or of_wire:
            found.append(str(each))
    assert not found, "\n".join(found)


def test_nothing_that_runs_imports_what_tests_use() -> None:
    found = []
    for package in SOURCES:
        for each in imports_of(package):
            testing = each.module.startswith(("laurel_common.testing", "tests.", "pytest"))
            if testing and "testing" not in each.file.parts:
                found.append(str(each))
    assert not found, "\n".join(found)


def test_no_file_outgrows_a_reader() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for source in SOURCES.values()
        for file in source.rglob("*.py")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 350
    }
    assert not long


def test_every_module_says_what_it_answers_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for source in SOURCES.values()
        for file in source.rglob("*.py")
        if file.read_text(encoding="utf-8").strip()
        and ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) is None
    ]
    assert not silent


def test_the_walk_sees_every_form_of_import() -> None:
    file = SOURCES["laurel_ingest"] / "domain" / "sample.py"
    text = "import grpc.aio\nfrom ..rpc import convert\nfrom . import x\ndef f():\n    import os\n"
    found = {each.module for each in imports_in(file, "laurel_ingest", text)}
    assert found == {"grpc.aio", "laurel_ingest.rpc.convert", "laurel_ingest.domain.x", "os"}
    assert all(source.is_dir() for source in SOURCES.values())
