"""Signals: one credited thing that happened, in the typed columns that the database keeps.

| type | identity |
|---|---|
| commit | SHA |
| pr_open, pr_merge, pr_close_no_merge | pull request number |
| issue_open, issue_close | issue number |
| review | review id |
| review_comment, comment | comment id |
| spam | `kind:id` of the thing, kinds as in `facts.py` |
"""

from enum import IntEnum, IntFlag
from typing import NamedTuple


class SignalType(IntEnum):
    """The database's enum in its order, counted from 1."""

    COMMIT = 1
    PR_OPEN = 2
    PR_MERGE = 3
    PR_CLOSE_NO_MERGE = 4
    ISSUE_OPEN = 5
    ISSUE_CLOSE = 6
    REVIEW = 7
    REVIEW_COMMENT = 8
    COMMENT = 9
    SPAM = 10

    @property
    def label(self) -> str:
        """Its name in the database's enum and in content hashes."""
        return self.name.lower()


class Flag(IntFlag):
    """What rules read; the bits of the flags column on the wire."""

    IS_BOT = 1
    IS_SELF_REVIEW = 2
    IS_SELF_MERGE = 4
    IS_IN_MERGED_PR = 8
    HAS_LINKED_ISSUE = 16
    HAS_LINKED_PR = 32


OF_THE_PERSON = Flag.IS_BOT | Flag.IS_SELF_REVIEW | Flag.IS_SELF_MERGE
"""Flags that depend on who is credited."""


REVIEW_STATES = ("approved", "changes_requested", "commented")
"""The database's enum in its order; on the wire they count from 1, and 0 is none."""

VALUE_E4 = 10_000
MAX_VALUE_E4 = 10_000_000
MAX_LINES = 2**31 - 1


class Signal(NamedTuple):
    """A signal to be written. Times are epoch seconds, `review_state` counts from 1.

    A tuple, because many of them are made and turned into columns.
    """

    repository_id: int
    user_id: int
    type: SignalType
    identity: str
    event_time: int
    standing: int
    flags: int = 0
    review_state: int | None = None
    additions: int | None = None
    deletions: int | None = None
    number: int | None = None
    title: str | None = None
    object_id: str | None = None
