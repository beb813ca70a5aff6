"""Settings: what is refused, and that everything wrong is told at once."""

from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from laurel_common.config import ConfigError, SecretField, ServiceSettings, load_settings


class Settings(ServiceSettings):
    service_name: ClassVar[str] = "sample"
    signing_secret: Annotated[str, SecretField(min_length=32), Field(repr=False)] = "x" * 32


GOOD = {
    "LAUREL_DATABASE_URL": "postgresql://me:hunter2@db/laurel",
    "LAUREL_REDIS_URL": "redis://cache:6379",
    "LAUREL_TRUST_FILE": "/etc/laurel/trust.toml",
    "LAUREL_KEY_FILE": "/etc/laurel/ingest.key",
}


def secret_file(directory: Path, text: str, mode: int = 0o600) -> Path:
    path = directory / "secret"
    path.write_text(text)
    path.chmod(mode)
    return path


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(Settings, environ)
    return caught.value.problems


def test_settings_come_from_variables_and_foreign_ones_are_left_alone() -> None:
    settings = load_settings(Settings, GOOD | {"PATH": "/bin", "LAUREL_LISTEN": "127.0.0.1:9"})
    assert settings.listen == "127.0.0.1:9"
    assert settings.key_file == Path("/etc/laurel/ingest.key")


def test_every_problem_is_named_at_once_and_no_value_shown() -> None:
    found = problems(
        {
            "LAUREL_DATABASE_URL": "postgresql://me:hunter2@db/laurel",
            "LAUREL_LISTEN": "hunter2",
            "LAUREL_TYPO": "1",
            "LAUREL_LOG_LEVEL": "loud",
        }
    )
    named = {each.split(":")[0] for each in found}
    assert named == {
        "LAUREL_TYPO",
        "LAUREL_LISTEN",
        "LAUREL_LOG_LEVEL",
        "LAUREL_REDIS_URL",
        "LAUREL_TRUST_FILE",
        "LAUREL_KEY_FILE",
    }
    assert "LAUREL_REDIS_URL: missing" in found
    assert "hunter2" not in "\n".join(found)


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("DATABASE_URL", "hunter2", "not a URL as postgresql://"),
        ("DATABASE_URL", "mysql://me:hunter2@db/laurel", "not a URL as postgresql://"),
        ("DATABASE_URL", "postgresql://me:hunter2@db:port/laurel", "not a URL as postgresql://"),
        ("REDIS_URL", "hunter2", "not a URL as redis://"),
        ("REDIS_URL", "redis://:hunter2@cache:port", "not a URL as redis://"),
        ("LISTEN", "127.0.0.1:70000", "ports end at 65535"),
        ("DRAIN_SECONDS", "inf", "finite"),
    ],
)
def test_an_address_that_is_none_is_told_and_not_shown(
    variable: str, value: str, problem: str
) -> None:
    (found,) = problems(GOOD | {f"LAUREL_{variable}": value})
    assert found.startswith(f"LAUREL_{variable}: ")
    assert problem in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgres://me@/laurel?host=h1:5432&host=h2:5433"),
        ("DATABASE_URL", "postgresql:///laurel?host=/run/postgresql"),
        ("REDIS_URL", "rediss://:word@cache:6380/1"),
        ("REDIS_URL", "unix:///run/valkey.sock"),
        ("MIGRATIONS_DIR", "/srv/laurel/migrations"),
    ],
)
def test_what_operators_write_is_taken(variable: str, value: str) -> None:
    load_settings(Settings, GOOD | {f"LAUREL_{variable}": value})


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "postgresql://from/file\n")
    environ = {key: value for key, value in GOOD.items() if key != "LAUREL_DATABASE_URL"}
    settings = load_settings(Settings, environ | {"LAUREL_DATABASE_URL_FILE": str(path)})
    assert settings.database_url == "postgresql://from/file"


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        pytest.param("y" * 31, 0o600, "shorter than 32", id="short"),
        pytest.param("", 0o600, "empty", id="empty"),
        pytest.param("y" * 32, 0o644, "everybody can read it", id="world-readable"),
        pytest.param(None, 0o600, "No such file", id="missing"),
    ],
)
def test_a_secret_that_is_none_is_refused(
    tmp_path: Path, text: str | None, mode: int, expected: str
) -> None:
    path = tmp_path / "nowhere" if text is None else secret_file(tmp_path, text, mode)
    found = problems(GOOD | {"LAUREL_SIGNING_SECRET_FILE": str(path)})
    assert len(found) == 1
    assert expected in found[0]
    assert "y" * 31 not in found[0]


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "redis://file")
    found = problems(GOOD | {"LAUREL_REDIS_URL_FILE": str(path)})
    assert found == ["LAUREL_REDIS_URL: given as a value and as a file"]


def test_only_secrets_have_a_file_variant() -> None:
    found = problems(GOOD | {"LAUREL_LISTEN_FILE": "/etc/listen"})
    assert found == ["LAUREL_LISTEN_FILE: no such setting of sample"]


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "hunter2" not in repr(load_settings(Settings, GOOD))
