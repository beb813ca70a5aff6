"""The months that signals fall into, which each have a partition."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta


def months_of(times: Iterable[int], now: int) -> set[datetime]:
    """The first moments of the months of these times (epoch seconds), and of the month to come
    where the present one is among them: whoever writes first in it waits for nothing then.
    """
    days = {time // 86_400 for time in times}
    months = {_beginning(datetime.fromtimestamp(day * 86_400, UTC)) for day in days}
    present = _beginning(datetime.fromtimestamp(now, UTC))
    if present in months:
        months.add(_beginning(present + timedelta(days=31)))
    return months


def _beginning(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
