"""Who somebody is, in every spelling of every source: one number, and whether it is a bot."""

from collections.abc import Callable
from hashlib import sha1
from typing import Any, TypeAlias

import pytest

from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.domain import archive_events, archive_frames, git_records, webhook_events
from laurel_ingest.domain.facts import CommentFact, CommitFact
from laurel_ingest.domain.findings import Findings, Owner
from laurel_ingest.domain.history import nodes
from laurel_ingest.domain.history.commits import commits as graphql_commits
from laurel_ingest.domain.identities import GHOST_ID, synthetic_id_of_email, synthetic_id_of_login
from laurel_ingest.domain.timestamps import epoch_seconds
from tests.support.ingest_builders import (
    FULL_NAME,
    REPOSITORY_ID,
    commit,
    event,
    issue,
    push,
    record,
    sha,
)
from tests.support.ingest_webhooks import hook_commit, hook_push, payload, read

Account: TypeAlias = dict[str, Any] | None
AT = "2021-05-03T10:00:00Z"
READING = nodes.Reading(REPOSITORY_ID, FULL_NAME, epoch_seconds(AT))
NOREPLY = "users.noreply.github.com"
COMMENT = {"id": 51, "created_at": AT, "updated_at": AT}


def by_graphql(account: Account) -> Findings:
    found = READING.findings({})
    told = {"fullDatabaseId": "51", "createdAt": AT, "updatedAt": AT, "author": account}
    nodes.comment(READING, found, told, "7")
    return found


def by_webhook(account: Account) -> Findings:
    told = payload(action="created", issue=issue(), comment=COMMENT | {"user": account})
    return webhook_events.findings_of(read("issue_comment", told))


def by_archive(account: Account) -> Findings:
    told = {"action": "created", "issue": issue(), "comment": COMMENT | {"user": account}}
    frame = archive_frames.read_event(event("IssueCommentEvent", told))
    return archive_events.findings_of(frame, REPOSITORY_ID)


def rest(login: str, kind: str = "User", **more: Any) -> Account:
    return {"id": 5, "login": login, "type": kind} | more


def shown(login: str, typename: str = "User", **more: Any) -> Account:
    return {"__typename": typename, "id": 5, "login": login, **more}


APP_AVATAR = "https://avatars.githubusercontent.com/in/2141"


@pytest.mark.parametrize("source", [by_webhook, by_archive], ids=["webhook", "archive"])
@pytest.mark.parametrize(
    ("account", "graphql", "person"),
    [
        pytest.param(rest("ann"), shown("ann"), (5, "ann", False), id="a user"),
        pytest.param(rest("robot"), shown("robot"), (5, "robot", False), id="a human called so"),
        pytest.param(
            rest("robot[bot]", "Bot"), shown("robot", "Bot"), (5, "robot[bot]", True), id="an app"
        ),
        pytest.param(
            rest("robot[bot]"), shown("robot[bot]"), (5, "robot[bot]", True), id="by the suffix"
        ),
        pytest.param(
            rest("Robot[BOT]"), shown("Robot[BOT]"), (5, "Robot[BOT]", True), id="in any case"
        ),
        pytest.param(
            rest("robot", avatar_url=APP_AVATAR),
            shown("robot", avatarUrl=APP_AVATAR),
            (5, "robot", True),
            id="by the avatar",
        ),
        pytest.param(
            rest("acme", "Organization"),
            shown("acme", "Organization"),
            (5, "acme", False),
            id="an organization",
        ),
        pytest.param(
            rest("old", "Mannequin"), shown("old", "Mannequin"), (5, "old", False), id="a mannequin"
        ),
        pytest.param(None, None, (GHOST_ID, "ghost", False), id="nobody any more"),
        pytest.param(
            {"login": "ghost"}, None, (GHOST_ID, "ghost", False), id="the ghost by its name"
        ),
    ],
)
def test_an_account_is_the_same_person_in_every_source(
    source: Callable[[Account], Findings],
    account: Account,
    graphql: Account,
    person: tuple[int, str, bool],
) -> None:
    user_id, login, is_bot = person
    for found in (source(account), by_graphql(graphql)):
        (fact,) = (each for each in found.facts if isinstance(each, CommentFact))
        assert fact.author is not None
        assert fact.author.value == [user_id, is_bot]
        met = found.people[user_id]
        assert (met.login, met.is_bot) == (login, is_bot)


def authors(found: Findings) -> list[list[Any]]:
    (fact,) = (each for each in found.facts if isinstance(each, CommitFact))
    assert fact.authors is not None
    return list(fact.authors.value)


def commit_by_graphql(email: str, account: Account = None) -> Findings:
    author = {"name": "a", "email": email, "user": account}
    node = {
        "oid": sha(1),
        "authoredDate": AT,
        "message": "Work",
        "authors": {"totalCount": 1, "nodes": [author]},
    }
    return graphql_commits(READING, [node])


def commit_by_webhook(email: str, **author: Any) -> Findings:
    told = hook_push(hook_commit(1, email=email, **author))
    return webhook_events.findings_of(read("push", told))


def commit_by_archive(email: str) -> Findings:
    frame = archive_frames.read_event(push(commit(1, email=email)))
    return archive_events.findings_of(frame, REPOSITORY_ID)


def commit_by_git(email: str) -> Findings:
    raw = record(1, author={"name": "a", "email": email})
    return git_records.findings_of(raw, REPOSITORY_ID, git_records.MergeWalk())


def hashed(email: str) -> str:
    """As GH Archive writes it."""
    local, _, domain = email.partition("@")
    return f"{sha1(local.encode(), usedforsecurity=False).hexdigest()}@{domain}"


@pytest.mark.parametrize(
    ("email", "person"),
    [
        pytest.param(f"5+ann@{NOREPLY}", (5, False), id="a private address tells the id"),
        pytest.param(f"5+robot[bot]@{NOREPLY}", (5, True), id="and that it is a bot"),
        pytest.param(
            f"ann@{NOREPLY}",
            (synthetic_id_of_email(f"ann@{NOREPLY}"), False),
            id="an older one tells the login alone",
        ),
        pytest.param(
            "ann@corp.example", (synthetic_id_of_email("ann@corp.example"), False), id="any other"
        ),
    ],
)
def test_an_address_is_the_same_person_in_every_source(
    email: str, person: tuple[int, bool]
) -> None:
    for tell in (commit_by_graphql, commit_by_webhook, commit_by_archive, commit_by_git):
        assert authors(tell(email)) == [list(person)]
    if person[0] < 0:
        assert authors(commit_by_archive(hashed(email))) == [list(person)]


def claims(*told: Findings) -> dict[int, int]:
    """Whom each synthetic person turns out to be, by what some findings say."""
    batch = BatchFacts()
    for found in told:
        batch.add(found, REPOSITORY_ID, FULL_NAME, Owner("acme"))
    return batch.claims()


@pytest.mark.parametrize("spelling", ["5+ann", "ann", "5+Ann", "Ann"])
def test_whoever_has_a_login_claims_its_private_addresses(spelling: str) -> None:
    email = f"{spelling}@{NOREPLY}"
    told = claims(commit_by_archive(hashed(email)), by_webhook(rest("Ann")))
    assert told[authors(commit_by_archive(hashed(email)))[0][0]] == 5


def test_a_login_without_a_number_is_claimed_when_the_number_is_known() -> None:
    nameless = by_archive({"login": "Ann"})
    for other in (by_webhook(rest("ann")), by_graphql(shown("ANN"))):
        assert claims(nameless, other)[synthetic_id_of_login("ann")] == 5
        assert claims(other, nameless)[synthetic_id_of_login("ann")] == 5


def test_githubs_word_claims_any_address() -> None:
    address = synthetic_id_of_email("ann@corp.example")
    assert claims(commit_by_graphql("ann@corp.example", shown("ann")))[address] == 5
    pushed = commit_by_webhook("ann@corp.example", username="ANN")
    assert claims(pushed, by_webhook(rest("ann")))[address] == 5
    assert address not in claims(pushed)


def test_githubs_word_stands_over_the_number_in_an_address() -> None:
    told = commit_by_graphql(f"9+ann@{NOREPLY}", shown("ann"))
    assert authors(told) == [[5, False]]
    # Nobody tells the directory of 9, and a claim needs somebody to be for.
    assert set(claims(told).values()) == {5}


def test_of_two_accounts_that_had_a_login_the_older_one_is_the_author() -> None:
    address = synthetic_id_of_email(f"ann@{NOREPLY}")
    older, newer = by_webhook(rest("ann")), by_webhook(rest("ann", id=6))
    assert claims(older, newer)[address] == claims(newer, older)[address] == 5


def test_a_person_of_a_former_name_keeps_the_number() -> None:
    before, after = by_archive(rest("ann")), by_graphql(shown("anna"))
    assert before.people.keys() & after.people.keys() == {5}


def test_an_address_claims_its_own_hash_and_nobody_elses() -> None:
    email = f"5+Victim@{NOREPLY}"
    for tell in (commit_by_graphql, commit_by_webhook, commit_by_archive, commit_by_git):
        found = tell(email)
        own = {synthetic_id_of_email(f"5+{login}@{NOREPLY}") for login in ("Victim", "victim")}
        assert {each for each, user_id in claims(found).items() if user_id == 5} == own
        assert found.people[5].login is None
