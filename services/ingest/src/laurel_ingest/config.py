"""Ingest's settings."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from laurel_common.config import Port, SecretField, ServiceSettings
from laurel_ingest.domain.webhook_signatures import secrets_of


class IngestSettings(ServiceSettings):
    """What every service is told, and what webhooks are checked and worked on by."""

    service_name: ClassVar[str] = "ingest"

    listen: Port = "127.0.0.1:7402"
    # A batch of lines or columns, and what GitHub may send in one webhook.
    max_message_bytes: int = 32 * 1024 * 1024

    # GitHub's, or an Enterprise server's own (https://HOST/api/v3).
    github_api_url: str = Field(default="https://api.github.com", pattern=r"^https?://\S+$")
    # Repositories whose history a process reads at once.
    ingest_concurrency: int = Field(default=4, ge=1, le=32)

    # One a line; a delivery signed with any of them is taken, so that secrets can be rotated.
    # Without one every delivery is refused.
    webhook_secrets: Annotated[str | None, SecretField(), Field(repr=False)] = None
    # Where they stand, to be read again when that changes.
    webhook_secrets_file: Path | None = None
    # Installations whose webhooks are worked on at the same time.
    webhook_concurrency: int = Field(default=4, ge=1, le=64)

    @field_validator("webhook_secrets")
    @classmethod
    def _are_long(cls, told: str | None) -> str | None:
        secrets_of(told or "")
        return told

    def webhook_keys(self) -> list[bytes]:
        """The webhook secrets as they sign."""
        return secrets_of(self.webhook_secrets or "")
