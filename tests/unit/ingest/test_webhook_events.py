"""What single webhooks say, quirk by quirk."""

from typing import Any

import pytest

from laurel_ingest.domain import webhook_events
from laurel_ingest.domain.facts import RepositoryFact
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.registers import Standing
from laurel_ingest.domain.signals import Flag
from tests.support.ingest_builders import ALICE, BOB, ROBOT, issue, pull, sha
from tests.support.ingest_webhook_outcomes import Hook, brief, outcome
from tests.support.ingest_webhooks import (
    RECEIVED_AT,
    hook_push,
    payload,
    read,
    repository,
)

FIRST, SECOND = "2021-05-03T10:00:00Z", "2021-05-03T11:00:00Z"


def on_pull(action: str, at: str = FIRST, **changes: Any) -> Hook:
    return "pull_request", payload(action=action, pull_request=pull(updated_at=at, **changes))


def on_issue(action: str, at: str = FIRST, **changes: Any) -> Hook:
    return "issues", payload(action=action, issue=issue(updated_at=at, **changes))


def on_comment(action: str, **changes: Any) -> Hook:
    comment = {"id": 5, "user": BOB, "created_at": FIRST, "updated_at": FIRST}
    return "issue_comment", payload(action=action, comment=comment, issue=issue(**changes))


def on_review(action: str, state: str, at: str | None = FIRST, **changes: Any) -> Hook:
    review = {"id": 8, "user": ALICE, "state": state, "submitted_at": at, **changes}
    return "pull_request_review", payload(action=action, review=review, pull_request=pull())


def on_line(action: str) -> Hook:
    comment = {"id": 6, "user": BOB, "created_at": FIRST, "updated_at": FIRST}
    source = payload(action=action, comment=comment, pull_request=pull())
    return "pull_request_review_comment", source


SPAM = [{"name": "SPAM"}]
CLOSED = {"closed_at": SECOND, "state": "closed"}
MERGED = {**CLOSED, "merged": True, "merged_at": SECOND, "merge_commit_sha": sha(9)}
OPENED = ("pr_open", "1", 2, 0)
SELF_REVIEW, SELF_MERGE, BOT = Flag.IS_SELF_REVIEW, Flag.IS_SELF_MERGE, Flag.IS_BOT


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        pytest.param([on_pull("opened")], [OPENED], id="opened"),
        pytest.param(
            [on_pull("closed", SECOND, **MERGED, merged_by=ALICE)],
            [("pr_merge", "1", 2, 0)],
            id="merged by another: the author's",
        ),
        pytest.param(
            [on_pull("closed", SECOND, **MERGED, merged_by=BOB)],
            [("pr_merge", "1", 2, SELF_MERGE)],
            id="merged by the author",
        ),
        pytest.param(
            [on_pull("closed", **CLOSED)], [("pr_close_no_merge", "1", 2, 0)], id="closed"
        ),
        pytest.param(
            [on_pull("closed", FIRST, **CLOSED), on_pull("reopened", SECOND)], [], id="reopened"
        ),
        pytest.param(
            [on_pull("reopened", SECOND), on_pull("closed", FIRST, **CLOSED)],
            [],
            id="reopened, told before the close",
        ),
        pytest.param(
            [on_pull("closed", FIRST, **CLOSED), on_pull("closed", SECOND, **MERGED)],
            [("pr_merge", "1", 2, 0)],
            id="merged after it was closed",
        ),
        pytest.param(
            [on_pull("labeled", labels=SPAM)], [("spam", "pull_request:1", 2, 0)], id="labelled"
        ),
        pytest.param(
            [on_pull("labeled", labels=SPAM), on_pull("unlabeled", SECOND, labels=[])],
            [],
            id="unlabelled",
        ),
        pytest.param(
            [on_issue("locked", active_lock_reason="spam", locked=True)],
            [("spam", "issue:7", 2, 0)],
            id="locked as spam",
        ),
        pytest.param(
            [on_issue("locked", active_lock_reason="off-topic")], [], id="locked as off-topic"
        ),
        pytest.param(
            [
                on_issue("locked", active_lock_reason="spam"),
                on_issue("unlocked", SECOND, active_lock_reason=None),
            ],
            [],
            id="unlocked",
        ),
        pytest.param(
            [on_issue("opened"), on_issue("closed", SECOND, **CLOSED)],
            [("issue_open", "7", 2, 0), ("issue_close", "7", 1, 0)],
            id="an issue: its author's, then whoever's closed it",
        ),
        pytest.param(
            [on_issue("opened"), on_issue("deleted", SECOND)], [], id="an issue that was deleted"
        ),
        pytest.param(
            [on_issue("opened"), on_issue("transferred", SECOND)], [], id="an issue that went away"
        ),
        pytest.param([on_comment("created")], [("comment", "5", 2, 0)], id="a comment"),
        pytest.param([on_comment("created"), on_comment("deleted")], [], id="a deleted comment"),
        pytest.param([on_line("created")], [("review_comment", "6", 2, SELF_REVIEW)], id="a line"),
        pytest.param([on_line("created"), on_line("deleted")], [], id="a line, deleted"),
        pytest.param([on_review("submitted", "approved")], [("review", "8", 1, 0)], id="a review"),
        pytest.param([on_review("submitted", "PENDING", None)], [], id="a pending review"),
        pytest.param(
            [on_review("submitted", "APPROVED", user=ROBOT)],
            [("review", "8", 3, BOT)],
            id="a bot's review, in capitals",
        ),
        pytest.param(
            [on_review("submitted", "approved", user=None)],
            [("review", "8", 10137, 0)],
            id="a deleted user's",
        ),
    ],
)
def test_things_come_to_the_signals_that_the_archive_gives(
    hooks: list[Hook], expected: list[tuple[str, str, int, int]]
) -> None:
    signals, _ = outcome(*hooks)
    assert brief(signals) == [(*rest, int(flags)) for *rest, flags in expected]
    assert {each.standing for each in signals} <= {Standing.WEBHOOK}


def test_a_dismissed_review_keeps_the_state_that_it_was_submitted_with() -> None:
    submitted, dismissed = on_review("submitted", "approved"), on_review("dismissed", "dismissed")
    for hooks in ((submitted, dismissed), (dismissed, submitted)):
        assert [each.review_state for each in outcome(*hooks)[0]] == [1]
    assert [each.review_state for each in outcome(dismissed)[0]] == [3]


def test_what_the_repository_is_like_is_told_by_every_event() -> None:
    frame = read("issues", on_issue("opened")[1])
    facts = webhook_events.findings_of(frame).facts
    (fact,) = (each for each in facts if isinstance(each, RepositoryFact))
    assert (fact.default_branch, fact.is_fork) == ((2, frame.at, "main"), (2, frame.at, False))
    assert frame.owner.account_id == 7_000


def test_nothing_is_said_to_be_newer_than_its_arrival() -> None:
    assert read("issues", on_issue("opened", "2030-01-01T00:00:00Z")[1]).at == RECEIVED_AT


@pytest.mark.parametrize(
    ("event_type", "source"),
    [
        pytest.param("push", [], id="a list"),
        pytest.param("push", {}, id="no repository"),
        pytest.param("push", hook_push(repository=repository(id="1")), id="a text for an id"),
        pytest.param("push", hook_push(repository=repository(full_name="x")), id="no owner"),
        pytest.param("push", hook_push({"message": "no id"}), id="a commit without a name"),
        pytest.param("push", hook_push() | {"commits": [1]}, id="a number for a commit"),
        pytest.param("issues", payload(action="opened"), id="no issue"),
        pytest.param("issues", payload(action=5, issue=issue()), id="a number for an action"),
    ],
)
def test_what_is_no_such_payload_is_malformed(event_type: str, source: Any) -> None:
    with pytest.raises(MalformedError):
        webhook_events.findings_of(read(event_type, source))
