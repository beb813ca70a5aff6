"""The secrets that webhooks are signed with, read again when their file changes."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from laurel_common.config import ConfigError, read_secret
from laurel_ingest.domain.webhook_signatures import secrets_of

log = structlog.get_logger(__name__)

RECHECK_SECONDS = 1.0


class WebhookSecrets:
    """Those of a file, looked at once a second at most; without a file, those given.

    A file that has become unusable leaves the last good secrets in force, and is logged.
    """

    def __init__(
        self,
        secrets: Sequence[bytes],
        path: Path | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secrets` are what the file held when the settings were read."""
        self._secrets = secrets
        self._path = path
        self._monotonic = monotonic
        self._checked_at = monotonic()
        self._stamp: tuple[int, int, int] | None = None

    def __call__(self) -> Sequence[bytes]:
        """The secrets that are good now."""
        now = self._monotonic()
        if self._path is not None and now - self._checked_at >= RECHECK_SECONDS:
            self._checked_at = now
            self._refresh(self._path)
        return self._secrets

    def _refresh(self, path: Path) -> None:
        try:
            found = path.stat()
            stamp = found.st_mtime_ns, found.st_size, found.st_ino
            if stamp == self._stamp:
                return
            # Told once, however long it stays as it is.
            self._stamp = stamp
            secrets = secrets_of(read_secret(path))
        except (OSError, ConfigError, ValueError) as error:
            log.error("webhook_secrets_unusable", problem=str(error))
            return
        if secrets != self._secrets:
            log.info("webhook_secrets_read", count=len(secrets))
        self._secrets = secrets
