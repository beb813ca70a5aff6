"""A process that works runs of history off, beside others that do; it is there to be killed."""

import asyncio
import os
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from laurel_common.auth.keys import generate_private_key
from laurel_common.clock import SystemClock
from laurel_common.db import create_engine
from laurel_common.jobs import worker
from laurel_common.page_token import PageTokens
from laurel_ingest.config import IngestSettings
from laurel_ingest.history_lane import HistoryLane, build_history_lane
from tests.support.database import Database
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_github import DatabaseRoster

TOKEN = "ghs_test"
# Whoever was silent for so long is dead; in production it is ten seconds.
_HEARTBEAT_SECONDS, _SILENT_SECONDS, _SWEEP_SECONDS = 0.2, 1.5, 0.3
_processes = get_context("forkserver")


class ForeignTokens:
    """The one token that the simulator knows."""

    async def token(self, installation_id: int, *, refused: str = "") -> str:
        """The same for all."""
        return TOKEN


def start_worker(database: Database, api_url: str, directory: Path) -> ForkServerProcess:
    """One more process, forked from one that has imported everything already."""
    _processes.set_forkserver_preload([__name__])
    process = _processes.Process(
        target=_main,
        args=(database.url("laurel_ingest"), database.url(), api_url, directory),
        daemon=True,
    )
    process.start()
    return process


def lane_of(
    ingest_url: str, owner_url: str, api_url: str, directory: Path, *, at_once: int = 2
) -> HistoryLane:
    """Ingest's lane of history on a database and a GitHub, with identity's part done by hand."""
    key = directory / f"{os.getpid()}.key"
    if not key.exists():
        generate_private_key(key)
    settings = IngestSettings.model_validate(
        {
            "database_url": ingest_url,
            "redis_url": "redis://unused",
            "trust_file": directory / "trust",
            "key_file": key,
            "github_api_url": api_url,
            "ingest_concurrency": at_once,
        }
    )
    return build_history_lane(
        settings,
        engine=create_engine(ingest_url, application_name="history-worker", pool_size=4),
        directory=DatabaseDirectory(owner_url),
        roster=DatabaseRoster(owner_url),
        installation_tokens=ForeignTokens(),
        tokens=PageTokens(b"x" * 32),
        clock=SystemClock(),
    )


def _main(ingest_url: str, owner_url: str, api_url: str, directory: Path) -> None:
    worker.HEARTBEAT_SECONDS = _HEARTBEAT_SECONDS
    asyncio.run(_work(ingest_url, owner_url, api_url, directory))


async def _work(ingest_url: str, owner_url: str, api_url: str, directory: Path) -> None:
    lane = lane_of(ingest_url, owner_url, api_url, directory)
    lane.start()
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        for each in (lane.runs_worker, lane.works_worker, lane.urgent_worker):
            await each.sweep(silent_for=_SILENT_SECONDS)
