"""The demo's year as gzip files, one a month, in the shapes of several years."""

import gzip
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

import orjson

from laurel_cli.demo.cast import ID_BASE
from laurel_cli.demo.events import Happening, Pushed
from laurel_cli.demo.shapes import Shape, event, knows

_NO_COMMIT = "0" * 40
# The year begins in the oldest shape, and the handbook ends in the newest.
_OLD_MONTHS = 2
_NEW_MONTHS = 3
_NEW_REPOSITORY = "handbook"


def write(happenings: Sequence[Happening], directory: Path) -> list[Path]:
    """Writes what happened, oldest first, and returns the files in that order.

    The same happenings give the same bytes. Files of an earlier telling are removed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for stale in directory.glob("*.json.gz"):
        stale.unlink()
    paths = []
    for month, chunk in groupby(lines(happenings), key=lambda each: each[0]):
        path = directory / f"{month}.json.gz"
        text = b"".join(line + b"\n" for _, line in chunk)
        path.write_bytes(gzip.compress(text, compresslevel=1, mtime=0))
        paths.append(path)
    return paths


def lines(happenings: Sequence[Happening]) -> Iterator[tuple[str, bytes]]:
    """The month ("2026-03") and the JSON of each event."""
    months = sorted({_month(each.at) for each in happenings})
    tips: dict[tuple[str, str], str] = {}
    for number, happening in enumerate(happenings, start=ID_BASE * 5):
        month = _month(happening.at)
        shape = shape_of(months.index(month), len(months), happening.repository.name)
        before = _NO_COMMIT
        if isinstance(happening, Pushed):
            branch = (happening.repository.name, happening.branch)
            before = tips.get(branch, _NO_COMMIT)
            tips[branch] = happening.commits[-1].sha
        if knows(shape, happening):
            yield month, orjson.dumps(event(number, happening, shape, before))


def shape_of(month: int, months: int, repository: str) -> Shape:
    """In which shape a repository's events of the `month`-th of `months` months are written."""
    if month < _OLD_MONTHS:
        return Shape.OF_2015
    if repository == _NEW_REPOSITORY and month >= months - _NEW_MONTHS:
        return Shape.SINCE_2025
    return Shape.OF_2021


def _month(at: datetime) -> str:
    return at.strftime("%Y-%m")
