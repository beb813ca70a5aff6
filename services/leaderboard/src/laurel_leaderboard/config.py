"""Leaderboard's settings."""

from typing import ClassVar

from pydantic import Field

from laurel_common.config import Port, Seconds, ServiceSettings


class LeaderboardSettings(ServiceSettings):
    """What leaderboard is told beside what every service is."""

    service_name: ClassVar[str] = "leaderboard"

    listen: Port = "127.0.0.1:7404"
    metrics_listen: Port | None = "127.0.0.1:7414"
    # A hot page is about 14 kB of 50 entries.
    page_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    # Boards whose current version is remembered; one costs about a kilobyte.
    pointer_cache_size: int = Field(default=50_000, ge=1)
    # Streams that wait for news cost little; what costs much has places of its own.
    max_concurrent_streams: int = Field(default=12_500, ge=1)
    # Who may watch boards of this process: of one installation, and of all.
    watchers_each: int = Field(default=10_000, ge=1)
    watchers_together: int = Field(default=12_000, ge=1)
    # Long enough for page walks.
    retention_hours: float = Field(default=24, ge=0)
    retention_interval_seconds: float = Field(default=60, gt=0)
    purge_delay_seconds: Seconds = 600
    # Longer than a publish may take: one that began before midnight belongs to the day before.
    history_delay_seconds: Seconds = 360
