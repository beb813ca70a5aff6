"""Runs leaderboard: `python -m laurel_leaderboard`."""

import laurel_common.loading  # noqa: F401 - before what takes long to load
from laurel_common.rpc.run import run
from laurel_leaderboard.bootstrap import bootstrap
from laurel_leaderboard.config import LeaderboardSettings


def main() -> None:
    """Serves until told to stop."""
    run(LeaderboardSettings, bootstrap)


if __name__ == "__main__":
    main()
