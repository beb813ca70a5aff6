"""Runs ingest: `python -m laurel_ingest`."""

from laurel_common.rpc.run import run
from laurel_ingest.bootstrap import bootstrap
from laurel_ingest.config import IngestSettings


def main() -> None:
    """Serves until told to stop."""
    run(IngestSettings, bootstrap)


if __name__ == "__main__":
    main()
