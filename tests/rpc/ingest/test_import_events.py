"""ImportEvents: real archives whole and twice, broken lines, filters, git beside the archive."""

import gzip
import hashlib
from collections import Counter
from collections.abc import Sequence

import orjson
import pytest

from laurel.ingest.v1 import signal_imports_pb2
from tests.rpc.ingest.conftest import ARCHIVE, Service
from tests.support.ingest_builders import (
    FULL_NAME,
    INSTALLATION_ID,
    REPOSITORY_ID,
    commit,
    event,
    issue,
    issue_event,
    lines_of,
    pull,
    pull_event,
    push,
    record,
    sha,
)
from tests.support.shared import shared_data

Answers = Sequence[signal_imports_pb2.ImportEventsResponse]

FIRST_HOUR_OF_2015 = {
    "pr_open": 179,
    "pr_merge": 89,
    "pr_close_no_merge": 25,
    "issue_open": 218,
    "review_comment": 92,
    "comment": 651,
}


def summed(answers: Answers, name: str) -> int:
    return sum(getattr(count, name) for answer in answers for count in answer.signals)


def skipped(answers: Answers) -> dict[str, int]:
    total: Counter[str] = Counter()
    for answer in answers:
        total.update({each.reason: each.count for each in answer.skipped})
    return dict(total)


def problems(answers: Answers) -> list[tuple[int, str]]:
    return [(each.line_number, each.reason) for answer in answers for each in answer.problems]


async def test_an_hour_of_2015_comes_in_whole_and_the_second_time_brings_nothing(
    service: Service,
) -> None:
    path = shared_data("gharchive/2015-01-01-1.json.gz")
    lines = gzip.decompress(path.read_bytes()).splitlines()

    first = await service.import_lines(lines)
    counts = service.counts()
    second = await service.import_lines(lines, size=1_000)

    assert sum(answer.event_count for answer in first) == 7_427
    assert counts.items() >= FIRST_HOUR_OF_2015.items()
    assert counts["commit"] > 4_000
    assert summed(first, "new_count") - sum(a.withdrawn_count for a in first) == sum(
        counts.values()
    )
    assert skipped(first)["push_truncated"] == 84
    assert (summed(second, "new_count"), summed(second, "changed_count")) == (0, 0)
    assert service.counts() == counts


async def test_a_sample_of_2021_comes_in_whole_and_the_second_time_brings_nothing(
    service: Service,
) -> None:
    path = shared_data("gharchive/2021-07-21-sample.json.gz")
    lines = gzip.decompress(path.read_bytes()).splitlines()

    await service.import_lines(lines)
    counts = service.counts()
    second = await service.import_lines(lines)

    assert counts.items() >= {"comment": 36, "pr_open": 33, "pr_merge": 25, "review": 24}.items()
    assert (summed(second, "new_count"), summed(second, "changed_count")) == (0, 0)
    assert service.counts() == counts
    with service.database.connect() as connection:
        (bots,) = connection.execute(
            "SELECT count(*) FROM signals AS s JOIN users AS u ON u.id = s.user_id"
            " WHERE u.is_bot AND (s.metadata ->> 'is_bot')::boolean"
        ).fetchone() or (0,)
    assert bots > 20


async def test_the_shape_of_2026_comes_in_with_what_is_missing_named(service: Service) -> None:
    lines = shared_data("gharchive/2026-01-shape.jsonl").read_bytes().splitlines()

    answers = await service.import_lines(lines)

    assert service.counts() == {"comment": 1, "issue_close": 1}
    assert skipped(answers) == {
        "actor_without_id": 3,
        "no_author": 1,
        "no_repository_id": 2,
        "pull_request_without_author": 1,
        "push_without_commits": 1,
        "uncounted_event_type": 3,
    }
    assert problems(answers) == [(4, "no_repository_id"), (5, "no_repository_id")]


async def test_lines_at_fault_are_named_and_the_rest_goes_in(service: Service) -> None:
    old = {"actor": "x", "actor_attributes": {}, "repository": {}, "created_at": "2012-01-01"}
    lines = [
        b"{not json",
        *lines_of([push(commit(1))]),
        b"[1, 2]",
        *lines_of([event("NobodyKnowsEvent", {}), event("WatchEvent", {"action": "started"})]),
        orjson.dumps(old),
        *lines_of([event("PushEvent", {}, at="2014-12-31T23:59:59Z")]),
        b'{"type": "PushEvent", "created_at": "tomorrow"}',
        *lines_of([event("PullRequestEvent", {"action": "opened", "pull_request": {"id": 1}})]),
        b"",
        *lines_of([event("PushEvent", {}, at="2026-02-01T12:05:01Z")]),
    ]

    answers = await service.import_lines(lines)

    assert service.counts() == {"commit": 1}
    assert problems(answers) == [
        (1, "malformed_json"),
        (3, "malformed_event"),
        (4, "unknown_event_type"),
        (6, "before_2015"),
        (7, "before_2015"),
        (8, "malformed_event"),
        (9, "malformed_event"),
        (11, "time_out_of_range"),
    ]
    assert skipped(answers)["uncounted_event_type"] == 1
    described = " ".join(each.description for answer in answers for each in answer.problems)
    assert "2015" in described
    assert "tomorrow" not in described


async def test_an_event_of_a_time_to_come_does_not_stand_against_what_is_heard_until_then(
    service: Service,
) -> None:
    reopened = issue_event("reopened", issue(), at="2099-01-01T00:00:00Z")
    await service.import_lines(lines_of([reopened]))
    closed = issue_event("closed", issue(closed_at="2021-05-03T10:00:00Z"))
    nobody = issue_event("closed", issue(8, closed_at="2021-05-03T10:00:00Z"), actor={})

    answers = await service.import_lines(lines_of([closed, nobody]))

    assert service.counts() == {"issue_close": 1}
    assert skipped(answers) == {"no_author": 1}


async def test_only_the_wanted_owners_come_in_whatever_their_spelling(service: Service) -> None:
    other = push(commit(2), repo={"id": 9, "name": "other/thing"}, org={"id": 8, "login": "other"})
    header = signal_imports_pb2.ImportEventsHeader(source=ARCHIVE.source, owner_logins=["ACME"])

    answers = await service.import_lines(lines_of([push(commit(1)), other]), header)

    assert service.counts() == {"commit": 1}
    assert skipped(answers) == {"other_owner": 1}
    assert list(answers[0].installation_ids) == [INSTALLATION_ID]


@pytest.mark.parametrize("git_first", [True, False], ids=["git first", "archive first"])
async def test_a_commit_from_git_and_from_the_archive_is_one_signal_with_gits_word(
    service: Service, *, git_first: bool
) -> None:
    # SHA-1 of "foo" is what the archive has in the place of the local part.
    hashed = "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33@b.c"
    archive = lines_of([push(commit(1, email=hashed))])
    git = [orjson.dumps(record(1, author={"name": "foo", "email": "foo@b.c"}))]
    header = signal_imports_pb2.ImportEventsHeader(
        source=signal_imports_pb2.EVENT_SOURCE_GIT,
        repository_full_name=FULL_NAME,
        repository_id=REPOSITORY_ID,
    )

    if not git_first:
        await service.import_lines(archive)
    await service.import_lines(git, header)
    if git_first:
        await service.import_lines(archive)

    with service.database.connect() as connection:
        rows = connection.execute(
            "SELECT event_timestamp::text, metadata - 'title' FROM signals"
        ).fetchall()
    said = {"additions": 7, "deletions": 2, "object_id": sha(1)}
    assert rows == [("2021-05-01 08:00:00+00", said)]


async def test_git_finds_the_repository_that_the_archive_has_told_the_id_of(
    service: Service,
) -> None:
    await service.import_lines(lines_of([push(commit(1))]))
    header = signal_imports_pb2.ImportEventsHeader(
        source=signal_imports_pb2.EVENT_SOURCE_GIT, repository_full_name="ACME/Rocket"
    )

    await service.import_lines([orjson.dumps(record(1))], header)

    assert service.counts() == {"commit": 1}


async def test_an_author_known_by_a_private_address_alone_is_claimed_once_he_is_met(
    service: Service,
) -> None:
    digest = hashlib.sha1(b"2+bob", usedforsecurity=False).hexdigest()
    private = push(commit(1, email=f"{digest}@users.noreply.github.com"))

    await service.import_lines(lines_of([private]))
    with service.database.connect() as connection:
        before = connection.execute("SELECT user_id FROM signals").fetchall()
    await service.import_lines(lines_of([pull_event("opened", pull(4))]))

    with service.database.connect() as connection:
        after = connection.execute("SELECT user_id FROM signals WHERE type = 'commit'").fetchall()
    assert before[0][0] < -(2**62)
    assert after == [(2,)]


async def test_the_last_state_stands_and_what_it_takes_back_is_noted(service: Service) -> None:
    closed = pull_event("closed", pull(closed_at="2021-05-03T10:00:00Z"))
    merged = pull_event(
        "closed",
        pull(merged=True, merged_at="2021-05-04T10:00:00Z", merge_commit_sha=sha("merge")),
        at="2021-05-04T10:00:00Z",
    )
    await service.import_lines(lines_of([closed]))
    assert service.counts() == {"pr_close_no_merge": 1}

    answers = await service.import_lines(lines_of([merged]))
    await service.import_lines(lines_of([closed]))

    assert service.counts() == {"pr_merge": 1}
    assert answers[0].withdrawn_count == 1
    with service.database.connect() as connection:
        noted = connection.execute("SELECT type::text, reason FROM signal_withdrawals").fetchall()
    assert noted == [("pr_close_no_merge", "last_state_stands")]
