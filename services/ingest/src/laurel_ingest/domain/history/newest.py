"""The newest pages of a repository's REST lists: their ETags, and whose are asked for.

GitHub binds an ETag to the token that it was given to. While that lives, asking with one costs
nothing of the rate limit, and 304 proves that the page is as it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

REQUESTS_A_RUN: Final = 40
"""What a run over a thousand repositories may cost where nothing has changed, probes included."""

_ROOM_AT_LEAST: Final = 10
_LONGEST_ETAG: Final = 200


class NewestList(StrEnum):
    """Lists of a repository, by the names of their columns in `repository_sync_state`.

    `reviews` are the comments of reviews: GitHub lists reviews themselves by the pull request only.
    """

    COMMITS = "commits"
    PULLS = "pulls"
    ISSUES = "issues"
    COMMENTS = "comments"
    REVIEWS = "reviews"


class Told(StrEnum):
    """What became of asking for a page: as it was, another one, or no answer."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Etags:
    """What GitHub called the newest pages; `given_to` is the mark of the token that asked."""

    given_to: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Glance:
    """The newest pages at one moment. `differing`: those that are not proven to be what they were.

    A list that GitHub did not answer differs from nothing, and keeps the ETag that it had.
    """

    etags: Etags
    differing: frozenset[str]

    @property
    def things_differ(self) -> bool:
        """Whether pull requests, issues or what hangs on them may be others than those known."""
        return bool(self.differing - {NewestList.COMMITS})

    @property
    def commits_differ(self) -> bool:
        """Whether the newest commits, or whose they are, may be others than those known."""
        return NewestList.COMMITS in self.differing

    def to_json(self) -> dict[str, Any]:
        """As it is kept while a repository is read."""
        return {
            "given_to": self.etags.given_to,
            "tags": dict(self.etags.tags),
            "differing": sorted(self.differing),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Glance":
        """What `to_json` made."""
        return cls(Etags(kept["given_to"], kept["tags"]), frozenset(kept["differing"]))


def mark_of(token: str) -> str:
    """Tells tokens apart. A token is random, so nobody finds it by its mark."""
    return sha256(b"newest pages\0" + token.encode()).hexdigest()[:32]


def usable(etag: str | None) -> str | None:
    """An ETag, weak or not, as it is kept and sent back; None where there is none worth it."""
    return etag if etag and len(etag) <= _LONGEST_ETAG else None


def watched(probes: int, held: Mapping[int, int], changed: Iterable[tuple[int, int]]) -> set[int]:
    """The repositories whose newest pages a run asks for; as many as there is room for.

    `probes`: requests that the run has cost already. `held`: when ETags were given that are still
    good, by repository: the youngest come first. `changed`: repositories that are read anyway, each
    with its newest update: of those the busiest, for the runs to come.
    """
    room = max(_ROOM_AT_LEAST, REQUESTS_A_RUN - probes) // len(NewestList)
    by_age = sorted(held, key=lambda each: (-held[each], each))
    by_update = [each for each, _ in sorted(changed, key=lambda each: (-each[1], each[0]))]
    return set(list(dict.fromkeys(by_age + by_update))[:room])
