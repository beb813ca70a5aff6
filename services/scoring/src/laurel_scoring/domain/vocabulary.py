"""The words of scoring, numbered in the order of the database's enums.

The numbers are what the column arrays hold; signals at one instant sort by them.
"""

from enum import IntEnum, IntFlag

ONE = 10_000
"""One point, or the factor 1, in the unit of all arithmetic: ten-thousandths."""


class SignalType(IntEnum):
    """What happened on GitHub."""

    COMMIT = 0
    PR_OPEN = 1
    PR_MERGE = 2
    PR_CLOSE_NO_MERGE = 3
    ISSUE_OPEN = 4
    ISSUE_CLOSE = 5
    REVIEW = 6
    REVIEW_COMMENT = 7
    COMMENT = 8
    SPAM = 9


class ReviewState(IntEnum):
    """The state that a review was submitted with; NONE where it has none that weighs."""

    NONE = 0
    APPROVED = 1
    CHANGES_REQUESTED = 2
    COMMENTED = 3


class SignalFlag(IntFlag):
    """What a signal's metadata says about it; a missing flag is false."""

    IS_BOT = 1
    IS_SELF_REVIEW = 2
    IS_SELF_MERGE = 4
    IS_IN_MERGED_PR = 8
    HAS_LINKED_ISSUE = 16
    HAS_LINKED_PR = 32


class MultiplierKind(IntEnum):
    """The multipliers, numbered in the order in which they apply."""

    FIRST_ACTIVITY = 0
    MERGED_PR_COMMIT = 1
    PR_LINKED_TO_ISSUE = 2


class ZeroPointKind(IntEnum):
    """The conditions under which a signal earns nothing."""

    SELF_REVIEW = 0
    SELF_MERGE = 1
    BOT_ACTIVITY = 2
    ISSUE_CLOSED_NO_PR = 3
    PR_CLOSED_NO_MERGE = 4


class Outcome(IntEnum):
    """What became of a signal: EARNED, or the reason why it earned nothing."""

    EARNED = 0
    PENALTY_ONLY = 1
    SELF_REVIEW = 2
    SELF_MERGE = 3
    ISSUE_CLOSED_NO_PR = 4
    PR_CLOSED_NO_MERGE = 5
    NO_BASE_POINTS = 6
    DAILY_QUOTA = 7


class Category(IntEnum):
    """The parts of a score; a breakdown's columns in this order."""

    COMMITS = 0
    PULL_REQUESTS = 1
    REVIEWS = 2
    ISSUES = 3
    COMMENTS = 4
    PENALTIES = 5


class ScopeType(IntEnum):
    """What a board covers."""

    ORGANIZATION = 0
    TEAM = 1
    REPOSITORY = 2


class EntityType(IntEnum):
    """What a board ranks."""

    CONTRIBUTOR = 0
    TEAM = 1
    REPOSITORY = 2


class TimePeriod(IntEnum):
    """The window of a board, relative to its as_of."""

    TODAY = 0
    WEEK = 1
    MONTH = 2
    QUARTER = 3
    HALF_YEAR = 4
    ALL_TIME = 5


CATEGORY_OF = {
    SignalType.COMMIT: Category.COMMITS,
    SignalType.PR_OPEN: Category.PULL_REQUESTS,
    SignalType.PR_MERGE: Category.PULL_REQUESTS,
    SignalType.PR_CLOSE_NO_MERGE: Category.PULL_REQUESTS,
    SignalType.ISSUE_OPEN: Category.ISSUES,
    SignalType.ISSUE_CLOSE: Category.ISSUES,
    SignalType.REVIEW: Category.REVIEWS,
    SignalType.REVIEW_COMMENT: Category.REVIEWS,
    SignalType.COMMENT: Category.COMMENTS,
    SignalType.SPAM: Category.PENALTIES,
}
"""The part of the score that a type's points go to; spam earns none."""

ENTITIES_OF = {
    ScopeType.ORGANIZATION: (EntityType.CONTRIBUTOR, EntityType.TEAM, EntityType.REPOSITORY),
    ScopeType.TEAM: (EntityType.CONTRIBUTOR, EntityType.REPOSITORY),
    ScopeType.REPOSITORY: (EntityType.CONTRIBUTOR, EntityType.TEAM),
}
"""The kinds of entity that a scope has boards of."""
