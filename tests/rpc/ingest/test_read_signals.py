"""ListSignals and StreamSignals: the same signals in pages and in columns."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from laurel.common.v1.types_pb2 import REVIEW_STATE_CHANGES_REQUESTED
from laurel.ingest.v1 import signal_entities_pb2, signal_pb2_grpc, signal_reads_pb2
from laurel.ingest.v1.signal_reads_pb2 import ListSignalsRequest, StreamSignalsRequest
from laurel_common.auth.access import Access
from laurel_common.auth.tokens import StaticToken
from laurel_common.errors import RemoteError
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import INSTALLATION_ID, REPOSITORY_ID, new_signal, sha
from tests.support.users import TOKEN

pytestmark = pytest.mark.usefixtures("world")

FIRST = 1_620_036_000
DAY = 86_400


def world_of_signals() -> list[signal_entities_pb2.NewSignal]:
    """Forty comments over as many months, two at each time, and a commit and a review."""
    comments = [
        new_signal(
            str(each + 1),
            user_id=1 + each % 3,
            repository_id=REPOSITORY_ID + each % 2,
            event_time={"seconds": FIRST + each // 2 * 30 * DAY},
        )
        for each in range(40)
    ]
    said = signal_entities_pb2.SignalMetadata(
        additions=9, deletions=4, is_in_merged_pr=True, has_linked_issue=True
    )
    reviewed = signal_entities_pb2.SignalMetadata(
        review_state=REVIEW_STATE_CHANGES_REQUESTED, is_self_review=True
    )
    return [
        *comments,
        new_signal(sha(1), type=1, metadata=said, value_e4=15_000),
        new_signal("99", type=7, metadata=reviewed),
    ]


async def pages(service: Service, size: int, **filters: Any) -> list[signal_entities_pb2.Signal]:
    found: list[signal_entities_pb2.Signal] = []
    token = ""
    while True:
        page = await service.backend.ListSignals(
            ListSignalsRequest(
                installation_id=INSTALLATION_ID, page_size=size, page_token=token, **filters
            )
        )
        assert len(page.signals) <= size
        found += page.signals
        token = page.next_page_token
        if not token:
            return found


async def stream(
    service: Service, **filters: Any
) -> tuple[signal_reads_pb2.StreamSignalsHeader, list[dict[str, Any]]]:
    request = StreamSignalsRequest(installation_id=INSTALLATION_ID, **filters)
    header, *batches = [answer async for answer in service.scoring.StreamSignals(request)]
    return header.header, _rows(batches, "arrow")


async def stream_changes(
    service: Service, since: str
) -> tuple[signal_reads_pb2.StreamSignalsHeader, set[tuple[bytes, int]], list[dict[str, Any]]]:
    """The header, the keys of what is gone, and what is new or changed."""
    request = StreamSignalsRequest(installation_id=INSTALLATION_ID, since_mark=since)
    header, *batches = [answer async for answer in service.scoring.StreamSignals(request)]
    removed = {(row["content_hash"], row["user_id"]) for row in _rows(batches, "removed")}
    return header.header, removed, _rows(batches, "arrow")


def _rows(batches: Sequence[Any], kind: str) -> list[dict[str, Any]]:
    return [
        row
        for batch in batches
        if batch.WhichOneof("message") == kind
        for row in pa.ipc.open_stream(getattr(batch, kind)).read_all().to_pylist()
    ]


@pytest.mark.parametrize("size", [1, 7, 42, 50], ids="pages of {}".format)
async def test_pages_hold_every_signal_once_newest_first(service: Service, size: int) -> None:
    await service.write(world_of_signals())
    found = await pages(service, size)
    order = [(each.event_time.seconds, each.id) for each in found]
    assert len({each.content_hash for each in found}) == len(found) == 42
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"user_id": 2}, 13, id="one user"),
        pytest.param({"repository_id": REPOSITORY_ID + 1}, 20, id="one repository"),
        pytest.param({"types": [1, 7]}, 2, id="two types"),
        pytest.param({"start_time": {"seconds": FIRST + 30 * DAY}}, 38, id="from a time on"),
        pytest.param({"end_time": {"seconds": FIRST + 30 * DAY}}, 4, id="before a time"),
    ],
)
async def test_filters_leave_what_they_say(
    service: Service, filters: dict[str, Any], expected: int
) -> None:
    await service.write(world_of_signals())
    assert len(await pages(service, 5, **filters)) == expected


async def test_a_page_token_of_another_request_is_refused(service: Service) -> None:
    await service.write(world_of_signals())
    request = ListSignalsRequest(installation_id=INSTALLATION_ID, page_size=1)
    token = (await service.backend.ListSignals(request)).next_page_token
    # Another letter in the middle: at the end it may stand for the same bytes.
    place = len(token) // 2
    altered = token[:place] + ("x" if token[place] != "x" else "y") + token[place + 1 :]
    for strange in (
        ListSignalsRequest(installation_id=INSTALLATION_ID, user_id=1, page_token=token),
        ListSignalsRequest(installation_id=INSTALLATION_ID, page_token=altered),
    ):
        with pytest.raises(RemoteError) as caught:
            await service.backend.ListSignals(strange)
        assert (caught.value.reason, caught.value.code) == (
            "INVALID_PAGE_TOKEN",
            "INVALID_ARGUMENT",
        )


async def test_the_stream_has_what_the_pages_have(service: Service) -> None:
    await service.write(world_of_signals())
    header, rows = await stream(service)

    by_hash = {row["content_hash"].hex(): row for row in rows}
    for each in await pages(service, 50):
        row = by_hash.pop(each.content_hash)
        said = each.metadata
        flags = said.is_self_review * 2 + said.is_in_merged_pr * 8 + said.has_linked_issue * 16
        assert row == {
            "user_id": each.user_id,
            "repository_id": each.repository_id,
            "type": each.type,
            "value_e4": each.value_e4,
            "event_time": each.event_time.ToDatetime(tzinfo=row["event_time"].tzinfo),
            "content_hash": bytes.fromhex(each.content_hash),
            "flags": flags,
            "review_state": said.review_state,
            "additions": said.additions,
            "deletions": said.deletions,
        }
    assert not by_hash
    assert header.signal_count_estimate == 42


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"user_ids": [2, 3]}, 26, id="two users"),
        pytest.param({"repository_ids": [REPOSITORY_ID + 1]}, 20, id="one repository"),
        pytest.param({"start_time": {"seconds": FIRST + 30 * DAY}}, 38, id="from a time on"),
        pytest.param({"end_time": {"seconds": FIRST + 30 * DAY}}, 6, id="up to a time"),
        pytest.param({"end_time": {"seconds": FIRST - 1}}, 0, id="before everything"),
    ],
)
async def test_the_streams_filters_leave_what_they_say(
    service: Service, filters: dict[str, Any], expected: int
) -> None:
    await service.write(world_of_signals())
    assert len((await stream(service, **filters))[1]) == expected


async def test_an_installation_without_signals_streams_a_header_alone(service: Service) -> None:
    header, rows = await stream(service)
    assert (rows, header.signal_count_estimate) == ([], 0)
    assert header.input_mark


async def test_the_mark_moves_with_signals_and_bots_and_not_with_duplicates(
    service: Service,
) -> None:
    marks = []
    for batch in ([new_signal("1")], [new_signal("1")], [new_signal("2")]):
        await service.write(batch)
        marks.append((await stream(service))[0].input_mark)
    with service.database.connect() as connection:
        connection.execute(
            "INSERT INTO installation_bots (installation_id, user_id, added_by)"
            " VALUES (%s, 4, 'x')",
            [INSTALLATION_ID],
        )
    header, _ = await stream(service)

    assert marks[0] == marks[1]
    assert len({*marks, header.input_mark}) == 3
    assert list(header.bot_user_ids) == [4]


async def test_references_come_where_they_are_asked_for(service: Service) -> None:
    told = signal_entities_pb2.SignalMetadata(number=7, title="Café", object_id="68477208")
    await service.write([new_signal("1", metadata=told), new_signal("2")])
    _, rows = await stream(service, include_references=True)
    assert sorted((each["number"], each["object_id"], each["title"]) for each in rows) == [
        (0, "", ""),
        (7, "68477208", "Café"),
    ]
    _, plain = await stream(service)
    left = [{k: v for k, v in row.items() if k in plain[0]} for row in rows]
    assert left == plain
    assert not {"number", "object_id", "title"} & set(plain[0])


async def test_only_scoring_may_stream(service: Service) -> None:
    request = StreamSignalsRequest(installation_id=INSTALLATION_ID)
    with pytest.raises(RemoteError) as caught:
        [answer async for answer in service.operator.StreamSignals(request)]
    assert (caught.value.reason, caught.value.code) == ("CALLER_NOT_ALLOWED", "PERMISSION_DENIED")


async def test_signals_of_repositories_that_a_user_cannot_read_are_left_out(
    service: Service,
) -> None:
    await service.write(world_of_signals())
    seen = [each for each in await pages(service, 50) if each.repository_id != REPOSITORY_ID]
    service.user.access_of_user = Access(hidden_repositories=frozenset({REPOSITORY_ID}))
    user = signal_pb2_grpc.SignalServiceStub(service.server.channel_with(StaticToken(TOKEN)))
    first = await user.ListSignals(ListSignalsRequest(installation_id=INSTALLATION_ID, page_size=9))
    rest = await user.ListSignals(
        ListSignalsRequest(
            installation_id=INSTALLATION_ID, page_size=50, page_token=first.next_page_token
        )
    )
    assert [*first.signals, *rest.signals] == seen
    named = ListSignalsRequest(installation_id=INSTALLATION_ID, repository_id=REPOSITORY_ID)
    assert not (await user.ListSignals(named)).signals
