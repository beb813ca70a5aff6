"""Where things lie below a data directory."""

import os
from dataclasses import dataclass
from pathlib import Path

OPERATOR = "operator"
SERVICES = ("identity", "ingest", "scoring", "leaderboard")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below one data directory."""

    root: Path

    @property
    def keys(self) -> Path:
        """Private keys, one PEM file each."""
        return self.root / "keys"

    @property
    def trust_file(self) -> Path:
        """The directory of public keys that all services read."""
        return self.root / "trust.toml"

    @property
    def secrets(self) -> Path:
        """Passwords and URLs with passwords, one file each."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """What the services print."""
        return self.root / "log"

    @property
    def run(self) -> Path:
        """Who runs now: process ids and endpoints."""
        return self.root / "run"

    @property
    def endpoints_file(self) -> Path:
        """Where the services of the last start listen."""
        return self.run / "endpoints.json"

    @property
    def postgres(self) -> Path:
        """The embedded PostgreSQL's own directory."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """The embedded Valkey's own directory."""
        return self.root / "valkey"

    def key(self, name: str) -> Path:
        """The private key of a caller."""
        return self.keys / f"{name}.pem"

    def make(self) -> None:
        """Makes the directories; those with secrets are for their owner alone."""
        self.make_private()
        for path in (self.logs, self.run):
            path.mkdir(exist_ok=True)

    def make_private(self) -> None:
        """Makes the directories with secrets."""
        # PostgreSQL runs as another user where we are root, and has to get through the root.
        self.root.mkdir(parents=True, exist_ok=True)
        for path in (self.keys, self.secrets):
            path.mkdir(exist_ok=True, mode=0o700)


def role_of(service: str) -> str:
    """The PostgreSQL role that a service logs in as."""
    return f"laurel_{service}"


def write_secret(path: Path, text: str) -> None:
    """Writes a file that its owner alone can read, whole or not at all."""
    scratch = path.with_name(f".{path.name}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    scratch.replace(path)
