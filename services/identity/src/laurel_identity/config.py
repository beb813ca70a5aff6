"""Identity's settings: what every service is told, and where identity listens."""

from typing import Annotated, ClassVar

from pydantic import Field

from laurel_common.config import Port, SecretField, ServiceSettings


class IdentitySettings(ServiceSettings):
    """Settings of the identity service."""

    service_name: ClassVar[str] = "identity"

    listen: Port = "127.0.0.1:7401"
    metrics_listen: Port | None = "127.0.0.1:7411"

    # GitHub's, or an Enterprise server's own (https://HOST/api/v3 and https://HOST).
    github_api_url: str = Field(default="https://api.github.com", pattern=r"^https?://\S+$")
    github_web_url: str = Field(default="https://github.com", pattern=r"^https?://\S+$")
    # Both or neither: without an App everything goes on that asks nothing of GitHub.
    github_app_id: int | None = Field(default=None, ge=1)
    github_app_private_key: Annotated[str | None, SecretField(), Field(repr=False)] = None
    # Who signs in through the App: its client id and secret, both or neither. Where several
    # callbacks are registered with the App, the one that the gateway serves.
    github_client_id: str | None = Field(default=None, pattern=r"^[\x21-\x7e]+$")
    github_client_secret: Annotated[str | None, SecretField(min_length=20), Field(repr=False)] = (
        None
    )
    github_callback_url: str | None = Field(default=None, pattern=r"^https?://\S+$")

    # What GitHub's tokens are encrypted with: 64 hex digits, first the current key, behind it those
    # that may still open what they encrypted.
    token_keys: Annotated[str, SecretField(min_length=64), Field(repr=False)]
    session_interval_seconds: float = Field(default=60, gt=0)

    # Who asks about a user waits no longer for the database or for GitHub: they are away then, and
    # what was known lately is answered.
    database_patience_seconds: float = Field(default=1, gt=0)
    github_patience_seconds: float = Field(default=2, gt=0)

    # An installation that the App was uninstalled from is kept for so long: it may come back.
    erase_uninstalled_after_days: float = Field(default=30, ge=0)
