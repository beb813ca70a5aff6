"""Lines of GH Archive files, plain or gzip, as they stand, however large the file."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_CHUNK = 1 << 18
# Unpacked in small pieces: damage costs no more than the piece that it is met in.
_PIECE = 1 << 14
MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is no event: GitHub cuts payloads far below. An empty one stands in its place."""


@dataclass(slots=True)
class ArchiveFile:
    """A file to be read once; what is wrong with it stands in `problem` when `lines` has ended.

    `bytes_read` counts those of the file itself, which a progress bar compares to `size`.
    """

    path: Path
    problem: str | None = None
    bytes_read: int = 0
    overlong_lines: int = 0

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        return self.path.stat().st_size

    def lines(self) -> Iterator[bytes]:
        """Each line without its end; all that is whole where the file is cut off or damaged.

        Raises OSError where the file can't be opened or read.
        """
        with self.path.open("rb") as raw:
            magic = raw.read(len(_GZIP_MAGIC))
            raw.seek(0)
            packed = magic == _GZIP_MAGIC
            yield from self._cut(self._unpacked(raw) if packed else self._chunks(raw))

    def _chunks(self, raw: BinaryIO) -> Iterator[bytes]:
        while chunk := raw.read(_CHUNK):
            self.bytes_read += len(chunk)
            yield chunk

    def _unpacked(self, raw: BinaryIO) -> Iterator[bytes]:
        """Content of one gzip member after the other.

        By hand, because the standard reader withholds what it had unpacked when the end is missing.
        """
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            for chunk in self._chunks(raw):
                rest = chunk
                while rest:
                    if member.eof:
                        member = zlib.decompressobj(_GZIP_WINDOW)
                    yield member.decompress(rest, _CHUNK)
                    # Zeros may pad the end of a member.
                    rest = (
                        member.unused_data.lstrip(b"\0") if member.eof else member.unconsumed_tail
                    )
        except zlib.error:
            self.problem = "the file's compressed data is damaged"
            return
        if not member.eof:
            yield member.flush()
            self.problem = "the file ends before its compressed data does"

    def _cut(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Lines of chunks; what is left at the end is one where nothing is wrong."""
        pending: list[bytes] = []
        length = 0
        for chunk in chunks:
            first, *others = chunk.split(b"\n")
            pending.append(first)
            length += len(first)
            for other in others:
                yield self._line(pending, length)
                pending, length = [other], len(other)
            if length > MAX_LINE_BYTES:
                pending = []
        if length and self.problem is None:
            yield self._line(pending, length)

    def _line(self, parts: list[bytes], length: int) -> bytes:
        if length > MAX_LINE_BYTES:
            self.overlong_lines += 1
            return b""
        return b"".join(parts).rstrip(b"\r")
