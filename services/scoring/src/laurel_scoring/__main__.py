"""Runs scoring: `python -m laurel_scoring`."""

from laurel_common.rpc.run import run
from laurel_scoring.bootstrap import bootstrap
from laurel_scoring.config import ScoringSettings


def main() -> None:
    """Serves until told to stop."""
    run(ScoringSettings, bootstrap)


if __name__ == "__main__":
    main()
