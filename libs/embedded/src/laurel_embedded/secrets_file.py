"""Generated passwords, kept beside the data that they guard."""

import json
import os
import secrets
from pathlib import Path


class SecretsFile:
    """Passwords by name in a file that its owner alone can read; made when first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def password(self, name: str) -> str:
        """The password of `name`, generated and stored the first time."""
        known: dict[str, str] = {}
        if self._path.exists():
            known = json.loads(self._path.read_text())
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            self._write(known)
        return known[name]

    def _write(self, known: dict[str, str]) -> None:
        """Replaces the file in one step: a crash leaves the old or the new one."""
        draft = self._path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            json.dump(known, output, indent=1)
            output.flush()
            os.fsync(output.fileno())
        draft.replace(self._path)
