"""docker-compose.yml: well-formed by the Compose specification, and true about this code.

There is no Docker engine to try it on: what it names is looked up where it comes from.
"""

import json
import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from typer.testing import CliRunner

from laurel_cli.__main__ import app
from laurel_cli.stack.layout import SERVICES
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.variables import settings_of
from laurel_common.config import variables_of

ROOT = Path(__file__).resolve().parents[3]
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):-([^}]*)\}")


def interpolated() -> str:
    """The file with the defaults of its variables, as Compose reads it without any set."""
    text = (ROOT / "docker-compose.yml").read_text()
    return _VARIABLE.sub(lambda match: match[2], text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file with its anchors merged."""
    found: dict[str, Any] = yaml.safe_load(interpolated())
    return found


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `laurel keys init` makes."""
    directory = tmp_path_factory.mktemp("deploy") / "private"
    done = CliRunner().invoke(app, ["keys", "init", str(directory)])
    assert done.exit_code == 0, done.output
    return directory


def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: compose["services"][name] for name in SERVICES}


def test_it_is_valid_by_the_compose_specification(compose: dict[str, Any]) -> None:
    parsed = PyCompose.from_json(json.dumps(compose))
    parsed.validate()
    assert set(parsed.service_names()) == {"postgres", "valkey", "migrate", *SERVICES}


@pytest.mark.parametrize(
    "fault",
    [
        {"restart": "sometimes"},
        {"comand": ["laurel"]},
        {"secrets": ["no-such-secret"]},
        {"ports": ["none"]},
    ],
    ids=["a value", "a key", "a reference", "a port"],
)
def test_the_validation_finds_faults(compose: dict[str, Any], fault: dict[str, Any]) -> None:
    broken = {**compose, "services": {**compose["services"]}}
    broken["services"]["identity"] = {**compose["services"]["identity"], **fault}
    with pytest.raises(ValueError, match=r"\w"):
        PyCompose.from_json(json.dumps(broken)).validate()


def test_variables_are_settings_of_the_service_that_gets_them(compose: dict[str, Any]) -> None:
    for name, service in services(compose).items():
        assert set(service["environment"]) <= variables_of(settings_of(name)), name


def test_every_service_gets_all_that_it_needs(compose: dict[str, Any]) -> None:
    for name, service in services(compose).items():
        required = {
            f"LAUREL_{field.upper()}"
            for field, info in settings_of(name).model_fields.items()
            if info.is_required()
        }
        given = set(service["environment"])
        assert {each for each in required if not {each, f"{each}_FILE"} & given} == set(), name


def test_ports_are_those_of_the_settings_and_published_on_loopback_alone(
    compose: dict[str, Any],
) -> None:
    usual = Ports.default()
    for name, service in services(compose).items():
        port = usual.rpc[name]
        assert settings_of(name).model_fields["listen"].default == f"127.0.0.1:{port}"
        assert service["environment"]["LAUREL_LISTEN"] == f"0.0.0.0:{port}"
        assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
        metrics = f"0.0.0.0:{usual.metrics[name]}"
        assert service["environment"]["LAUREL_METRICS_LISTEN"] == metrics
        assert service["environment"][f"LAUREL_{name.upper()}_TARGET"] == f"{name}:{port}"
    for name in ("postgres", "valkey", "migrate"):
        assert "ports" not in compose["services"][name]
        assert compose["services"][name]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


def test_commands_exist(compose: dict[str, Any]) -> None:
    for name, service in services(compose).items():
        assert service["command"] == ["python", "-m", f"laurel_{name}"]
        assert import_module(f"laurel_{name}.__main__").main
    scripts = {each.name for each in entry_points(group="console_scripts")}
    for service in compose["services"].values():
        for words in (service["command"], service.get("healthcheck", {}).get("test", [])):
            command = words[1:] if words[:1] == ["CMD"] else words
            if command[:1] == ["laurel"]:
                assert "laurel" in scripts
                assert_options_exist(command[1], [each for each in command if each[:2] == "--"])


def assert_options_exist(command: str, options: list[str]) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    for option in options:
        assert option in shown.output


def test_every_service_is_watched_by_its_own_health(compose: dict[str, Any]) -> None:
    for name, service in services(compose).items():
        assert service["healthcheck"]["test"] == ["CMD", "laurel", "status", "--service", name]


def test_secrets_are_files_that_keys_init_makes(compose: dict[str, Any], deployment: Path) -> None:
    for name, secret in {**compose["secrets"], **compose["configs"]}.items():
        relative = Path(secret["file"]).relative_to("deploy/private")
        assert (deployment / relative).is_file(), name
    used = {each for service in compose["services"].values() for each in service.get("secrets", [])}
    assert used == set(compose["secrets"])
    for path in (*(deployment / "secrets").iterdir(), *(deployment / "keys").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_paths_of_secrets_are_where_compose_mounts_them(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)


def test_no_secret_stands_in_the_file_or_goes_into_the_image(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or variable.endswith("_FILE")
            assert "://" not in value
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not [line for line in ignored if line.startswith("!deploy")]


def test_services_run_without_privileges_on_a_read_only_root(compose: dict[str, Any]) -> None:
    for name in ("migrate", *SERVICES):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "1000:1000"


def test_services_start_after_a_migration_that_ended_well(compose: dict[str, Any]) -> None:
    for service in services(compose).values():
        condition = service["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
        assert service["restart"] == "unless-stopped"
    assert compose["services"]["migrate"]["restart"] == "on-failure"


def test_services_of_the_image_are_told_of_each_other_in_full(compose: dict[str, Any]) -> None:
    for service in services(compose).values():
        for name, port in Ports.default().rpc.items():
            assert service["environment"][f"LAUREL_{name.upper()}_TARGET"] == f"{name}:{port}"


def test_the_image_is_built_with_the_uv_of_the_makefile() -> None:
    pinned = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert pinned is not None
    assert f"ghcr.io/astral-sh/uv:{pinned[1]} " in dockerfile
    exposed = re.search(r"^EXPOSE (.*)$", dockerfile, re.MULTILINE)
    assert exposed is not None
    usual = Ports.default()
    assert set(map(int, exposed[1].split())) == {*usual.rpc.values(), *usual.metrics.values()}
    copied = re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE)
    assert all((ROOT / each).exists() for each in copied)
