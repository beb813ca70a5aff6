"""Facts from the objects of GitHub's REST API, as events of GH Archive and webhooks carry them."""

from laurel_ingest.domain.closing_keywords import closed_issues
from laurel_ingest.domain.facts import (
    CommentFact,
    IssueFact,
    PullFact,
    RepositoryFact,
    ReviewCommentFact,
    ReviewFact,
)
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.json_values import JsonObject, id_of, list_of, name_of, object_of, text_of
from laurel_ingest.domain.people import Person
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.registers import UNKNOWN_STANDING, Said
from laurel_ingest.domain.texts import headline
from laurel_ingest.domain.timestamps import epoch_seconds

REVIEW_STATES = frozenset({"approved", "changes_requested", "commented"})


def number_of(thing: JsonObject) -> str:
    """The number of an issue or pull request, in decimal."""
    number = id_of(thing, "number")
    if number is None:
        raise MalformedError("number is missing")
    return str(number)


def time_of(thing: JsonObject, name: str, otherwise: int) -> int:
    """A time of a thing, or another where the source does not tell."""
    value = thing.get(name)
    return otherwise if value is None else epoch_seconds(value)


def repository(found: Findings, source: JsonObject) -> None:
    """What a repository object tells of default branch and fork."""
    repository_id = id_of(source)
    branch, fork = name_of(source, "default_branch"), source.get("fork")
    if repository_id is not None and (branch or isinstance(fork, bool)):
        found.facts.append(
            RepositoryFact(
                repository_id,
                default_branch=found.said(branch),
                is_fork=found.said(fork if isinstance(fork, bool) else None),
            )
        )


def pull_request(
    found: Findings, repository_id: int, full_name: str, pull: JsonObject, author: Person | None
) -> PullFact:
    """A pull request as an event shows it; `author` where the object names none."""
    created = pull.get("created_at")
    return PullFact(
        repository_id,
        number_of(pull),
        standing=found.standing,
        author=found.credit_of(pull, "user", author),
        created_at=found.said(None if created is None else epoch_seconds(created)),
        title=found.said(headline(text_of(pull, "title"))),
        is_spam=_spam(found, pull),
        closes=closed_issues(text_of(pull, "body"), full_name),
    )


def issue(
    found: Findings, repository_id: int, source: JsonObject, author: Person | None
) -> IssueFact:
    """An issue as an event shows it."""
    created = source.get("created_at")
    return IssueFact(
        repository_id,
        number_of(source),
        standing=found.standing,
        author=found.credit_of(source, "user", author),
        created_at=found.said(None if created is None else epoch_seconds(created)),
        title=found.said(headline(text_of(source, "title"))),
        is_spam=_spam(found, source),
    )


def comment(
    found: Findings, repository_id: int, source: JsonObject, number: str, author: Person | None
) -> CommentFact:
    """A comment on an issue or pull request."""
    return CommentFact(
        repository_id,
        _id_text(source),
        standing=found.standing,
        author=found.credit_of(source, "user", author),
        created_at=found.said(time_of(source, "created_at", found.at)),
        number=found.said(int(number)),
    )


def review_comment(
    found: Findings, repository_id: int, source: JsonObject, number: str, author: Person | None
) -> ReviewCommentFact:
    """A comment on a line of a pull request."""
    return ReviewCommentFact(
        repository_id,
        _id_text(source),
        standing=found.standing,
        author=found.credit_of(source, "user", author),
        created_at=found.said(time_of(source, "created_at", found.at)),
        pull_numbers=frozenset({int(number)}),
    )


def review(
    found: Findings, repository_id: int, source: JsonObject, number: str, author: Person | None
) -> ReviewFact | None:
    """A review; None while it is pending.

    A dismissed one keeps the state that it was submitted with wherever that is known.
    """
    state = (text_of(source, "state") or "").lower()
    if state == "pending":
        return None
    if state in REVIEW_STATES:
        said = found.said(state)
    elif state == "dismissed":
        said = Said(UNKNOWN_STANDING, found.at, "commented")
    else:
        raise MalformedError("state is not one of a review")
    return ReviewFact(
        repository_id,
        _id_text(source),
        standing=found.standing,
        author=found.credit_of(source, "user", author),
        submitted_at=found.said(time_of(source, "submitted_at", found.at)),
        state=said,
        pull_numbers=frozenset({int(number)}),
    )


def _id_text(source: JsonObject) -> str:
    number = id_of(source)
    if number is None:
        raise MalformedError("id is missing")
    return str(number)


def _spam(found: Findings, source: JsonObject) -> Said | None:
    """Locked as spam or labelled `spam`; says nothing where the source shows no labels."""
    if "labels" not in source and "active_lock_reason" not in source:
        return None
    if (text_of(source, "active_lock_reason") or "").lower() == "spam":
        return found.said(True)
    labels = [label for label in list_of(source, "labels") if isinstance(label, dict)]
    return found.said(any((text_of(label, "name") or "").lower() == "spam" for label in labels))


def is_pull_request(source: JsonObject) -> bool:
    """Whether an issue object is a pull request's."""
    return bool(object_of(source, "pull_request"))
