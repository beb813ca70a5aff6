"""Why a line, an event or a signal was not counted, by name."""

from enum import StrEnum


class Skip(StrEnum):
    """A reason for which input yields no signal; counted under its value."""

    MALFORMED_JSON = "malformed_json"
    MALFORMED_EVENT = "malformed_event"
    BEFORE_2015 = "before_2015"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    UNCOUNTED_EVENT_TYPE = "uncounted_event_type"
    UNCOUNTED_ACTION = "uncounted_action"
    OTHER_OWNER = "other_owner"
    NO_REPOSITORY_ID = "no_repository_id"
    NO_AUTHOR = "no_author"
    MERGE_COMMIT = "merge_commit"
    NOT_DEFAULT_BRANCH = "not_default_branch"
    NOT_A_BRANCH = "not_a_branch"
    BRANCH_DELETED = "branch_deleted"
    REPOSITORY_IS_FORK = "repository_is_fork"
    PENDING_REVIEW = "pending_review"
    TIME_OUT_OF_RANGE = "time_out_of_range"


class Truncation(StrEnum):
    """A source that holds less than what happened; counted under its value."""

    PUSH_TRUNCATED = "push_truncated"
    PUSH_WITHOUT_COMMITS = "push_without_commits"
    PULL_REQUEST_WITHOUT_AUTHOR = "pull_request_without_author"
    ACTOR_WITHOUT_ID = "actor_without_id"
    HISTORY_REWRITTEN = "history_rewritten"


class MalformedError(ValueError):
    """Input that is not what it says it is; the message names what is wrong, never its content."""


class SkippedError(Exception):
    """Input that is what it says it is and that no signal comes of."""

    def __init__(self, reason: Skip) -> None:
        super().__init__(reason.value)
        self.reason = reason
