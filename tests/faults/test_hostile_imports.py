"""Imports by people who mean harm: whatever they send, they are answered, and others stay whole."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from laurel.ingest.v1 import signal_imports_pb2, signal_pb2_grpc
from laurel_cli.importing.summary import ImportSummary
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel
from tests.support.world_actions import (
    import_lines,
    list_signals,
    put_roster,
    score,
    start_scoring,
    until_scored,
)
from tests.support.world_integrity import as_told, check_integrity
from tests.support.world_mischief import NASTY, NO_EVENTS, tampered
from tests.support.world_story import Story, tell

pytestmark = pytest.mark.asyncio(loop_scope="module")

Request = signal_imports_pb2.ImportEventsRequest
HEADER = Request(
    header=signal_imports_pb2.ImportEventsHeader(source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE)
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(laurel: Laurel) -> Story:
    return await tell(laurel, ("geocoder",), length=400, cut=200)


@pytest_asyncio.fixture(loop_scope="module")
async def stub(laurel: Laurel) -> AsyncIterator[signal_pb2_grpc.SignalServiceStub]:
    async with laurel.caller.channel("ingest") as channel:
        yield signal_pb2_grpc.SignalServiceStub(channel)


def a_batch(lines: Iterable[bytes] = (), sequence: int = 1) -> Request:
    return Request(batch=signal_imports_pb2.EventBatch(sequence=sequence, lines=lines))


def a_git_header(**fields: Any) -> Request:
    source = signal_imports_pb2.EVENT_SOURCE_GIT
    return Request(header=signal_imports_pb2.ImportEventsHeader(source=source, **fields))


REFUSED = {
    "a batch first": ([a_batch([b"{}"])], "STREAM_OUT_OF_ORDER"),
    "two headers": ([HEADER, HEADER], "STREAM_OUT_OF_ORDER"),
    "an empty message": ([Request()], "INVALID_REQUEST"),
    "an empty second message": ([HEADER, Request()], "INVALID_REQUEST"),
    "no source": ([Request(header=signal_imports_pb2.ImportEventsHeader())], "INVALID_REQUEST"),
    "a source that does not exist": (
        [Request(header=signal_imports_pb2.ImportEventsHeader(source=77))],  # type: ignore[arg-type]  # unknown on purpose
        "INVALID_REQUEST",
    ),
    "too many lines": ([HEADER, a_batch([b"{}"] * 10_001)], "INVALID_REQUEST"),
    "git without a repository": ([a_git_header()], "INVALID_REQUEST"),
    "git with half a name": ([a_git_header(repository_full_name="owner")], "INVALID_REQUEST"),
    "git with a name too many": (
        [a_git_header(repository_full_name="a/b/c"), a_batch()],
        "INVALID_REQUEST",
    ),
    "git with NUL in the name": (
        [a_git_header(repository_full_name="a/b\x00"), a_batch()],
        "INVALID_REQUEST",
    ),
    "more than the service takes": ([HEADER, a_batch([b" " * (33 << 20)])], "MESSAGE_TOO_LARGE"),
}


@pytest.mark.parametrize(("messages", "reason"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_stream_that_makes_no_sense_is_refused_with_its_reason(
    stub: signal_pb2_grpc.SignalServiceStub, messages: list[Request], reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        async for _ in stub.ImportEvents(iter(messages)):
            pass
    assert refused.value.reason == reason


async def test_lines_that_are_no_events_are_counted_and_named(
    laurel: Laurel, stub: signal_pb2_grpc.SignalServiceStub
) -> None:
    (answer,) = [each async for each in stub.ImportEvents(iter([HEADER, a_batch(NO_EVENTS)]))]
    blank = 2
    assert sum(each.count for each in answer.skipped) == len(NO_EVENTS) - blank
    assert {each.reason for each in answer.skipped} <= {
        "malformed_json",
        "malformed_event",
        "before_2015",
    }
    assert not answer.signals


async def test_tampered_events_are_read_or_refused_and_never_break_the_stream(
    story: Story,
) -> None:
    laurel, tenant = story.laurel, story.tenant()
    lines = [*story.beginning(tenant), *story.rest(tenant)]
    summary = await import_lines(laurel, list(tampered(lines, 20_150_101, 3_000)), batch_size=100)
    assert summary.events > 1_000
    check_integrity(laurel.connect)
    # What is whole goes in as ever beside it.
    other = story.tenant()
    await import_lines(laurel, [*story.beginning(other), *story.rest(other)])
    await story.check_signals(other, story.whole)
    for number in summary.installation_ids:
        await score(laurel, number)


async def test_every_nasty_value_in_every_field_of_a_commit_is_survived(
    stub: signal_pb2_grpc.SignalServiceStub, laurel: Laurel
) -> None:
    commit = {
        "sha": "ab" * 20,
        "parents": ["cd" * 20],
        "author": {"name": "A", "email": "a@example.org"},
        "authored_at": "2024-05-01T10:00:00Z",
        "message": "Do\n\nCo-authored-by: B <b@example.org>",
        "additions": 1,
        "deletions": 2,
    }
    lines = [json.dumps(commit | {key: value}).encode() for key in commit for value in NASTY] + [
        json.dumps(commit | {"author": {"name": value, "email": value}}).encode() for value in NASTY
    ]
    header = a_git_header(repository_full_name="mischief/clone")
    (answer,) = [each async for each in stub.ImportEvents(iter([header, a_batch(lines)]))]
    assert answer.event_count + sum(each.count for each in answer.skipped) >= len(lines)
    check_integrity(laurel.connect)


async def test_fifty_imports_of_one_file_at_once_come_to_one(story: Story) -> None:
    laurel, tenant = story.laurel, story.tenant()
    lines = [*story.beginning(tenant), *story.rest(tenant)]

    async def import_patiently() -> ImportSummary:
        while True:
            try:
                return await import_lines(laurel, lines, batch_size=200)
            except RemoteError as error:
                # More streams than ingest takes at once are asked to come back.
                if error.reason != "OVERLOADED" or error.retry_after is None:
                    raise
                await asyncio.sleep(error.retry_after.total_seconds())

    summaries = await asyncio.gather(*(import_patiently() for _ in range(50)))
    assert all(each.events == len(lines) for each in summaries)
    await story.check_signals(tenant, story.whole)


async def test_clients_that_vanish_leave_whole_batches(story: Story) -> None:
    laurel, tenant = story.laurel, story.tenant()
    lines = story.beginning(tenant)

    async def vanish(after: float) -> None:
        importing = asyncio.create_task(import_lines(laurel, lines, batch_size=20))
        await asyncio.wait({importing}, timeout=after)
        importing.cancel()
        await asyncio.gather(importing, return_exceptions=True)

    await asyncio.gather(*(vanish(0.02 * number) for number in range(20)))
    check_integrity(laurel.connect)
    await import_lines(laurel, [*lines, *story.rest(tenant)])
    await story.check_signals(tenant, story.whole)


async def test_scoring_while_an_import_runs_ends_in_the_boards_of_all_signals(
    story: Story,
) -> None:
    laurel, tenant = story.laurel, story.tenant()
    await import_lines(laurel, story.beginning(tenant)[:50])
    await put_roster(laurel, tenant, story.now)
    scored_once = asyncio.Event()

    async def import_all() -> None:
        await import_lines(laurel, story.beginning(tenant), batch_size=25)
        # However fast the machine: there is more to come when the first run ends.
        await scored_once.wait()
        await import_lines(laurel, story.rest(tenant), batch_size=25)

    importing = asyncio.create_task(import_all())
    runs = set()
    while not importing.done():
        run = await start_scoring(laurel, tenant.installation_id)
        runs.add(run.id)
        await until_scored(laurel, run)
        scored_once.set()
    await importing
    await score(laurel, tenant.installation_id)
    assert len(runs) > 1
    await story.check_boards(tenant)


async def test_people_of_the_far_past_and_the_future_are_refused_by_reason(
    stub: signal_pb2_grpc.SignalServiceStub,
) -> None:
    def commit(at: datetime, number: int) -> bytes:
        return json.dumps(
            {
                "sha": f"{number:040x}",
                "parents": [],
                "author": {"name": "A", "email": "a@example.org"},
                "authored_at": at.isoformat(),
                "message": "m",
            }
        ).encode()

    now = datetime.now(UTC)
    lines = [
        commit(datetime(2004, 12, 31, 23, 59, 59, tzinfo=UTC), 1),
        commit(datetime(2005, 1, 1, tzinfo=UTC), 2),
        commit(now + timedelta(minutes=4), 3),
        commit(now + timedelta(minutes=7), 4),
    ]
    header = a_git_header(repository_full_name="timetravel/clone")
    (answer,) = [each async for each in stub.ImportEvents(iter([header, a_batch(lines)]))]
    assert sum(each.new_count for each in answer.signals) == 2
    assert {each.reason: each.count for each in answer.skipped} == {"time_out_of_range": 2}


async def test_sequences_come_back_as_they_were_sent(
    stub: signal_pb2_grpc.SignalServiceStub,
) -> None:
    numbers = [2**63 - 1, -(2**63), 0, 7, 7]
    messages = [HEADER, *(a_batch(sequence=number) for number in numbers)]
    answers = [each.sequence async for each in stub.ImportEvents(iter(messages))]
    assert answers == numbers


async def test_what_was_imported_is_read_back_whole(story: Story) -> None:
    tenant = story.tenant()
    await import_lines(story.laurel, story.beginning(tenant))
    found = as_told(tenant, await list_signals(story.laurel, tenant.installation_id, page_size=1))
    assert found == story.first
