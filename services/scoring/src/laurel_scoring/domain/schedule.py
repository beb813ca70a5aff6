"""When boards have to be looked at again, though nothing was said to have changed."""

from datetime import UTC, datetime, timedelta

from laurel_scoring.domain.vocabulary import TimePeriod

# Boards read as stale where they were last looked at longer ago than this.
FRESH_FOR = {
    TimePeriod.TODAY: timedelta(minutes=10),
    TimePeriod.WEEK: timedelta(hours=1),
    TimePeriod.MONTH: timedelta(hours=6),
    TimePeriod.QUARTER: timedelta(hours=12),
    TimePeriod.HALF_YEAR: timedelta(hours=24),
    TimePeriod.ALL_TIME: timedelta(hours=24),
}
# The schedule looks once a minute, and a run takes its time.
_AHEAD = timedelta(minutes=2)
# A run that was given up would only be given up again.
AFTER_FAILURE = timedelta(hours=1)
# What ended longer ago than this is forgotten, but for the run that explanations refer to.
RUNS_KEPT = timedelta(days=7)


def due_at(period: TimePeriod, as_of: datetime) -> datetime:
    """When the boards of `period`, computed as of `as_of`, have to be computed again.

    `today` is another day's from midnight UTC on.
    """
    due = as_of + FRESH_FOR[period] - _AHEAD
    if period is not TimePeriod.TODAY:
        return due
    midnight = as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(due, midnight + timedelta(days=1))
