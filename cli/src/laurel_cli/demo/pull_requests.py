"""The life of a pull request: opened, reviewed, talked about, merged or not."""

from datetime import datetime, timedelta

from laurel_cli.demo import calendar, words
from laurel_cli.demo.cast import Account, Person, Repository
from laurel_cli.demo.events import (
    BranchChanged,
    Commented,
    Commit,
    Issue,
    IssueClosed,
    PullRequest,
    PullRequestClosed,
    PullRequestOpened,
    Pushed,
    ReviewCommented,
    Reviewed,
)
from laurel_cli.demo.workshop import Workshop


def tell(shop: Workshop, person: Person, at: datetime) -> None:
    """One change of somebody's, from the branch to its end."""
    repository = shop.repository_of(person)
    area = shop.rng.choice(repository.areas)
    issue = _take_issue(shop, repository, at)
    count = 1 + calendar.poisson(shop.rng, person.habits.commits_each - 1)
    messages = [words.step(shop.rng, area) for _ in range(count)]
    title = words.change(shop.rng, area)
    pull_request = _open(
        shop, person.account, repository, at, title=title, messages=messages, issue=issue
    )
    done, approved_by = _review(shop, person, pull_request, area)
    if shop.rng.random() < 0.05 and person.teams:
        return  # Somebody will come back to it one day.
    merger = _merger(shop, person, approved_by)
    end = calendar.when_at_work(shop.rng, merger, calendar.later(shop.rng, done, 5))
    if shop.rng.random() < (0.06 if person.teams else 0.35):
        shop.note(PullRequestClosed(end, merger.account, repository, pull_request, None))
        return
    merge(shop, merger.account, pull_request, end, issue)


def tell_dependency(
    shop: Workshop, bot: Account, repository: Repository, at: datetime, number: int
) -> None:
    """A bot's pull request, merged by somebody or left to rot."""
    title = f"Bump {shop.rng.choice(('tokio', 'react', 'pillow', 'okio', 'serde'))} to 1.{number}.0"
    pull_request = _open(shop, bot, repository, at, title=title, messages=[title])
    reviewers = shop.colleagues(None, repository, at)
    if reviewers and shop.rng.random() < 0.7:
        end = calendar.when_at_work(shop.rng, reviewers[0], calendar.later(shop.rng, at, 20))
        merge(shop, reviewers[0].account, pull_request, end, None)
    elif shop.rng.random() < 0.5:
        end = calendar.later(shop.rng, at, 100)
        shop.note(PullRequestClosed(end, bot, repository, pull_request, None))


def merge(
    shop: Workshop, merger: Account, pull_request: PullRequest, at: datetime, issue: Issue | None
) -> None:
    """Puts the change onto the default branch and closes what it was for."""
    repository, number = pull_request.repository, pull_request.number
    landed: tuple[Commit, ...]
    if repository.squashes:
        landed = (shop.commit(pull_request.author, f"{pull_request.title} (#{number})"),)
    else:
        text = f"Merge pull request #{number} from {repository.full_name.split('/')[0]}"
        joint = shop.commit(merger, f"{text}/{pull_request.branch}\n\n{pull_request.title}")
        landed = (*pull_request.commits, joint)
    sha = landed[-1].sha
    shop.note(PullRequestClosed(at, merger, repository, pull_request, sha))
    shop.note(Pushed(at, merger, repository, repository.default_branch, landed))
    after = at + timedelta(seconds=2)
    shop.note(BranchChanged(after, merger, repository, pull_request.branch, created=False))
    if issue is not None:
        shop.note(IssueClosed(at + timedelta(seconds=1), merger, repository, issue))


def _open(
    shop: Workshop,
    author: Account,
    repository: Repository,
    at: datetime,
    *,
    title: str,
    messages: list[str],
    issue: Issue | None = None,
) -> PullRequest:
    pull_request = PullRequest(
        id=shop.next_id(),
        number=shop.next_number(repository),
        repository=repository,
        author=author,
        title=title,
        body=words.closing(shop.rng, issue.number if issue else None),
        branch=words.branch(shop.rng, title),
        commits=tuple(shop.commit(author, message) for message in messages),
        opened_at=at,
    )
    branch, begun = pull_request.branch, at - timedelta(minutes=shop.rng.randrange(5, 240))
    shop.note(BranchChanged(begun, author, repository, branch, created=True))
    shop.note(
        Pushed(begun + timedelta(seconds=1), author, repository, branch, pull_request.commits)
    )
    shop.note(PullRequestOpened(at, author, repository, pull_request))
    return pull_request


def _take_issue(shop: Workshop, repository: Repository, at: datetime) -> Issue | None:
    waiting = [each for each in shop.open_issues.get(repository.name, ()) if each.opened_at < at]
    if not waiting or shop.rng.random() > 0.55:
        return None
    issue = shop.rng.choice(waiting)
    shop.open_issues[repository.name].remove(issue)
    return issue


def _review(
    shop: Workshop, person: Person, pull_request: PullRequest, area: str
) -> tuple[datetime, list[Person]]:
    """Reviews, remarks and answers; returns when the last was made, and who approved."""
    rng, repository, last = shop.rng, pull_request.repository, pull_request.opened_at
    approved_by = []
    for reviewer in shop.colleagues(person, repository, last):
        at = calendar.when_at_work(rng, reviewer, calendar.later(rng, pull_request.opened_at, 9))
        state = rng.choices(("approved", "changes_requested", "commented"), (7, 2, 3))[0]
        review_id = shop.next_id()
        for _ in range(calendar.poisson(rng, 0.5 if state == "approved" else 1.6)):
            path, body = rng.choice(repository.paths), words.remark(rng)
            shop.note(
                ReviewCommented(
                    at,
                    reviewer.account,
                    repository,
                    pull_request,
                    review_id,
                    shop.next_id(),
                    path,
                    body,
                )
            )
        shop.note(Reviewed(at, reviewer.account, repository, pull_request, review_id, state))
        if state == "approved":
            approved_by.append(reviewer)
        else:
            at = _answer(shop, person, pull_request, area, at)
        last = max(last, at)
    if rng.random() < 0.4:
        talker = shop.talker(last)
        at = calendar.when_at_work(rng, talker, calendar.later(rng, pull_request.opened_at, 12))
        comment = Commented(
            at, talker.account, repository, pull_request, shop.next_id(), words.remark(rng)
        )
        shop.note(comment)
        last = max(last, at)
    return last, approved_by


def _answer(
    shop: Workshop, person: Person, pull_request: PullRequest, area: str, at: datetime
) -> datetime:
    """The author replies, at times by a review of one's own pull request, and pushes again."""
    rng, repository = shop.rng, pull_request.repository
    at = calendar.when_at_work(rng, person, calendar.later(rng, at, 4))
    if rng.random() < 0.15:
        own = Reviewed(at, person.account, repository, pull_request, shop.next_id(), "commented")
        shop.note(own)
    else:
        body = words.remark(rng)
        shop.note(Commented(at, person.account, repository, pull_request, shop.next_id(), body))
    fixup = shop.commit(person.account, words.step(rng, area))
    shop.note(Pushed(at, person.account, repository, pull_request.branch, (fixup,)))
    return at


def _merger(shop: Workshop, person: Person, approved_by: list[Person]) -> Person:
    """Whoever approved presses the button more often than the author does."""
    if approved_by and shop.rng.random() < 0.85:
        return shop.rng.choice(approved_by)
    if person.teams and shop.rng.random() < 0.6:
        return person
    return shop.rng.choice([each for each in shop.cast.people if each.is_admin])
