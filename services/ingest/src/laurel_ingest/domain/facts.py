"""What sources say about the things of one repository, before anything is linked or counted.

Facts of one thing from several events, sources and batches merge into one, in any order. They
hold ids of people, never addresses; synthetic ids stay as they are until the linking step asks
who claims them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    TypeAlias,
    TypeVar,
    get_origin,
    get_type_hints,
)

from laurel_ingest.domain import registers
from laurel_ingest.domain.registers import Said

# A field's type and the rule by which two facts' fields become one.
Best: TypeAlias = Annotated[Said | None, registers.best]
Last: TypeAlias = Annotated[Said | None, registers.last]
Gone: TypeAlias = Annotated[Said | None, registers.gone]
Union: TypeAlias = Annotated[frozenset[int], registers.union]
Earliest: TypeAlias = Annotated[Mapping[str, int], registers.earliest]
EachBest: TypeAlias = Annotated[Mapping[str, Said], registers.each_best]
Either: TypeAlias = Annotated[bool, registers.either]
Highest: TypeAlias = Annotated[int, registers.highest]

NO_NUMBERS: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class RepositoryFact:
    """Which branch counts, and whether any does. One per repository; its identity is empty.

    `history_at`: when the last walk began that knows the whole default branch (epoch seconds):
    what was pushed before it and not met by it is not on the branch. `cloned_at`: when a clone was
    last imported, which may know of commits that a walk from before it can't have met.
    """

    kind: ClassVar[str] = "repository"
    repository_id: int
    identity: str = ""
    default_branch: Last = None
    is_fork: Last = None
    history_at: Last = None
    cloned_at: Last = None


@dataclass(frozen=True, slots=True)
class CommitFact:
    """A commit by its SHA.

    `authors`: [[user id, is bot], …], the author first, then co-authors. `pushes`: the first time
    that an event showed the commit on each branch; under no name, on what was the default branch
    then. `lines`: [additions, deletions]. `walked`: whether the last walk of the default branch
    that could meet it did; said as of its beginning. `is_lost`: whether a forced push has taken it
    off the default branch, or a later one put it back.
    """

    kind: ClassVar[str] = "commit"
    repository_id: int
    identity: str
    standing: Highest = 0
    authors: Best = None
    authored_at: Best = None
    is_merge: Best = None
    lines: Best = None
    title: Best = None
    on_default_branch: Either = False
    walked: Last = None
    is_lost: Last = None
    pushes: Earliest = field(default_factory=dict)
    pull_numbers: Union = NO_NUMBERS


@dataclass(frozen=True, slots=True)
class PullFact:
    """A pull request by its number.

    `author`, `merger`: [user id, is bot]. `opened_at` is set where a source announces the
    opening; a snapshot that an event about something else carries does not. `state`: "open", or
    ["closed", epoch seconds]. `closes`: issues that a closing keyword in the body names.
    `is_spam`: what sources say; `flagged`: what people decided by hand, which counts for more.
    """

    kind: ClassVar[str] = "pull_request"
    repository_id: int
    identity: str
    standing: Highest = 0
    author: Best = None
    merger: Best = None
    opened_at: Best = None
    created_at: Best = None
    merged_at: Best = None
    state: Last = None
    merge_commit_sha: Best = None
    title: Last = None
    is_spam: Last = None
    flagged: Last = None
    closes: Union = NO_NUMBERS
    is_deleted: Gone = None


@dataclass(frozen=True, slots=True)
class IssueFact:
    """An issue by its number.

    `state`: "open", or ["closed", epoch seconds, closer or null]. `closers`: who closed it at which
    time, by those who know: a source that tells the last state may only see that somebody is gone.
    """

    kind: ClassVar[str] = "issue"
    repository_id: int
    identity: str
    standing: Highest = 0
    author: Best = None
    opened_at: Best = None
    created_at: Best = None
    state: Last = None
    title: Last = None
    is_spam: Last = None
    flagged: Last = None
    closers: EachBest = field(default_factory=dict)
    closed_by_pull: Either = False
    is_deleted: Gone = None


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """A review by its id. `state` is the one that it was submitted with, in lower case."""

    kind: ClassVar[str] = "review"
    repository_id: int
    identity: str
    standing: Highest = 0
    author: Best = None
    submitted_at: Best = None
    state: Best = None
    pull_numbers: Union = NO_NUMBERS
    flagged: Last = None
    is_deleted: Gone = None


@dataclass(frozen=True, slots=True)
class CommentFact:
    """A comment on an issue or pull request by its id. `number`: where it stands."""

    kind: ClassVar[str] = "comment"
    repository_id: int
    identity: str
    standing: Highest = 0
    author: Best = None
    created_at: Best = None
    number: Best = None
    is_spam: Last = None
    flagged: Last = None
    is_deleted: Gone = None


@dataclass(frozen=True, slots=True)
class ReviewCommentFact:
    """A comment on a line of a pull request by its id."""

    kind: ClassVar[str] = "review_comment"
    repository_id: int
    identity: str
    standing: Highest = 0
    author: Best = None
    created_at: Best = None
    pull_numbers: Union = NO_NUMBERS
    is_spam: Last = None
    flagged: Last = None
    is_deleted: Gone = None


ThingFact: TypeAlias = PullFact | IssueFact | ReviewFact | CommentFact | ReviewCommentFact
"""What people can flag as spam."""

Fact: TypeAlias = (
    RepositoryFact
    | CommitFact
    | PullFact
    | IssueFact
    | ReviewFact
    | CommentFact
    | ReviewCommentFact
)
FactKey: TypeAlias = tuple[int, str, str]
"""Repository id, kind, identity."""

F = TypeVar("F", bound=Fact)

FACT_TYPES: Final[Mapping[str, type[Fact]]] = {
    fact_type.kind: fact_type
    for fact_type in (
        RepositoryFact,
        CommitFact,
        PullFact,
        IssueFact,
        ReviewFact,
        CommentFact,
        ReviewCommentFact,
    )
}


_RULES: Final = {
    kind: tuple(
        (name, hint.__metadata__[0])
        for name, hint in get_type_hints(fact_type, include_extras=True).items()
        if get_origin(hint) is Annotated
    )
    for kind, fact_type in FACT_TYPES.items()
}


def _plain_each(said: Mapping[str, Said]) -> dict[str, Any]:
    return {name: list(each) for name, each in said.items()}


_PLAIN: Final[Mapping[Any, Callable[[Any], Any]]] = {
    registers.best: list,
    registers.last: list,
    registers.gone: list,
    registers.union: sorted,
    registers.earliest: dict,
    registers.each_best: _plain_each,
}
_PARTS: Final = {
    kind: tuple((name, _PLAIN.get(rule)) for name, rule in rules) for kind, rules in _RULES.items()
}


def key_of(fact: Fact) -> FactKey:
    """Which thing a fact is about."""
    return fact.repository_id, fact.kind, fact.identity


def merge(one: F, other: F) -> F:
    """One fact of two about the same thing; in any order, any number of times."""
    merged = {
        name: rule(getattr(one, name), getattr(other, name)) for name, rule in _RULES[one.kind]
    }
    return type(one)(repository_id=one.repository_id, identity=one.identity, **merged)


def says_more(known: Fact, told: Fact, as_of: int) -> bool:
    """Whether a fact changes what is known of its thing.

    That something is still so as of `as_of`, when it was looked at, is nothing new.
    """
    merged = merge(known, told)
    for name, _ in _RULES[known.kind]:
        before, after = getattr(known, name), getattr(merged, name)
        if isinstance(before, Said) and after.at == as_of:
            after = after._replace(at=before.at)
        if before != after:
            return True
    return False


def to_json(fact: Fact) -> dict[str, Any]:
    """What a fact says, as plain JSON without what it leaves open."""
    said: dict[str, Any] = {}
    for name, plain in _PARTS[fact.kind]:
        value = getattr(fact, name)
        if value:
            said[name] = plain(value) if plain is not None else value
    return said


def from_json(key: FactKey, said: Mapping[str, Any]) -> Fact:
    """The fact that `to_json` wrote."""
    repository_id, kind, identity = key
    fact_type = FACT_TYPES[kind]
    values = {name: _value(rule, said[name]) for name, rule in _RULES[kind] if name in said}
    return fact_type(repository_id=repository_id, identity=identity, **values)


_SAYINGS: Final = (registers.best, registers.last, registers.gone)


def _value(rule: Any, written: Any) -> Any:
    if rule in _SAYINGS:
        return Said(*written)
    if rule is registers.each_best:
        return {name: Said(*each) for name, each in written.items()}
    return frozenset(written) if rule is registers.union else written
