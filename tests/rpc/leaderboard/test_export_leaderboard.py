"""ExportLeaderboard over the wire."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from laurel.leaderboard.v1 import export_pb2, leaderboard_pb2, leaderboard_pb2_grpc
from laurel_common.auth.access import Access
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_leaderboard.application import export_leaderboard
from laurel_leaderboard.domain.boards import EntityType, TimePeriod
from laurel_leaderboard.domain.exports import COLUMNS, Format
from laurel_leaderboard.reading import EXPORTS_EACH, EXPORTS_TOGETHER
from tests.rpc.leaderboard.conftest import Service
from tests.support.leaderboard_builders import (
    CONTRIBUTORS,
    INSTALLATION,
    TEAMS,
    BoardOf,
    board_message,
    stream_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCORES = {**{number: 825_000 - 7 * number for number in range(1, 8)}, 8: -5, 9: -5, 10: -5, 11: 0}


@pytest.fixture
def service(emptied_service: Service) -> Service:
    return emptied_service


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices that end within ties, pieces that end within lines."""
    monkeypatch.setattr(export_leaderboard, "SLICE_ROWS", 2)
    monkeypatch.setattr(export_leaderboard, "PIECE_BYTES", 100)


def request(form: Format = Format.CSV, **fields: Any) -> export_pb2.ExportLeaderboardRequest:
    values: dict[str, Any] = {"board": board_message(), "format": int(form)} | fields
    return export_pb2.ExportLeaderboardRequest(**values)


async def export(stub: Any, wanted: Any) -> tuple[export_pb2.ExportHeader, bytes]:
    first, *pieces = [part async for part in stub.ExportLeaderboard(wanted)]
    assert {part.WhichOneof("message") for part in pieces} == {"data"}
    return first.header, b"".join(part.data for part in pieces)


def parsed(form: Format, data: bytes) -> list[dict[str, Any]]:
    """The rows of a file, as its own kind of reader reads them."""
    if form is Format.ARROW:
        with pa.ipc.open_stream(data) as reader:
            assert reader.schema == COLUMNS
            rows: list[dict[str, Any]] = reader.read_all().to_pylist()
            return rows
    text = data.decode()
    if form is Format.JSON_LINES:
        return [json.loads(line) for line in text.splitlines()]
    assert text.count("\n") == text.count("\r\n")
    numbers = [field.name for field in COLUMNS if pa.types.is_integer(field.type)]
    return [
        {
            name: (int(value) if name in numbers else value) if value else None
            for name, value in row.items()
        }
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("form", Format)
async def test_a_file_holds_the_board_as_its_page_shows_it(service: Service, form: Format) -> None:
    await service.publish(*stream_of(BoardOf({1: 5, 8: 90})))
    service.clock.advance(timedelta(days=31))
    await service.inner.retire()
    await service.publish(*stream_of(BoardOf(SCORES), as_of=service.clock.now()))
    page = await service.boards.GetLeaderboard(
        leaderboard_pb2.GetLeaderboardRequest(board=board_message())
    )
    header, data = await export(service.boards, request(form))
    assert (header.materialization_id, header.entry_count) == (page.materialization_id, len(SCORES))
    assert header.board.preset_id == page.preset_id
    assert header.media_type.partition(";")[0] in {
        "text/csv",
        "application/jsonl",
        "application/vnd.apache.arrow.stream",
    }
    rows = parsed(form, data)
    assert [row["entity_id"] for row in rows] == [entry.entity.id for entry in page.entries]
    for row, entry in zip(rows, page.entries, strict=True):
        assert list(row) == COLUMNS.names
        assert (row["rank"], row["login"], row["name"]) == (
            entry.rank,
            entry.entity.login,
            entry.entity.name,
        )
        assert (row["score"], row["score_e4"]) == (entry.score, entry.score_e4)
        assert (row["commits_e4"], row["penalties_e4"]) == (
            entry.breakdown.commits_e4,
            entry.breakdown.penalties_e4,
        )
        assert (row["count_commit"], row["count_spam"]) == (entry.counts.commit, entry.counts.spam)
        assert (row["additions"], row["deletions"]) == (entry.additions, entry.deletions)
        assert row["member_count"] is None
        previous = entry.previous_rank if entry.HasField("previous_rank") else None
        assert row["previous_rank"] == previous
    assert rows[-1]["previous_rank"] is None


@pytest.mark.parametrize("form", Format)
async def test_an_empty_board_is_a_file_without_rows(service: Service, form: Format) -> None:
    await service.publish(*stream_of(BoardOf({})))
    header, data = await export(service.boards, request(form))
    assert header.entry_count == 0
    assert parsed(form, data) == []


async def test_a_name_is_no_formula(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"):  # noqa: RUF001 - meant
        monkeypatch.setattr(service.profiles, "suffix", "")
        monkeypatch.setattr(service.profiles, "name_of", lambda _id, name=name: name)
        rows = parsed(Format.CSV, (await export(service.boards, request()))[1])
        assert rows[0]["name"] == "'" + name
        # Programs get what the name is.
        wanted = request(Format.JSON_LINES)
        assert (
            parsed(Format.JSON_LINES, (await export(service.boards, wanted))[1])[0]["name"] == name
        )
    for name in ('He said "hi", twice', "two\r\nlines"):
        monkeypatch.setattr(service.profiles, "name_of", lambda _id, name=name: name)
        rows = parsed(Format.CSV, (await export(service.boards, request()))[1])
        assert [row["name"] for row in rows] == [name]


async def test_a_replaced_version_is_exported_while_it_is_kept(service: Service) -> None:
    await service.publish(*stream_of(BoardOf({1: 1})))
    first, _ = await export(service.boards, request())
    later = service.clock.advance(timedelta(minutes=1))
    await service.publish(*stream_of(BoardOf({1: 2}), as_of=later))
    wanted = request(materialization_id=first.materialization_id)
    _, data = await export(service.boards, wanted)
    assert parsed(Format.CSV, data)[0]["score_e4"] == 1
    assert parsed(Format.CSV, (await export(service.boards, request()))[1])[0]["score_e4"] == 2
    service.clock.advance(timedelta(hours=25))
    assert await refused(service.boards, wanted) == ("FAILED_PRECONDITION", "VERSION_EXPIRED")


async def test_what_is_hidden_has_no_name_in_a_file(service: Service) -> None:
    repositories = CONTRIBUTORS._replace(entity_type=EntityType.REPOSITORY)
    boards = BoardOf({901: 2, 902: 1}, repositories), BoardOf({801: 1}, TEAMS)
    await service.publish(*stream_of(*boards))
    user = service.user(Access(hidden_repositories=frozenset({901})))
    _, data = await export(user, request(board=board_message(repositories)))
    shown = [(row["rank"], row["entity_id"], row["login"]) for row in parsed(Format.CSV, data)]
    assert shown == [(1, None, None), (2, 902, "repository-902")]
    outside = service.user(Access(readable_repositories=frozenset({902})))
    wanted = request(board=board_message(TEAMS))
    assert await refused(outside, wanted) == ("NOT_FOUND", "BOARD_NOT_FOUND")


@pytest.mark.usefixtures("small_slices")
async def test_an_installation_runs_so_many_exports_at_once(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    running = [service.boards.ExportLeaderboard(request()) for _ in range(EXPORTS_EACH)]
    started = [await aiter(each).__anext__() for each in running]
    assert all(part.HasField("header") for part in started)
    with service.inner.export_places.place(5):
        with pytest.raises(RemoteError) as failed:
            await export(service.boards, request())
        assert (failed.value.code, failed.value.reason) == (
            "RESOURCE_EXHAUSTED",
            "INSTALLATION_BUSY",
        )
        assert failed.value.retry_after is not None
    for each in running:
        each.cancel()


async def test_all_installations_together_run_so_many_exports(service: Service) -> None:
    await service.publish(*stream_of(BoardOf(SCORES)))
    places = [service.inner.export_places.place(1000 + n) for n in range(EXPORTS_TOGETHER)]
    for place in places:
        place.__enter__()
    try:
        assert await refused(service.boards, request()) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
    finally:
        for place in places:
            place.__exit__(None, None, None)
    assert (await export(service.boards, request()))[0].entry_count == len(SCORES)


async def refused(stub: Any, wanted: Any) -> tuple[str, str]:
    with pytest.raises(RemoteError) as failed:
        await export(stub, wanted)
    return failed.value.code, failed.value.reason


async def test_what_is_not_there_is_not_exported(service: Service) -> None:
    months = CONTRIBUTORS._replace(time_period=TimePeriod.MONTH)
    await service.publish(*stream_of(BoardOf({1: 1})))
    header, _ = await export(service.boards, request())
    found = await refused(service.boards, request(board=board_message(months)))
    assert found == ("NOT_FOUND", "BOARD_NOT_FOUND")
    other = request(board=board_message(months), materialization_id=header.materialization_id)
    assert await refused(service.boards, other) == ("NOT_FOUND", "VERSION_NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"board": None}, "board"), ({"format": 0}, "format"), ({"format": 9}, "format")],
    ids=str,
)
async def test_a_faulty_request_names_its_fields(
    service: Service, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(RemoteError) as failed:
        await export(service.boards, request(**fields))
    assert (failed.value.code, failed.value.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert [violation.field for violation in failed.value.violations] == [field]


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        (PrincipalKind.BACKEND, {"installations": [5]}, "INSTALLATION_NOT_COVERED"),
        (PrincipalKind.SERVICE, {}, "CALLER_NOT_ALLOWED"),
        (PrincipalKind.GATEWAY, {}, "CALLER_NOT_ALLOWED"),
    ],
)
async def test_others_export_nothing(
    service: Service, kind: PrincipalKind, options: dict[str, Any], reason: str
) -> None:
    channel = service.channel(kind, name=f"some-{kind}", **options)
    stub = leaderboard_pb2_grpc.LeaderboardServiceStub(channel)
    wanted = request(board=board_message(installation_id=INSTALLATION))
    assert await refused(stub, wanted) == ("PERMISSION_DENIED", reason)
