"""An exported file is there whole or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from laurel.leaderboard.v1.export_pb2 import ExportHeader, ExportLeaderboardResponse
from laurel_cli.exporting import write_export


async def parts(*, broken: bool = False) -> AsyncIterator[ExportLeaderboardResponse]:
    yield ExportLeaderboardResponse(header=ExportHeader(entry_count=2))
    yield ExportLeaderboardResponse(data=b"a,b\r\n")
    if broken:
        raise ConnectionError("away")
    yield ExportLeaderboardResponse(data=b"1,2\r\n")


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


async def test_a_whole_file_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    output = tmp_path / "board.csv"
    output.write_bytes(b"former")
    assert await write_export(parts(), output) == 2
    assert output.read_bytes() == b"a,b\r\n1,2\r\n"
    assert names(tmp_path) == [output.name]


async def test_what_breaks_off_leaves_the_former_file(tmp_path: Path) -> None:
    output = tmp_path / "board.csv"
    output.write_bytes(b"former")
    with pytest.raises(ConnectionError):
        await write_export(parts(broken=True), output)
    assert output.read_bytes() == b"former"
    assert names(tmp_path) == [output.name]


@pytest.mark.parametrize("output", [None, Path("-")])
async def test_without_a_file_it_goes_to_stdout(
    output: Path | None, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    await write_export(parts(), output)
    assert capfdbinary.readouterr().out == b"a,b\r\n1,2\r\n"
