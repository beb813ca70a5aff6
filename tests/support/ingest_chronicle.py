"""What happens in one repository, step by step: the truth that four sources tell of.

Steps act on the simulated GitHub's own activity, so that its GraphQL shows the same things. Each
leaves what its webhooks say, what GH Archive says, and nothing where a source does not tell of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from tests.support.github.activity import Activity, Comment, Issue, Pull, Review, activity_of
from tests.support.github.world import Repository, World
from tests.support.ingest_shapes import Shapes

BEGINNING: Final = datetime(2025, 5, 30, 8, tzinfo=UTC)
PULL, ISSUE, REVIEW, LINE, COMMENT = 1, 7, 31, 41, 51
ALICE, BOB, DAVE, ROBOT = 1, 2, 4, 3
GHOST: Final = 10137
_COMMENT_SIGNALS: Final = (("comment", str(COMMENT)), ("spam", f"comment:{COMMENT}"))

# Author and co-author of commits: GitHub knows whose the second address is, nobody the third's.
ADDRESSES: Final[list[tuple[str, str, int | None]]] = [
    ("Alice", "1+alice@users.noreply.github.com", ALICE),
    ("Bob", "bob@corp.example", BOB),
    ("Mate", "mate@corp.example", None),
]


Key: TypeAlias = tuple[str, str]
"""A signal's type and identity."""


@dataclass(frozen=True)
class Stand:
    """A signal that stands: since which step, as of when, to whose credit."""

    step: int
    at: datetime
    people: tuple[int, ...]


@dataclass
class Step:
    """What happened at `at`: (event, payload) of webhooks, events of GH Archive."""

    name: str
    at: datetime
    webhooks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    archive: list[dict[str, Any]] = field(default_factory=list)


class Chronicle:
    """The life of one repository; a step that can't happen now is passed over."""

    def __init__(self, repository_id: int) -> None:
        self.world = World()
        self.owner = self.world.organization("acme", id=7_000)
        for user_id, login in ((ALICE, "alice"), (BOB, "bob")):
            self.world.user(login, id=user_id)
        self.world.user("robot[bot]", id=ROBOT, type="Bot")
        name = f"rocket{repository_id}"
        self.repository: Repository = self.world.repository(self.owner, name, id=repository_id)
        self.activity: Activity = activity_of(self.world, self.repository)
        self.shapes = Shapes(self.world, self.repository)
        self.steps: list[Step] = []
        self.lost: set[str] = set()
        self.deleted_issue = False
        self.stands: dict[Key, Stand] = {}
        self._now = BEGINNING

    def take(self, name: str) -> Step | None:
        """One step; None where it can't be taken."""
        self._now += timedelta(minutes=10)
        step = Step(name, self._now)
        action: Callable[[Step], bool] = getattr(self, f"_{name}")
        if not action(step):
            return None
        self.steps.append(step)
        return step

    def _counts(
        self, step: Step, kind: str, identity: object, *people: int, at: datetime | None = None
    ) -> None:
        """A signal stands from now on, told of by this step; an unknown person is 0."""
        self.stands[kind, str(identity)] = Stand(len(self.steps), at or step.at, people)

    def _counts_no_more(self, *keys: Key) -> None:
        for key in keys:
            self.stands.pop(key, None)

    @property
    def _pull(self) -> Pull | None:
        return self.activity.pulls.get(PULL)

    @property
    def _issue(self) -> Issue | None:
        return self.activity.issues.get(ISSUE)

    def _open_pull(self, step: Step) -> bool:
        if self._pull:
            return False
        self.activity.pulls[PULL] = Pull(PULL, BOB, step.at, step.at, body=f"Fixes #{ISSUE}")
        self._counts(step, "pr_open", PULL, BOB)
        return self._of_pull(step, "opened", BOB)

    def _close_pull(self, step: Step) -> bool:
        pull = self._pull
        if not pull or pull.closed_at:
            return False
        pull.closed_at = step.at
        self._counts(step, "pr_close_no_merge", PULL, BOB)
        return self._of_pull(step, "closed", ALICE)

    def _reopen_pull(self, step: Step) -> bool:
        pull = self._pull
        if not pull or not pull.closed_at or pull.merged_at:
            return False
        pull.closed_at = None
        self._counts_no_more(("pr_close_no_merge", str(PULL)))
        return self._of_pull(step, "reopened", BOB)

    def _merge_pull(self, step: Step) -> bool:
        pull = self._pull
        if not pull or pull.closed_at:
            return False
        made = self._commit(step, "squash", f"Mend it (#{PULL})")
        self.activity.commits[made].pulls = [PULL]
        pull.closed_at = pull.merged_at = step.at
        pull.merged_by, pull.merge_commit = ALICE, made
        self._counts(step, "pr_merge", PULL, BOB)
        return self._of_pull(step, "closed", ALICE)

    def _label_pull(self, step: Step) -> bool:
        pull = self._pull
        if not pull:
            return False
        if pull.labels:
            pull.labels = []
            self._counts_no_more(("spam", f"pull_request:{PULL}"))
            return self._of_pull(step, "unlabeled", ALICE)
        pull.labels = ["Spam"]
        self._counts(step, "spam", f"pull_request:{PULL}", BOB, at=pull.created_at)
        return self._of_pull(step, "labeled", ALICE)

    def _review(self, step: Step) -> bool:
        pull = self._pull
        if not pull or pull.reviews:
            return False
        line = Comment(LINE, ALICE, step.at)
        self._counts(step, "review", REVIEW, ALICE)
        self._counts(step, "review_comment", LINE, ALICE)
        pull.reviews = [Review(REVIEW, ALICE, "APPROVED", step.at, [line])]
        pull.updated_at = step.at
        told = self.shapes.review_event("submitted", pull, pull.reviews[0], ALICE)
        step.webhooks.append(("pull_request_review", told))
        step.archive.append(self.shapes.archived("PullRequestReviewEvent", told, step.at))
        told = self.shapes.line_event("created", pull, line, ALICE)
        step.webhooks.append(("pull_request_review_comment", told))
        step.archive.append(self.shapes.archived("PullRequestReviewCommentEvent", told, step.at))
        return True

    def _dismiss(self, step: Step) -> bool:
        pull = self._pull
        if not pull or not pull.reviews or pull.reviews[0].submitted_as:
            return False
        review = pull.reviews[0]
        review.state, review.submitted_as, pull.updated_at = "DISMISSED", "APPROVED", step.at
        told = self.shapes.review_event("dismissed", pull, review, BOB)
        step.webhooks.append(("pull_request_review", told))
        return True

    def _delete_line(self, step: Step) -> bool:
        pull = self._pull
        if not pull or not pull.reviews or not pull.reviews[0].comments:
            return False
        line = pull.reviews[0].comments.pop()
        self._counts_no_more(("review_comment", str(LINE)))
        told = self.shapes.line_event("deleted", pull, line, ALICE)
        step.webhooks.append(("pull_request_review_comment", told))
        return True

    def _open_issue(self, step: Step) -> bool:
        if self._issue or self.deleted_issue:
            return False
        self.activity.issues[ISSUE] = Issue(ISSUE, BOB, step.at, step.at)
        self._counts(step, "issue_open", ISSUE, BOB)
        return self._of_issue(step, "opened", BOB)

    def _close_issue(self, step: Step) -> bool:
        issue = self._issue
        if not issue or issue.closed_at:
            return False
        # Whoever closes it again is not there any more when GraphQL is asked.
        again = any(each.name == step.name for each in self.steps)
        closer = DAVE if again else ROBOT
        issue.closed_at, issue.closed_by = step.at, (closer, None)
        self._counts(step, "issue_close", ISSUE, closer)
        return self._of_issue(step, "closed", closer)

    def _reopen_issue(self, step: Step) -> bool:
        issue = self._issue
        if not issue or not issue.closed_at:
            return False
        issue.closed_at = issue.closed_by = None
        self._counts_no_more(("issue_close", str(ISSUE)))
        return self._of_issue(step, "reopened", BOB)

    def _delete_issue(self, step: Step) -> bool:
        issue = self._issue
        if not issue:
            return False
        del self.activity.issues[ISSUE]
        self.deleted_issue = True
        issue_signals = (("issue_open", str(ISSUE)), ("issue_close", str(ISSUE)))
        self._counts_no_more(*issue_signals, *_COMMENT_SIGNALS)
        # A deletion is no update of what is deleted.
        step.webhooks.append(("issues", self.shapes.issue_event("deleted", issue, ALICE)))
        return True

    def _comment(self, step: Step) -> bool:
        issue = self._issue
        if not issue or any(step.name == "comment" for step in self.steps):
            return False
        # Dave is not there any more when GraphQL is asked.
        comment = Comment(COMMENT, DAVE, step.at)
        self._counts(step, "comment", COMMENT, DAVE)
        issue.comments, issue.updated_at = [comment], step.at
        return self._of_comment(step, "created", issue, comment, DAVE)

    def _minimize(self, step: Step) -> bool:
        issue = self._issue
        if not issue or not issue.comments:
            return False
        comment = issue.comments[0]
        comment.minimized_as = None if comment.minimized_as else "spam"
        if comment.minimized_as:
            self._counts(step, "spam", f"comment:{COMMENT}", DAVE, at=comment.created_at)
        else:
            self._counts_no_more(("spam", f"comment:{COMMENT}"))
        return True

    def _delete_comment(self, step: Step) -> bool:
        issue = self._issue
        if not issue or not issue.comments:
            return False
        comment = issue.comments.pop()
        self._counts_no_more(*_COMMENT_SIGNALS)
        told = self.shapes.comment_event("deleted", issue, comment, ALICE)
        step.webhooks.append(("issue_comment", told))
        return True

    def _push(self, step: Step) -> bool:
        self._commit(step, f"push {len(self.activity.commits)}", "Work")
        return True

    def _force_push(self, step: Step) -> bool:
        head = self.activity.head
        if head is None or head == self._merge_commit():
            return False
        parents = self.activity.commits[head].parents
        self.activity.head = parents[0] if parents else None
        self.lost.add(head)
        self._counts_no_more(("commit", head))
        self._commit(step, f"instead {len(self.activity.commits)}", "Work", before=head)
        return True

    def _merge_commit(self) -> str | None:
        return self._pull.merge_commit if self._pull else None

    def _commit(self, step: Step, name: str, message: str, before: str | None = None) -> str:
        made = self.activity.commit(
            f"{self.repository.id} {name}",
            step.at - timedelta(minutes=3),
            authors=ADDRESSES[len(self.activity.commits) % 2 :],
            message=message,
            additions=7,
            deletions=2,
        )
        people = [person or 0 for _, _, person in made.authors]
        self._counts(step, "commit", made.oid, *people, at=made.authored_at)
        told = self.shapes.push_event(made, step.at, before)
        step.webhooks.append(("push", told))
        step.archive.append(self.shapes.archived_push(made, step.at))
        return made.oid

    def _of_pull(self, step: Step, action: str, actor: int) -> bool:
        pull = self.activity.pulls[PULL]
        pull.updated_at = step.at
        told = self.shapes.pull_event(action, pull, actor)
        step.webhooks.append(("pull_request", told))
        step.archive.append(self.shapes.archived("PullRequestEvent", told, step.at))
        return True

    def _of_issue(self, step: Step, action: str, actor: int) -> bool:
        issue = self.activity.issues[ISSUE]
        issue.updated_at = step.at
        told = self.shapes.issue_event(action, issue, actor)
        step.webhooks.append(("issues", told))
        step.archive.append(self.shapes.archived("IssuesEvent", told, step.at))
        return True

    def _of_comment(
        self, step: Step, action: str, issue: Issue, comment: Comment, actor: int
    ) -> bool:
        told = self.shapes.comment_event(action, issue, comment, actor)
        step.webhooks.append(("issue_comment", told))
        step.archive.append(self.shapes.archived("IssueCommentEvent", told, step.at))
        return True


STEPS: Final = (
    *("open_pull", "close_pull", "reopen_pull", "merge_pull", "label_pull", "review", "dismiss"),
    *("delete_line", "open_issue", "close_issue", "reopen_issue", "delete_issue", "comment"),
    *("minimize", "delete_comment", "push", "force_push"),
)
