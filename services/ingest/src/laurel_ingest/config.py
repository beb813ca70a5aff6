"""Ingest's settings."""

from typing import ClassVar

from laurel_common.config import Port, ServiceSettings


class IngestSettings(ServiceSettings):
    """What ingest is told; nothing yet beside what every service is."""

    service_name: ClassVar[str] = "ingest"

    listen: Port = "127.0.0.1:7402"
    # A batch of lines or columns, and what GitHub may send in one webhook.
    max_message_bytes: int = 32 * 1024 * 1024
