"""The life of an issue: opened, talked about, closed by a change, by hand, or never."""

from datetime import datetime

from laurel_cli.demo import calendar, words
from laurel_cli.demo.cast import Person
from laurel_cli.demo.events import Commented, Issue, IssueClosed, IssueOpened
from laurel_cli.demo.workshop import Workshop

_LABELS = ((), (), ("bug",), ("bug",), ("enhancement",), ("docs",), ("question",))


def tell(shop: Workshop, person: Person, at: datetime) -> None:
    """One issue and what is said below it; who wants to work on it finds it open."""
    rng, repository = shop.rng, shop.repository_of(person)
    issue = Issue(
        id=shop.next_id(),
        number=shop.next_number(repository),
        repository=repository,
        author=person.account,
        title=words.complaint(rng, rng.choice(repository.areas)),
        body=words.remark(rng),
        labels=rng.choice(_LABELS),
        opened_at=at,
    )
    shop.note(IssueOpened(at, person.account, repository, issue))
    last = at
    for _ in range(calendar.poisson(rng, 1.3)):
        talker = shop.talker(last)
        last = calendar.when_at_work(rng, talker, calendar.later(rng, last, 15))
        shop.note(
            Commented(last, talker.account, repository, issue, shop.next_id(), words.remark(rng))
        )
    if rng.random() < 0.25:
        closer = shop.talker(last)
        end = calendar.when_at_work(rng, closer, calendar.later(rng, last, 30))
        shop.note(IssueClosed(end, closer.account, repository, issue))
        return
    shop.open_issues.setdefault(repository.name, []).append(issue)
