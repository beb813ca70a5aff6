"""Scoring's settings."""

from typing import ClassVar

from pydantic import Field, HttpUrl

from laurel_common.config import Port, ServiceSettings


class ScoringSettings(ServiceSettings):
    """What scoring is told beside what every service is."""

    service_name: ClassVar[str] = "scoring"

    listen: Port = "127.0.0.1:7403"
    metrics_listen: Port | None = "127.0.0.1:7413"
    # Installations that are scored at the same time in this process; a million signals take
    # about 400 MB each.
    scoring_concurrency: int = Field(default=2, ge=1, le=32)
    # Explanations, ranges and previews at once: of one installation, and in this process. They
    # take as much as a scoring does.
    costly_reads_per_installation: int = Field(default=2, ge=1, le=64)
    costly_reads: int = Field(default=6, ge=1, le=256)
    # Boards over ranges that wait for the further pages of their walks.
    range_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    # Where ledgers link to.
    github_web_url: HttpUrl = HttpUrl("https://github.com")
    # What signals may take that are kept between runs, so that the next one reads what has changed;
    # a million take 64 MB.
    scoring_memory_mb: int = Field(default=512, ge=0, le=1_000_000)
