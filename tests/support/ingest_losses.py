"""What can vanish from a repository without a trace that a probe would see.

Each takes something away, and answers how many signals that was.
"""

from tests.support.github.activity import Activity, Issue


def comment_of_an_issue(activity: Activity) -> int:
    activity.issues[1].comments.pop(0)
    return 1


def comment_of_a_pull_request(activity: Activity) -> int:
    activity.pulls[max(activity.pulls)].comments.pop()
    return 1


def comment_of_a_review(activity: Activity) -> int:
    activity.pulls[max(activity.pulls)].reviews[0].comments.pop()
    return 1


def review_with_its_comment(activity: Activity) -> int:
    activity.pulls[max(activity.pulls)].reviews.pop()
    return 2


def issue_in_exchange_for_another(activity: Activity) -> int:
    """As many, and of the same age: neither totals nor times tell."""
    gone = activity.issues.pop(max(activity.issues))
    for pull in activity.pulls.values():
        pull.body = ""
    activity.issues[90] = Issue(90, gone.author_id, gone.created_at, gone.updated_at)
    return (2 if gone.closed_at else 1) + len(gone.comments)


LOSSES = [
    comment_of_an_issue,
    comment_of_a_pull_request,
    comment_of_a_review,
    review_with_its_comment,
    issue_in_exchange_for_another,
]
