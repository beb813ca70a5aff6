"""Runs ingest: `python -m laurel_ingest`."""

import laurel_common.loading  # noqa: F401 - before what takes long to load
from laurel_common.rpc.run import run
from laurel_ingest.bootstrap import bootstrap
from laurel_ingest.config import IngestSettings


def main() -> None:
    """Serves until told to stop."""
    run(IngestSettings, bootstrap)


if __name__ == "__main__":
    main()
