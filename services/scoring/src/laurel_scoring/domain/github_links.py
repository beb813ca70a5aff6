"""Addresses of things on GitHub, as far as a signal says which thing it is about."""

import re
from dataclasses import dataclass

from laurel_scoring.domain.vocabulary import SignalType

_SHA = re.compile(r"[0-9a-f]{7,64}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_FULL_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
# Of those below a pull request or an issue: the part of the page that an id stands for.
_FRAGMENTS = {
    SignalType.REVIEW: ("pull", "pullrequestreview-"),
    SignalType.REVIEW_COMMENT: ("pull", "discussion_r"),
    # GitHub leads on to the pull request where the number is one's.
    SignalType.COMMENT: ("issues", "issuecomment-"),
}
_PULLS = (SignalType.PR_OPEN, SignalType.PR_MERGE, SignalType.PR_CLOSE_NO_MERGE)


@dataclass(frozen=True)
class Reference:
    """What names the thing behind a signal: the issue's or pull request's number (0: none), a
    commit's SHA or the id of a review or comment (empty: none), a headline.
    """

    number: int = 0
    object_id: str = ""
    title: str = ""


NOTHING = Reference()


def html_url(web_url: str, full_name: str, kind: SignalType, thing: Reference) -> str:
    """The page of a signal's commit, pull request, issue, review or comment below `web_url`.

    Empty where what is known does not lead there: backends may write signals that say less.
    """
    path = _path(kind, thing)
    if not path or not _FULL_NAME.fullmatch(full_name):
        return ""
    return f"{web_url.rstrip('/')}/{full_name}/{path}"


def _path(kind: SignalType, thing: Reference) -> str:
    if kind is SignalType.COMMIT:
        return f"commit/{thing.object_id}" if _SHA.fullmatch(thing.object_id) else ""
    if thing.number <= 0:
        return ""
    if kind in _FRAGMENTS and _NUMBER.fullmatch(thing.object_id):
        place, part = _FRAGMENTS[kind]
        return f"{place}/{thing.number}#{part}{thing.object_id}"
    pulls = kind in _PULLS or kind in (SignalType.REVIEW, SignalType.REVIEW_COMMENT)
    return f"{'pull' if pulls else 'issues'}/{thing.number}"
