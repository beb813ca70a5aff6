"""Files and clones as they are handed to the stream."""

import gzip
from pathlib import Path

import pytest

from laurel_cli.errors import UsageError
from laurel_cli.importing.imports import _file_batches, archive_lines
from laurel_cli.importing.summary import ImportSummary

LINES = [f'{{"id": "{number}", "noise": "{number * 7919}"}}'.encode() for number in range(5_000)]


def test_a_file_that_is_cut_off_is_named_and_what_is_whole_goes_in(tmp_path: Path) -> None:
    path = tmp_path / "hour.json.gz"
    whole = gzip.compress(b"".join(line + b"\n" for line in LINES))
    path.write_bytes(whole[: len(whole) // 2])
    summary, progress = ImportSummary(), list[int]()
    found = [line for each in _file_batches(path, summary, progress.append) for line in each.lines]
    assert 0 < len(found) < len(LINES)
    assert found == LINES[: len(found)]
    assert [(each.file_name, each.reason) for each in summary.problems] == [
        ("hour.json.gz", "damaged_file")
    ]
    assert 0 < sum(progress) <= len(whole) // 2


@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
def test_a_whole_file_has_no_problems_and_all_of_it_is_counted(
    tmp_path: Path, packed: bool
) -> None:
    path = tmp_path / "hour.json"
    text = b"".join(line + b"\n" for line in LINES)
    path.write_bytes(gzip.compress(text) if packed else text)
    summary, progress = ImportSummary(), list[int]()
    found = [line for each in _file_batches(path, summary, progress.append) for line in each.lines]
    assert found == LINES
    assert summary.problems == []
    assert sum(progress) == path.stat().st_size
    assert list(archive_lines([path])) == LINES


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        list(archive_lines([tmp_path / "none.json"]))
