"""Whatever strangers put into a line, it is read, refused by name, or left out: nothing breaks."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.identity.v1 import directory_upserts_pb2
from laurel_ingest.application.batch_facts import BatchFacts
from laurel_ingest.application.line_reading import decoded
from laurel_ingest.clients import directory
from laurel_ingest.domain import archive_events, archive_frames, git_records
from laurel_ingest.domain.closing_keywords import closed_issues, squashed_pull
from laurel_ingest.domain.co_authors import co_authors
from laurel_ingest.domain.credits import event_times, signals_of
from laurel_ingest.domain.facts import to_json
from laurel_ingest.domain.findings import Findings, Owner
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.refusals import MalformedError, SkippedError
from laurel_ingest.domain.texts import headline
from tests.support.ingest_builders import record
from tests.support.ingest_strategies import histories
from tests.support.spoiling import spoiled


def store(found: Findings) -> None:
    """Everything that is done to findings before a database sees them."""
    told = BatchFacts()
    told.add(found, 500, "acme/rocket", Owner("acme"))
    known = RepositoryFacts.of(told.facts.values())
    for fact in told.facts.values():
        assert "\\u0000" not in orjson.dumps(to_json(fact)).decode()
        signals_of(fact, known, told.claims())
        event_times(fact)
    for person in told.people.values():
        directory_upserts_pb2.UpsertEntitiesRequest(users=[directory._user(person)])


@settings(max_examples=400, deadline=None)
@given(spoiled(histories(1).map(lambda history: history[0])))
def test_a_spoiled_event_is_read_or_refused(raw: Any) -> None:
    try:
        event = archive_frames.read_event(raw)
        found = archive_events.findings_of(event, event.repository_id or 500)
    except (MalformedError, SkippedError):
        return
    store(found)
    directory_upserts_pb2.ImportedOwner(
        login=event.owner.login, avatar_url=event.owner.avatar_url or ""
    )
    event.full_name.encode()


@settings(max_examples=200, deadline=None)
@given(spoiled(st.just(record(1, [2, 3]))))
def test_a_spoiled_commit_is_read_or_refused(raw: Any) -> None:
    try:
        found = git_records.findings_of(raw, 500, git_records.MergeWalk())
    except MalformedError:
        return
    store(found)


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(line: bytes) -> None:
    with suppress(MalformedError):
        decoded(line)


def test_a_lone_surrogate_gets_a_second_hearing() -> None:
    assert decoded(b'{"a": "\\ud800"}') == {"a": "\ud800"}


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b"{'a': 1}", b'"\xff"', b"1" * 5_000, b""], ids=lambda line: line[:9]
)
def test_what_is_no_json_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedError, match="JSON"):
        decoded(line)


LONG = 200_000


@pytest.mark.parametrize(
    "text",
    [
        "\nCo-authored-by:" + " " * LONG,
        "\nCo-authored-by: " + "a " * LONG + "<",
        "\nCo-authored-by: a <" + "b" * LONG,
        "#" + "<!--" * LONG,
        "#" + "`" * LONG + "\n" + "`\n" * LONG,
        "fixes " + "a/" * LONG + "#",
        "fixes" + " " * LONG + "#x",
        "(#1" * LONG + "(#1)" + " " * LONG + "x",
    ],
    ids=lambda text: text.strip()[:18],
)
def test_a_text_of_any_length_is_read_in_one_pass(text: str) -> None:
    # Looked at once for each of its letters it would take hours, and everybody else waits.
    assert co_authors(text) == []
    assert closed_issues(text, "acme/rocket") == frozenset()
    assert squashed_pull(text) is None
    assert len(headline(text) or "") <= 256
