"""Which LAUREL_* variables of `laurel up` go on to the services, and which mean nothing at all."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from laurel_cli.stack.layout import SERVICES
from laurel_common.config import PREFIX, ServiceSettings, variables_of

# Those of other commands, of docker-compose.yml and of the tests.
_OTHERS = {"LAUREL_DATA", "LAUREL_TOKEN", "LAUREL_UID", "LAUREL_GID"}
_TESTS = "LAUREL_TEST_"
# `up` has its own answer to these, or they say how a command reaches services elsewhere.
_DECIDED = {
    f"LAUREL_{name}"
    for name in (
        *("DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE"),
        *("TLS_CERTIFICATE_FILE", "TLS_KEY_FILE", "TLS_CA_FILE", "TLS_CLIENT_CA_FILE"),
        "ALLOW_INSECURE_BIND",
    )
}


def passed_on(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the settings of a service know of `environ` and `up` does not decide."""
    known = variables_of(settings_of(service)) - _DECIDED
    return {name: environ[name] for name in sorted(known & environ.keys())}


def unknown(environ: Mapping[str, str]) -> list[str]:
    """The LAUREL_* variables that neither a service nor a command knows: typing errors, mostly."""
    known = _OTHERS.union(*(variables_of(settings_of(name)) for name in SERVICES))
    ours = (name for name in environ if name.startswith(PREFIX) and not name.startswith(_TESTS))
    return sorted(set(ours) - known)


@cache
def settings_of(service: str) -> type[ServiceSettings]:
    """The settings of one of the four services."""
    module = import_module(f"laurel_{service}.config")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, ServiceSettings)
        and each.__module__ == module.__name__
    )
    return found
