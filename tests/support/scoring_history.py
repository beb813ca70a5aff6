"""A small installation's history that every rule bites on, with what it names on GitHub."""

from datetime import timedelta

from laurel_scoring.domain.roster import Roster, Team
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, a_signal

ROSTER = Roster(77, frozenset({10, 11}), (Team(100, frozenset({1, 2})), Team(101, frozenset({3}))))
EARLIER = AS_OF - timedelta(days=1)
SHA = "dbd68d30ee1f7b60d404553fc1c6226ebb374c8e"


def history() -> list[NaiveSignal]:
    """Signals of users 1 to 3 on repositories 10 and 11 (11 may be private), a day old and more."""
    return [
        *(
            a_signal(
                "commit",
                at=EARLIER + timedelta(minutes=n),
                repository=10,
                additions=2,
                object_id=f"{n}{SHA[1:]}",
                title=f"Commit {n}",
            )
            for n in range(6)
        ),
        *(
            a_signal(
                "issue_open",
                at=EARLIER + timedelta(hours=1, minutes=n),
                repository=11,
                number=20 + n,
                title="A question",
            )
            for n in range(8)
        ),
        a_signal("review", at=EARLIER, repository=11, number=7, object_id="5", is_self_review=True),
        a_signal("commit", at=EARLIER, repository=10, object_id=SHA, is_bot=True, key="bot"),
        a_signal("pr_merge", at=EARLIER - timedelta(days=20), user=1, repository=10, number=4),
        a_signal(
            "review",
            at=EARLIER,
            user=2,
            repository=11,
            review_state="approved",
            number=7,
            object_id="6",
        ),
        a_signal("comment", at=EARLIER, user=2, repository=10, number=3, object_id="68477208"),
        a_signal("review_comment", at=EARLIER, user=2, repository=10, number=3, object_id="99"),
        a_signal("spam", at=EARLIER, user=2, repository=10, number=3),
        a_signal("pr_close_no_merge", at=EARLIER, user=3, repository=11, number=9),
        a_signal("comment", at=EARLIER, user=3, repository=11),
    ]
