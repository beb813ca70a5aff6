"""Where the services are: from options, LAUREL_* variables and the data directory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from laurel_cli.errors import UsageError
from laurel_cli.stack.layout import SERVICES, Layout
from laurel_cli.stack.ports import Ports

_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Where:
    """What the options of a command say; empty is unsaid."""

    data: Path = Path(".laurel")
    endpoints: tuple[str, ...] = ()
    token: str = ""
    key: Path | None = None

    def targets(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """host:port by service: options, then LAUREL_*_TARGET, then the `laurel up` that runs on
        the data directory, then the usual ports. Raises UsageError for an option that is none.
        """
        variables = os.environ if environ is None else environ
        found = Ports.default().targets() | _running(Layout(self.data))
        for name in SERVICES:
            if target := variables.get(f"LAUREL_{name.upper()}_TARGET"):
                found[name] = target
        return found | dict(map(_parse_endpoint, self.endpoints))


def transport(environ: Mapping[str, str] | None = None) -> tuple[Path | None, bool]:
    """The certificate to verify services by, and whether plain text may leave this machine."""
    variables = os.environ if environ is None else environ
    ca_file = variables.get("LAUREL_TLS_CA_FILE")
    insecure = variables.get("LAUREL_ALLOW_INSECURE_BIND", "").lower() in _TRUE
    return Path(ca_file) if ca_file else None, insecure


def own_certificate(environ: Mapping[str, str] | None = None) -> tuple[Path, Path] | None:
    """The certificate to show to services that ask for one, and its key."""
    variables = os.environ if environ is None else environ
    certificate = variables.get("LAUREL_TLS_CERTIFICATE_FILE")
    key = variables.get("LAUREL_TLS_KEY_FILE")
    return (Path(certificate), Path(key)) if certificate and key else None


def _running(layout: Layout) -> dict[str, str]:
    try:
        found = orjson.loads(layout.endpoints_file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return {name: str(found[name]) for name in SERVICES if name in found}


def _parse_endpoint(text: str) -> tuple[str, str]:
    name, _, target = text.partition("=")
    if name not in SERVICES or not target:
        raise UsageError(f"--endpoint is one of {', '.join(SERVICES)}, then =host:port: {text!r}")
    return name, target
