"""Settings from LAUREL_* variables: strict, every problem told at once, secrets from files."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from laurel_common.addresses import check_database_url, check_listen, check_redis_url

PREFIX = "LAUREL_"
_FILE = "_FILE"
_MAX_SECRET_BYTES = 64 * 1024


class ConfigError(Exception):
    """Settings that can't be used; `problems` names each variable and what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("the settings are not usable:\n" + "\n".join(f"  {p}" for p in problems))


@dataclass(frozen=True, slots=True)
class SecretField:
    """Marks a field as secret: also taken from the file that <NAME>_FILE names, never shown."""

    min_length: int = 1


Secret = Annotated[str, SecretField(), Field(repr=False)]
DatabaseUrl = Annotated[Secret, AfterValidator(check_database_url)]
RedisUrl = Annotated[Secret, AfterValidator(check_redis_url)]
Port = Annotated[str, Field(pattern=r"^.+:\d{1,5}$"), AfterValidator(check_listen)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ServiceSettings(BaseSettings):
    """What every service is told; each service adds its own fields and its `service_name`.

    Read it with `load_settings`, which also refuses unknown LAUREL_* variables.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    service_name: ClassVar[str] = "service"

    database_url: DatabaseUrl
    redis_url: RedisUrl
    database_pool_size: int = Field(default=10, ge=1, le=200)

    listen: Port = "127.0.0.1:7400"
    metrics_listen: Port | None = None
    allow_insecure_bind: bool = False
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_ca_file: Path | None = None
    # Callers have to show a certificate of this authority as well (mutual TLS).
    tls_client_ca_file: Path | None = None

    trust_file: Path
    key_file: Path
    # Where the files of db/migrations are, if not in the usual places: laurel_common.migrations
    # reads it, because `laurel migrate` does too.
    migrations_dir: Path | None = None

    identity_target: str = "127.0.0.1:7401"
    ingest_target: str = "127.0.0.1:7402"
    scoring_target: str = "127.0.0.1:7403"
    leaderboard_target: str = "127.0.0.1:7404"

    max_message_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    max_concurrent_calls: int = Field(default=256, ge=1)
    max_concurrent_streams: int = Field(default=64, ge=1)
    # How long one who watches may take nothing of what it is sent.
    watcher_patience_seconds: float = Field(default=30, gt=0)
    max_connection_age_seconds: Seconds | None = None
    reuse_port: bool = False
    # On one port, kept running by a parent; each has pools, memory and limits of its own.
    processes: int = Field(default=1, ge=1, le=64)
    drain_seconds: Seconds = 1.0
    stop_grace_seconds: Seconds = 30.0
    health_interval_seconds: float = Field(default=5.0, gt=0)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    # One good call in this many is logged, ten a second at most; bad and slow ones always are.
    access_log_sample: int = Field(default=100, ge=1)
    slow_call_ms: int = Field(default=1000, ge=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables; files have been read by `load_settings`."""
        return init_settings, env_settings

    def replaced(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return self.model_copy(update=changes)


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(settings: type[SettingsT], environ: Mapping[str, str] | None = None) -> SettingsT:
    """Reads `settings` from the environment; raises ConfigError that names every problem."""
    variables = dict(os.environ if environ is None else environ)
    problems = _unknown_variables(settings, variables)
    values: dict[str, Any] = {}
    for name, field in settings.model_fields.items():
        variable = _variable(name)
        secret = _secret_of(field)
        if secret is not None and variable + _FILE in variables:
            if variable in variables:
                problems.append(f"{variable}: given as a value and as a file")
            _take_secret(variables[variable + _FILE], name, values, problems)
        elif variable in variables:
            values[name] = variables[variable]
        if secret is not None and name in values and len(values[name]) < secret.min_length:
            problems.append(f"{variable}: shorter than {secret.min_length} characters")
    try:
        loaded = settings.model_validate(values)
    except ValidationError as error:
        problems += _explain(error, already={each.split(":")[0] for each in problems})
        raise ConfigError(sorted(problems)) from None
    if problems:
        raise ConfigError(sorted(problems))
    return loaded


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _secret_of(field: FieldInfo) -> SecretField | None:
    return next((each for each in field.metadata if isinstance(each, SecretField)), None)


def variables_of(settings: type[ServiceSettings]) -> set[str]:
    """The names of the LAUREL_* variables that `load_settings` takes."""
    names = {_variable(name) for name in settings.model_fields}
    files = (name for name, field in settings.model_fields.items() if _secret_of(field))
    return names | {_variable(name) + _FILE for name in files}


def _unknown_variables(settings: type[ServiceSettings], variables: Mapping[str, str]) -> list[str]:
    known = variables_of(settings)
    return [
        f"{name}: no such setting of {settings.service_name}"
        for name in variables
        if name.startswith(PREFIX) and name not in known
    ]


def _take_secret(path: str, name: str, values: dict[str, Any], problems: list[str]) -> None:
    try:
        values[name] = read_secret(Path(path))
    except ConfigError as error:
        problems += [f"{_variable(name)}{_FILE}: {each}" for each in error.problems]


def read_secret(path: Path) -> str:
    """The text of a secret's file without the white space around it.

    Raises ConfigError for a file that is missing, empty, not text, or readable by everybody.
    """
    try:
        mode, content = path.stat().st_mode, path.read_bytes()[:_MAX_SECRET_BYTES]
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError([f"{path}: everybody can read it; chmod 600 makes it private"])
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: not UTF-8 text"]) from None
    if not text:
        raise ConfigError([f"{path}: empty"])
    return text


def _explain(error: ValidationError, already: set[str]) -> list[str]:
    """One line a problem, without the values, which may be secret."""
    lines = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        variable = _variable(str(each["loc"][0])) if each["loc"] else "settings"
        text = "missing" if each["type"] == "missing" else str(each["msg"])
        text = text.removeprefix("Value error, ")
        if not {variable, variable + _FILE} & already:
            lines.append(f"{variable}: {text}")
    return lines
