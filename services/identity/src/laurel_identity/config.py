"""Identity's settings: what every service is told, and where identity listens."""

from typing import ClassVar

from laurel_common.config import Port, ServiceSettings


class IdentitySettings(ServiceSettings):
    """Settings of the identity service."""

    service_name: ClassVar[str] = "identity"

    listen: Port = "127.0.0.1:7401"
    metrics_listen: Port | None = "127.0.0.1:7411"
