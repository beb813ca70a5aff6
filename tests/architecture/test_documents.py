"""What the documents name exists, and what exists they name."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from laurel_cli.stack.layout import SERVICES
from laurel_common.config import PREFIX, SecretField, ServiceSettings
from laurel_ingest.domain.deliveries import IDENTITYS
from laurel_ingest.domain.webhook_events import HANDLERS
from tests.support.sources import (
    BINARIES_VARIABLE,
    CONTAINERS_VARIABLE,
    DATABASE_VARIABLE,
    REDIS_VARIABLE,
)

ROOT = Path(__file__).parents[2]
# Read by the command line and by compose, not by a service's settings.
OTHERS = {
    "LAUREL_TOKEN",
    "LAUREL_UID",
    "LAUREL_TEST_FUZZ",
    "LAUREL_GID",
    "LAUREL_VERSION",
    DATABASE_VARIABLE,
    REDIS_VARIABLE,
    CONTAINERS_VARIABLE,
    BINARIES_VARIABLE,
}
_SKIPPED = {"build", "node_modules", "__pycache__"}


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings class of a service."""
    module = import_module(f"laurel_{service}.config")
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings)
    ]
    return next(each for each in found if each is not ServiceSettings)


def variables_of(settings: type[ServiceSettings]) -> Iterator[str]:
    """The environment's names of its fields."""
    for name, field in settings.model_fields.items():
        yield PREFIX + name.upper()
        if any(isinstance(each, SecretField) for each in field.metadata):
            yield f"{PREFIX}{name.upper()}_FILE"


def files(*patterns: str) -> list[Path]:
    """Files of the repository that match."""
    return sorted(
        path
        for pattern in patterns
        for path in ROOT.rglob(pattern)
        if path.is_file() and not any(map(_is_made, path.relative_to(ROOT).parts[:-1]))
    )


def _is_made(folder: str) -> bool:
    """Whether it holds what tools make or install: the environment, caches, a running stack."""
    return folder.startswith(".") or folder in _SKIPPED


def is_generated(path: Path) -> bool:
    return "proto/gen" in path.as_posix()


DOCUMENTS = files("*.md", "docker-compose*.yml", "Makefile", "Dockerfile", "deploy/*")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_the_variables_that_a_document_names_exist(path: Path) -> None:
    known = {name for each in SERVICES for name in variables_of(settings_of(each))} | OTHERS
    # "LAUREL_TLS_…" stands for all that begin so.
    named = set(re.findall(r"LAUREL_[A-Z_]*[A-Z](?![A-Z_…*])", path.read_text(encoding="utf-8")))
    assert named <= known, named - known


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_every_method_that_its_service_serves(service: str) -> None:
    text = (ROOT / f"services/{service}/README.md").read_text(encoding="utf-8")
    served = {
        (name, method)
        for path in (ROOT / f"proto/laurel/{service}/v1").glob("*.proto")
        for name, body in re.findall(
            r"^service (\w+) \{(.*?)^\}", path.read_text(), re.MULTILINE | re.DOTALL
        )
        for method in re.findall(r"^  rpc (\w+)\(", body, re.MULTILINE)
    }
    assert served
    words = set(re.findall(r"\w+", text))
    assert {name for name, _ in served} <= words
    assert {method for _, method in served} <= words


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_names_the_settings_tables_and_tests_of_its_service(service: str) -> None:
    text = (ROOT / f"services/{service}/README.md").read_text(encoding="utf-8")
    own = set(settings_of(service).model_fields) - set(ServiceSettings.model_fields)
    missing = {PREFIX + name.upper() for name in own if PREFIX + name.upper() not in text}
    assert not missing
    for heading in ("Owns", "Does not own", "RPCs", "Tables", "Settings", "Running"):
        assert heading.lower() in text.lower(), heading
    for directory in re.findall(r"tests/[a-z_]+/[a-z_]+(?![a-z_.])", text):
        assert (ROOT / directory).is_dir(), directory
    tables = import_module(f"laurel_{service}.storage.tables").metadata.tables
    unnamed = {name for name in tables if name not in text and not _in_family(name, text)}
    assert not unnamed


def _in_family(name: str, text: str) -> bool:
    """Whether a table is named by its ending, as `_base_points` after `scoring_preset_rules`."""
    return any(f"_{ending}" in text for ending in _endings(name))


def _endings(name: str) -> Iterator[str]:
    parts = name.split("_")
    for first in range(1, len(parts)):
        yield "_".join(parts[first:])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    broken = [
        target for target in targets if "://" not in target and not (path.parent / target).exists()
    ]
    assert not broken


def test_the_guide_to_the_app_names_every_event_that_is_depended_on() -> None:
    text = (ROOT / "docs" / "github.md").read_text(encoding="utf-8")
    (told,) = [line for line in text.splitlines() if line.startswith("Events to subscribe to")]
    named = re.findall(r"`([a-z_]+)`", told)
    assert sorted(named) == sorted(IDENTITYS | set(HANDLERS))


def test_a_decision_has_a_number_of_its_own_which_is_its_headings_too() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(each.name[:4]) for each in decisions]
    assert len(set(numbers)) == len(numbers) > 30
    for number, each in zip(numbers, decisions, strict=True):
        assert each.read_text(encoding="utf-8").startswith(f"# {number}. "), each.name


def test_nothing_is_left_for_later() -> None:
    # Put together here, so that this file is none that says them; `Status.…` is the queue's word.
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
    words = re.compile(r"(?<!Status\.)\b(?:" + "|".join(marks) + r")\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files("*.py", "*.proto", "*.sql", "*.md", "*.yml", "*.toml", "Makefile")
        if not is_generated(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if words.search(line)
    ]
    assert not found


def test_no_file_of_ours_is_longer_than_350_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files("*.py", "*.sql")
        if not is_generated(path)
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 350
    }
    assert not long


def test_a_suppression_has_its_reason_beside_it() -> None:
    # A rule in the suppression, and words after it.
    bare = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type:\s*ignore(?:\[[\w, -]+\])?)\s*$")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files("*.py")
        if not is_generated(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if bare.search(line)
    ]
    assert not found
