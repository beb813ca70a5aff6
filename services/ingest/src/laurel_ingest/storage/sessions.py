"""How ingest's sessions differ from other services'."""

from collections.abc import Mapping
from typing import Final

SESSION: Final[Mapping[str, str]] = {
    # A plan for any value is one for all months there are: it locks each partition of signals,
    # and its nine indexes, whatever the months in question.
    "plan_cache_mode": "force_custom_plan",
}
"""For `create_engine`."""
