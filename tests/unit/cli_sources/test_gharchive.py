"""Files of GH Archive, plain, packed, cut off, damaged."""

import gzip
import hashlib
from pathlib import Path

import pytest

from laurel_cli.sources import gharchive
from laurel_cli.sources.gharchive import ArchiveFile

LINES = [f'{{"id": {each}, "text": "é\u2028"}}'.encode() for each in range(2_000)]
CONTENT = b"\n".join(LINES) + b"\n"


def archive(path: Path, content: bytes) -> ArchiveFile:
    path.write_bytes(content)
    return ArchiveFile(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CONTENT, id="plain"),
        pytest.param(CONTENT[:-1], id="plain, without a last line end"),
        pytest.param(CONTENT.replace(b"\n", b"\r\n"), id="plain, with carriage returns"),
        pytest.param(gzip.compress(CONTENT), id="packed"),
        pytest.param(
            gzip.compress(CONTENT[:10_000]) + gzip.compress(CONTENT[10_000:]), id="packed in parts"
        ),
    ],
)
def test_every_line_comes_out_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = archive(tmp_path / "file", content)
    assert list(file.lines()) == LINES
    assert file.problem is None
    assert file.bytes_read == file.size


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    file = archive(tmp_path / "file", b"")
    assert (list(file.lines()), file.problem) == ([], None)


def test_a_packed_file_that_is_cut_off_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    lines = [hashlib.sha256(str(each).encode()).hexdigest().encode() for each in range(5_000)]
    packed = gzip.compress(b"\n".join(lines))
    file = archive(tmp_path / "file", packed[: len(packed) // 2])
    found = list(file.lines())
    assert found == lines[: len(found)]
    assert 1_000 < len(found) < 5_000
    assert file.problem == "the file ends before its compressed data does"


def test_a_packed_file_that_is_damaged_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    lines = [hashlib.sha256(str(each).encode()).hexdigest().encode() for each in range(5_000)]
    packed = bytearray(gzip.compress(b"\n".join(lines)))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(40)
    file = archive(tmp_path / "file", bytes(packed))
    found = list(file.lines())
    assert found[:1_000] == lines[:1_000]
    assert len(found) < len(lines)
    assert file.problem is not None


def test_a_line_without_end_is_not_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gharchive, "MAX_LINE_BYTES", 1_000)
    file = archive(tmp_path / "file", b"a\n" + b"x" * 5_000 + b"\nb\n")
    assert list(file.lines()) == [b"a", b"", b"b"]
    assert file.overlong_lines == 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(ArchiveFile(tmp_path / "none").lines())
