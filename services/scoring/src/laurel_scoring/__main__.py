"""Runs scoring: `python -m laurel_scoring`."""

import laurel_common.loading  # noqa: F401 - before what takes long to load
from laurel_common.rpc.run import run
from laurel_scoring.bootstrap import bootstrap
from laurel_scoring.config import ScoringSettings


def main() -> None:
    """Serves until told to stop."""
    run(ScoringSettings, bootstrap)


if __name__ == "__main__":
    main()
