"""How gRPC's core works in this process."""

import os
from typing import Final

# By default connections are read by a pool of threads of their own, which hand each call over to
# the thread that waits for calls. Without them that thread reads by itself: a cached read costs
# a core a sixth less.
EXPERIMENTS: Final = "-event_engine_listener"


def settle_core() -> None:
    """Has the thread that waits for calls read the connections, unless GRPC_EXPERIMENTS says how
    it is to be. Of no use once grpc has been imported.
    """
    os.environ.setdefault("GRPC_EXPERIMENTS", EXPERIMENTS)
