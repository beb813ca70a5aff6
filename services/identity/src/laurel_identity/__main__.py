"""`python -m laurel_identity`: read the settings, put the service together, serve."""

import laurel_common.loading  # noqa: F401 - before what takes long to load
from laurel_common.rpc.run import run
from laurel_identity.bootstrap import bootstrap
from laurel_identity.config import IdentitySettings


def main() -> None:
    """Serves until SIGTERM."""
    run(IdentitySettings, bootstrap)


if __name__ == "__main__":
    main()
