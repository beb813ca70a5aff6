"""The four services as programs: configured by LAUREL_* variables and nothing else."""

import os
import sys
from pathlib import Path

from laurel_cli.stack.layout import SERVICES, Layout, write_secret
from laurel_cli.stack.ports import Ports
from laurel_cli.stack.servers import Servers
from laurel_cli.stack.token_keys import token_keys_file
from laurel_cli.stack.variables import passed_on
from laurel_cli.supervision.program import Program

# Who calls others stops before they do.
STOP_WAVES = (("scoring",), ("ingest", "leaderboard"), ("identity",))


def service_programs(
    layout: Layout,
    servers: Servers,
    ports: Ports,
    *,
    log_level: str,
    certificates: Path | None = None,
) -> list[list[Program]]:
    """The services in the waves in which they are stopped; writes the secrets that they read.

    With a directory of `certificates` they speak mutual TLS.
    """
    write_secret(layout.secrets / "redis-url", servers.redis_url)
    for name in SERVICES:
        write_secret(layout.secrets / f"{name}-database-url", servers.role_urls[name])
    return [
        [
            Program(
                name=name,
                command=[sys.executable, "-m", f"laurel_{name}"],
                environ=_environ(layout, ports, name, log_level) | _tls(certificates, name),
                log_file=layout.logs / f"{name}.log",
                pid_file=layout.run / f"{name}.pid",
            )
            for name in wave
        ]
        for wave in STOP_WAVES
    ]


def _environ(layout: Layout, ports: Ports, name: str, log_level: str) -> dict[str, str]:
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("LAUREL_")}
    targets = ports.targets()
    settings = {
        "LAUREL_DATABASE_URL_FILE": str(layout.secrets / f"{name}-database-url"),
        "LAUREL_REDIS_URL_FILE": str(layout.secrets / "redis-url"),
        "LAUREL_TRUST_FILE": str(layout.trust_file),
        "LAUREL_KEY_FILE": str(layout.key(name)),
        "LAUREL_LISTEN": targets[name],
        "LAUREL_METRICS_LISTEN": f"127.0.0.1:{ports.metrics[name]}",
        "LAUREL_LOG_LEVEL": log_level,
        # Nobody balances load over these: there is no list to be taken off before the end.
        "LAUREL_DRAIN_SECONDS": "0",
        **{f"LAUREL_{peer.upper()}_TARGET": target for peer, target in targets.items()},
    }
    if name == "identity":
        settings["LAUREL_TOKEN_KEYS_FILE"] = str(token_keys_file(layout))
    answered = settings.keys() | {each.removesuffix("_FILE") for each in settings}
    passed = {key: text for key, text in passed_on(name, os.environ).items() if key not in answered}
    return inherited | passed | settings


def _tls(certificates: Path | None, name: str) -> dict[str, str]:
    if certificates is None:
        return {}
    authority, own = certificates / "ca.pem", certificates / name
    return {
        "LAUREL_TLS_CERTIFICATE_FILE": f"{own}.pem",
        "LAUREL_TLS_KEY_FILE": f"{own}.key",
        "LAUREL_TLS_CA_FILE": str(authority),
        "LAUREL_TLS_CLIENT_CA_FILE": str(authority),
    }
