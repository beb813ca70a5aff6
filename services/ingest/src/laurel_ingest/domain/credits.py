"""What each kind of fact is worth: its signals, or the reason why there are none."""

from typing import Any, Final

from laurel_ingest.domain.facts import (
    CommentFact,
    CommitFact,
    Fact,
    IssueFact,
    PullFact,
    ReviewCommentFact,
    ReviewFact,
    ThingFact,
)
from laurel_ingest.domain.identities import GHOST_ID
from laurel_ingest.domain.linking import (
    Claims,
    RepositoryFacts,
    is_fork,
    is_on_default_branch,
    places_of,
    pushed_to_default,
    resolved,
)
from laurel_ingest.domain.refusals import Skip
from laurel_ingest.domain.registers import Said
from laurel_ingest.domain.signals import MAX_LINES, REVIEW_STATES, Flag, Signal, SignalType

# Plain numbers: an IntFlag's own operators would take as long as everything else about a signal.
_IS_BOT: Final = int(Flag.IS_BOT)
_IS_SELF_REVIEW: Final = int(Flag.IS_SELF_REVIEW)
_IS_SELF_MERGE: Final = int(Flag.IS_SELF_MERGE)
_IS_IN_MERGED_PR: Final = int(Flag.IS_IN_MERGED_PR)
_HAS_LINKED_ISSUE: Final = int(Flag.HAS_LINKED_ISSUE)
_HAS_LINKED_PR: Final = int(Flag.HAS_LINKED_PR)

_TYPES_OF_KIND: dict[str, tuple[SignalType, ...]] = {
    CommitFact.kind: (SignalType.COMMIT,),
    PullFact.kind: (SignalType.PR_OPEN, SignalType.PR_MERGE, SignalType.PR_CLOSE_NO_MERGE),
    IssueFact.kind: (SignalType.ISSUE_OPEN, SignalType.ISSUE_CLOSE),
    ReviewFact.kind: (SignalType.REVIEW,),
    ReviewCommentFact.kind: (SignalType.REVIEW_COMMENT,),
    CommentFact.kind: (SignalType.COMMENT,),
}
_CAN_BE_SPAM = (PullFact, IssueFact, ReviewFact, CommentFact, ReviewCommentFact)


def possible_signals(fact: Fact) -> list[tuple[SignalType, str]]:
    """(type, identity) of every signal that a fact could stand behind, whether it does or not."""
    possible = [(kind, fact.identity) for kind in _TYPES_OF_KIND.get(fact.kind, ())]
    if isinstance(fact, _CAN_BE_SPAM):
        possible.append((SignalType.SPAM, f"{fact.kind}:{fact.identity}"))
    return possible


def event_times(fact: Fact) -> list[int]:
    """Every time (epoch seconds) that a signal of this fact could carry."""
    match fact:
        case CommitFact():
            said, times = [fact.authored_at], list(fact.pushes.values())
        case PullFact() | IssueFact():
            closed = _closed(fact.state)
            times = [closed[0]] if closed else []
            merged = fact.merged_at if isinstance(fact, PullFact) else None
            said = [fact.opened_at, merged, fact.created_at if is_spam(fact) else None]
        case ReviewFact():
            said, times = [fact.submitted_at], []
        case CommentFact() | ReviewCommentFact():
            said, times = [fact.created_at], []
        case _:
            return []
    return times + [each.value for each in said if each]


def signals_of(fact: Fact, known: RepositoryFacts, claims: Claims) -> list[Signal] | Skip:
    """The signals that a fact stands behind among the facts of its repository.

    An empty list where nothing has happened yet; a Skip where something has that does not count.
    """
    match fact:
        case CommitFact():
            return _commit(fact, known, claims)
        case PullFact():
            return _pull_request(fact, claims)
        case IssueFact():
            return _issue(fact, known, claims)
        case ReviewFact() | ReviewCommentFact():
            return _on_pull_request(fact, known, claims)
        case CommentFact():
            return _comment(fact, known, claims)
        case _:
            return []


def _commit(commit: CommitFact, known: RepositoryFacts, claims: Claims) -> list[Signal] | Skip:
    pushed = pushed_to_default(commit, known.repository)
    if commit.is_merge and commit.is_merge.value:
        return Skip.MERGE_COMMIT
    if is_fork(known.repository):
        return Skip.REPOSITORY_IS_FORK
    if not is_on_default_branch(commit, known.repository):
        return Skip.NOT_DEFAULT_BRANCH
    event_time = commit.authored_at.value if commit.authored_at else pushed
    if commit.authors is None or event_time is None:
        return Skip.NO_AUTHOR
    authors: dict[int, bool] = {}
    for user_id, bot in commit.authors.value:
        authors.setdefault(claims.get(user_id, user_id), bot)
    additions, deletions = commit.lines.value if commit.lines else (None, None)
    flags = 0
    if commit.pull_numbers or commit.identity in known.merged_as:
        flags |= _IS_IN_MERGED_PR
    if any(pull.closes for pull in known.pulls_of(commit)):
        flags |= _HAS_LINKED_ISSUE
    return [
        Signal(
            commit.repository_id,
            user_id,
            SignalType.COMMIT,
            commit.identity,
            event_time,
            commit.standing,
            flags | _bot(bot),
            additions=_share(additions, place, len(authors)),
            deletions=_share(deletions, place, len(authors)),
            number=min(commit.pull_numbers, default=None),
            title=_value(commit.title),
            object_id=commit.identity,
        )
        for place, (user_id, bot) in enumerate(authors.items())
    ]


def _share(lines: int | None, place: int, count: int) -> int | None:
    """The part of some lines that one of several authors is credited with."""
    if lines is None:
        return None
    share, remainder = divmod(min(lines, MAX_LINES), count)
    return share + remainder if place == 0 else share


def _pull_request(pull: PullFact, claims: Claims) -> list[Signal] | Skip:
    happened: list[tuple[SignalType, str, int, int]] = []
    if _value(pull.is_deleted):
        return []
    author = resolved(pull.author, claims)
    linked = _HAS_LINKED_ISSUE if pull.closes else 0
    if pull.opened_at:
        happened.append((SignalType.PR_OPEN, pull.identity, pull.opened_at.value, linked))
    if pull.merged_at:
        merger = resolved(pull.merger, claims)
        if author and merger and author[0] == merger[0]:
            linked |= _IS_SELF_MERGE
        happened.append((SignalType.PR_MERGE, pull.identity, pull.merged_at.value, linked))
    elif closed := _closed(pull.state):
        happened.append((SignalType.PR_CLOSE_NO_MERGE, pull.identity, closed[0], linked))
    happened += _spam(pull, pull.created_at or pull.opened_at)
    return _credited(pull, author, happened)


def _issue(issue: IssueFact, known: RepositoryFacts, claims: Claims) -> list[Signal] | Skip:
    if _value(issue.is_deleted):
        return []
    number = int(issue.identity)
    happened: list[tuple[SignalType, str, int, int]] = []
    if issue.opened_at:
        happened.append((SignalType.ISSUE_OPEN, issue.identity, issue.opened_at.value, 0))
    happened += _spam(issue, issue.created_at or issue.opened_at)
    signals = _credited(issue, resolved(issue.author, claims), happened)
    closed = _closed(issue.state)
    if closed is None:
        return signals
    at, closer = closed
    named = issue.closers.get(str(at))
    if named is not None and (closer is None or closer[0] == GHOST_ID):
        closer = named.value
    linked = issue.closed_by_pull or number in known.closed_by
    close = _credited(
        issue,
        (claims.get(closer[0], closer[0]), closer[1]) if closer else None,
        [(SignalType.ISSUE_CLOSE, issue.identity, at, _HAS_LINKED_PR if linked else 0)],
    )
    if isinstance(close, Skip) or isinstance(signals, Skip):
        return signals if isinstance(close, Skip) else close
    return signals + close


def _on_pull_request(
    fact: ReviewFact | ReviewCommentFact, known: RepositoryFacts, claims: Claims
) -> list[Signal] | Skip:
    if _value(fact.is_deleted):
        return []
    author = resolved(fact.author, claims)
    pulls = [known.pulls[number] for number in fact.pull_numbers if number in known.pulls]
    if pulls and all(_value(pull.is_deleted) for pull in pulls):
        return []
    authors = {credit[0] for pull in pulls if (credit := resolved(pull.author, claims))}
    own = _IS_SELF_REVIEW if author and author[0] in authors else 0
    number = min(fact.pull_numbers, default=None)
    if isinstance(fact, ReviewFact):
        at = fact.submitted_at.value if fact.submitted_at else None
        state = REVIEW_STATES.index(fact.state.value) + 1 if fact.state else None
        happened = [(SignalType.REVIEW, fact.identity, at, own)] if at is not None else []
        happened += _spam(fact, fact.submitted_at)
        return _credited(fact, author, happened, number=number, review_state=state)
    happened = _spam(fact, fact.created_at)
    if fact.created_at:
        happened.append((SignalType.REVIEW_COMMENT, fact.identity, fact.created_at.value, own))
    return _credited(fact, author, happened, number=number)


def _comment(comment: CommentFact, known: RepositoryFacts, claims: Claims) -> list[Signal] | Skip:
    if _value(comment.is_deleted) or any(
        isinstance(thing := known.facts.get(key), IssueFact | PullFact) and _value(thing.is_deleted)
        for key in places_of(comment)
    ):
        return []
    happened = _spam(comment, comment.created_at)
    if comment.created_at:
        at = comment.created_at.value
        happened.append((SignalType.COMMENT, comment.identity, at, 0))
    return _credited(
        comment, resolved(comment.author, claims), happened, number=_value(comment.number)
    )


def _credited(
    fact: PullFact | IssueFact | ReviewFact | ReviewCommentFact | CommentFact,
    author: tuple[int, bool] | None,
    happened: list[tuple[SignalType, str, int, int]],
    *,
    number: int | None = None,
    review_state: int | None = None,
) -> list[Signal] | Skip:
    """One signal for each thing that happened, all to one person."""
    if not happened:
        return []
    if author is None:
        return Skip.NO_AUTHOR
    numbered = isinstance(fact, PullFact | IssueFact)
    return [
        Signal(
            fact.repository_id,
            author[0],
            signal_type,
            identity,
            at,
            fact.standing,
            flags | _bot(author[1]),
            review_state,
            number=int(fact.identity) if numbered else number,
            title=_value(fact.title) if isinstance(fact, PullFact | IssueFact) else None,
            object_id=None if numbered else fact.identity,
        )
        for signal_type, identity, at, flags in happened
    ]


def is_spam(fact: ThingFact) -> bool:
    """Whether a thing is spam: by hand, else by what its sources say."""
    if fact.flagged is not None:
        return bool(fact.flagged.value)
    return not isinstance(fact, ReviewFact) and bool(_value(fact.is_spam))


def _spam(fact: ThingFact, created_at: Said | None) -> list[tuple[SignalType, str, int, int]]:
    if created_at is None or not is_spam(fact):
        return []
    return [(SignalType.SPAM, f"{fact.kind}:{fact.identity}", created_at.value, 0)]


def _closed(state: Said | None) -> list[Any] | None:
    """[when, closer …] of a thing whose last state is closed."""
    return state.value[1:] if state and state.value[0] == "closed" else None


def _bot(is_bot: bool) -> int:
    return _IS_BOT if is_bot else 0


def _value(said: Said | None) -> Any:
    return said.value if said else None
