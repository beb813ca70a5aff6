"""The year of the demo's organization, day by day, ending now."""

from datetime import UTC, datetime, timedelta
from random import Random

from laurel_cli.demo import calendar, issues, pull_requests, words
from laurel_cli.demo.cast import DEPENDENCY_BOT, RELEASE_BOT, Person
from laurel_cli.demo.events import (
    Commented,
    Happening,
    Issue,
    IssueOpened,
    PullRequest,
    PullRequestOpened,
    Pushed,
    Reviewed,
    Starred,
)
from laurel_cli.demo.workshop import Workshop

SEED = 20150101
# Of a person's working days; on a weekend somebody does something at times.
_WEEKEND = 0.08
_WORKDAYS_A_WEEK = 5


def tell(now: datetime, seed: int = SEED) -> list[Happening]:
    """Everything that happened in the 365 days that end at `now`, oldest first.

    The same `now` (to the second) and seed tell the same year. Something happens on `now`'s own
    UTC day however early it is.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    midnights = calendar.days_until(now)
    shop = Workshop(Random(seed), midnights[0], now)  # noqa: S311 - a story, no secret
    for number, midnight in enumerate(midnights):
        _tell_day(shop, number, midnight)
    _tell_this_morning(shop, midnights[-1])
    return sorted(shop.happenings, key=lambda each: each.at)


def _tell_day(shop: Workshop, number: int, midnight: datetime) -> None:
    for person in shop.cast.people:
        _tell_person(shop, person, midnight)
    weekday = midnight.weekday()
    if weekday == 0:
        repository = shop.rng.choice(shop.cast.repositories)
        at = midnight + timedelta(hours=5, minutes=shop.rng.randrange(60))
        pull_requests.tell_dependency(shop, DEPENDENCY_BOT, repository, at, number)
    if weekday == 3 and number % 14 < 7:
        repository = shop.rng.choice(shop.cast.repositories)
        at = midnight + timedelta(hours=16, minutes=shop.rng.randrange(60))
        release = shop.commit(RELEASE_BOT, f"Release 1.{number // 7}.0")
        shop.note(Pushed(at, RELEASE_BOT, repository, repository.default_branch, (release,)))


def _tell_person(shop: Workshop, person: Person, midnight: datetime) -> None:
    rng, habits = shop.rng, person.habits
    if not shop.around(person, midnight):
        return
    pace = _WEEKEND if midnight.weekday() >= 5 else 1.0
    for _ in range(calendar.poisson(rng, pace * habits.pull_requests_a_week / _WORKDAYS_A_WEEK)):
        pull_requests.tell(shop, person, calendar.moment(rng, person, midnight))
    for _ in range(calendar.poisson(rng, pace * habits.talking * 0.13)):
        issues.tell(shop, person, calendar.moment(rng, person, midnight))
    if person.teams and rng.random() < pace * 0.06:
        _push_straight(shop, person, calendar.moment(rng, person, midnight))
    if not person.teams and rng.random() < 0.05:
        at = calendar.moment(rng, person, midnight)
        shop.note(Starred(at, person.account, rng.choice(shop.cast.repositories)))


def _push_straight(shop: Workshop, person: Person, at: datetime) -> None:
    """Small things go onto the default branch without a pull request."""
    repository = shop.repository_of(person)
    message = words.step(shop.rng, shop.rng.choice(repository.areas))
    commits = (shop.commit(person.account, message),)
    shop.note(Pushed(at, person.account, repository, repository.default_branch, commits))


def _tell_this_morning(shop: Workshop, midnight: datetime) -> None:
    """A few things on the last day, so that today's board has something to rank."""
    span = int((shop.now - midnight).total_seconds())
    times = [midnight + timedelta(seconds=span * step // 8) for step in range(8)]
    for at, person in zip(times, shop.cast.people[:6], strict=False):
        _push_straight(shop, person, at)
    for thread in _latest_threads(shop, midnight)[-4:]:
        talker = shop.talker(shop.now)
        remark = words.remark(shop.rng)
        comment = Commented(
            times[-1], talker.account, thread.repository, thread, shop.next_id(), remark
        )
        shop.note(comment)
    waiting = [each for each in _latest_threads(shop, midnight) if isinstance(each, PullRequest)]
    for pull_request, reviewer in zip(waiting[-2:], shop.cast.people[4:6], strict=False):
        if pull_request.author != reviewer.account:
            shop.note(
                Reviewed(
                    times[-2],
                    reviewer.account,
                    pull_request.repository,
                    pull_request,
                    shop.next_id(),
                    "approved",
                )
            )


def _latest_threads(shop: Workshop, before: datetime) -> list[Issue | PullRequest]:
    opened = [
        each.issue if isinstance(each, IssueOpened) else each.pull_request
        for each in shop.happenings
        if isinstance(each, IssueOpened | PullRequestOpened)
    ]
    return sorted(
        (each for each in opened if each.opened_at < before), key=lambda each: each.opened_at
    )
