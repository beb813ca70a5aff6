"""When people work: their own mornings and weekdays, in UTC."""

import math
from datetime import UTC, datetime, timedelta
from random import Random

from laurel_cli.demo.cast import Person

DAYS = 365


def days_until(now: datetime) -> list[datetime]:
    """The midnights (UTC) of the year that ends with now's day, oldest first."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]


def poisson(rng: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def moment(rng: Random, person: Person, midnight: datetime) -> datetime:
    """Some time within somebody's working hours of a day, in whole seconds."""
    hour = rng.triangular(8.5, 18.5, 11.0) - person.habits.utc_offset
    return midnight + timedelta(seconds=round(hour * 3600))


def when_at_work(rng: Random, person: Person, at: datetime) -> datetime:
    """`at`, or the next working morning where somebody sleeps or has a weekend then."""
    local = at + timedelta(hours=person.habits.utc_offset)
    if local.hour >= 19:
        local = _morning(rng, local + timedelta(days=1))
    elif local.hour < 8:
        local = _morning(rng, local)
    while local.weekday() >= 5:
        local = _morning(rng, local + timedelta(days=1))
    return (local - timedelta(hours=person.habits.utc_offset)).replace(microsecond=0)


def _morning(rng: Random, local: datetime) -> datetime:
    start = local.replace(hour=8, minute=30, second=0, microsecond=0)
    return start + timedelta(seconds=rng.randrange(2 * 3600))


def later(rng: Random, at: datetime, mean_hours: float) -> datetime:
    """A while after `at`: minutes at least, three weeks at most."""
    hours = min(rng.expovariate(1 / mean_hours) + 0.05, 500.0)
    return at + timedelta(seconds=round(hours * 3600))
