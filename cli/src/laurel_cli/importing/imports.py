"""Imports from files of GH Archive and from git clones, with a bar and a summary."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from laurel.ingest.v1 import signal_imports_pb2
from laurel_cli.display.text import clean
from laurel_cli.errors import UsageError
from laurel_cli.importing.batches import batches_of
from laurel_cli.importing.progress import import_progress
from laurel_cli.importing.stream import EventImport
from laurel_cli.importing.summary import ImportSummary
from laurel_cli.rpc.caller import Caller
from laurel_cli.sources.gharchive import ArchiveFile
from laurel_cli.sources.git import GitClone, GitError

# As ingest and identity take it.
_FULL_NAME = re.compile(r"[^/\s\x00]+/[^/\s\x00]+")


async def import_archives(
    caller: Caller, paths: Sequence[Path], owners: Sequence[str]
) -> ImportSummary:
    """Imports files one after the other; of these accounts' repositories, or of all.

    A file that is damaged is named among the problems, and what is whole of it goes in. Raises
    UsageError for a file that can't be opened, before anything is sent.
    """
    total = sum(_size_of(path) for path in paths)
    summary = ImportSummary()
    header = signal_imports_pb2.ImportEventsHeader(
        source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE, owner_logins=owners
    )
    with import_progress("GH Archive", total) as progress:

        def answered(answer: signal_imports_pb2.ImportEventsResponse) -> None:
            summary.add(answer)
            progress.answered(summary)

        def batches() -> Iterator[signal_imports_pb2.EventBatch]:
            for path in paths:
                yield from _file_batches(path, summary, progress.read)

        await EventImport(caller, header, batches, on_answer=answered).run()
    return summary


def archive_lines(paths: Sequence[Path]) -> Iterator[bytes]:
    """Every line of the files; raises UsageError for one that can't be opened."""
    for path in paths:
        _size_of(path)
        yield from ArchiveFile(path).lines()


def _file_batches(
    path: Path, summary: ImportSummary, read: Callable[[int], None]
) -> Iterator[signal_imports_pb2.EventBatch]:
    file = ArchiveFile(path)
    shown = 0

    def advance() -> None:
        nonlocal shown
        read(file.bytes_read - shown)
        shown = file.bytes_read

    yield from batches_of(file.lines(), file_name=path.name, on_cut=advance)
    if file.problem is not None:
        summary.add_problem(_file_problem(path, "damaged_file", file.problem))
    if file.overlong_lines:
        text = f"{file.overlong_lines} lines were too long to be events"
        summary.add_problem(_file_problem(path, "overlong_line", text))


def _file_problem(path: Path, reason: str, text: str) -> signal_imports_pb2.LineProblem:
    return signal_imports_pb2.LineProblem(file_name=path.name, reason=reason, description=text)


def _size_of(path: Path) -> int:
    try:
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Clone:
    """A git clone, the ref to walk, and the repository that it is of; id 0 where unknown."""

    git: GitClone
    ref: str
    commit_count: int
    full_name: str
    repository_id: int = 0


def find_clone(path: Path, *, full_name: str = "", repository_id: int = 0) -> Clone:
    """The clone at `path`; without a name, that of its remote on GitHub, else local/directory.

    Raises UsageError for what is no clone, or one without a commit.
    """
    git = GitClone(path)
    try:
        name = full_name or git.repository() or f"local/{_directory_name(path)}"
        if not _FULL_NAME.fullmatch(name):
            raise UsageError(f"--repository is owner/name: {name!r}")
        ref = git.default_branch()
        count = git.count(ref)
    except (GitError, OSError) as error:
        raise UsageError(f"{path}: {error}") from error
    return Clone(git, ref, count, name, repository_id)


def _shallow(name: str, count: int) -> signal_imports_pb2.LineProblem:
    text = f"commits at the end of the clone's history, left out: {count} (git fetch --unshallow)"
    return signal_imports_pb2.LineProblem(file_name=name, reason="shallow_clone", description=text)


def _directory_name(path: Path) -> str:
    """The directory's own name, without what a repository's name can't have."""
    resolved = path.resolve()
    top = next(
        (each for each in (resolved, *resolved.parents) if (each / ".git").exists()), resolved
    )
    return "".join(each if each.isalnum() or each in "._-" else "-" for each in top.name) or "clone"


async def import_clone(caller: Caller, clone: Clone) -> ImportSummary:
    """Imports the commits of a clone's default branch."""
    summary = ImportSummary()
    header = signal_imports_pb2.ImportEventsHeader(
        source=signal_imports_pb2.EVENT_SOURCE_GIT,
        repository_full_name=clone.full_name,
        repository_id=clone.repository_id,
    )
    with import_progress(f"git {clean(clone.full_name)}", clone.commit_count) as progress:

        def answered(answer: signal_imports_pb2.ImportEventsResponse) -> None:
            summary.add(answer)
            progress.read(answer.event_count)
            progress.answered(summary)

        def batches() -> Iterator[signal_imports_pb2.EventBatch]:
            edge = clone.git.edge()
            if edge:
                summary.add_problem(_shallow(clone.full_name, len(edge)))
            records = clone.git.records(clone.ref, without=edge)
            yield from batches_of(records, file_name=clone.full_name)

        work = EventImport(
            caller,
            header,
            batches,
            on_answer=answered,
            on_restart=summary.clear,
            # Which merge brought a commit is seen from its children, which come before it.
            whole=True,
        )
        try:
            await work.run()
        except GitError as error:
            raise UsageError(f"{clone.git.path}: {error}") from error
    return summary
