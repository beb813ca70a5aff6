"""One event is one signal, whether an archive, a clone or both tell of it, in either order, and
whoever owns the repository by then.
"""

import asyncio
import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from laurel.common.v1 import types_pb2
from laurel.ingest.v1 import signal_entities_pb2, signal_pb2_grpc, signal_reads_pb2
from laurel_cli.demo.cast import PEOPLE, Account
from laurel_cli.demo.shapes import hashed_email
from laurel_cli.importing.imports import find_clone, import_archives, import_clone
from laurel_common.errors import RemoteError
from laurel_ingest.domain.identities import synthetic_id_of_email
from tests.e2e.running import laurel as laurel_command
from tests.support.stack_running import Laurel, until
from tests.support.world_actions import (
    import_lines,
    list_signals,
    patiently,
    put_roster,
    reading,
)
from tests.support.world_boards import board
from tests.support.world_git import (
    REPOSITORY_ID,
    Commit,
    make_repository,
    pushed,
)
from tests.support.world_integrity import as_told, check_integrity
from tests.support.world_story import tell
from tests.support.world_tenants import Tenant

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
PUSHED = START + timedelta(days=3)


async def test_commits_of_archive_and_clone_are_the_same_signals(
    laurel: Laurel, tmp_path: Path
) -> None:
    tenant = Tenant(1)
    commits = make_repository(tmp_path / "clone", tenant, START)
    await put_roster(laurel, tenant, START)

    archived = await import_lines(laurel, pushed(tenant, commits, PUSHED))
    # Six commits, one of them by two people.
    assert archived.totals.new == 7
    at_push = await list_signals(laurel, tenant.installation_id)
    assert {each.event_time.ToDatetime(tzinfo=UTC) >= PUSHED for each in at_push} == {True}

    cloned = await import_clone(laurel.caller, find_clone(tmp_path / "clone"))
    signals = await list_signals(laurel, tenant.installation_id)
    assert _credits(signals) == _credits(at_push)
    assert (cloned.totals.new, cloned.totals.changed) == (0, 7)
    # The clone knows better: when, by whom, how many lines, and that a merge brought it.
    by_sha = {each.metadata.object_id: each for each in signals if not _co_authored(each)}
    for commit in commits[:-1]:
        signal = by_sha[commit.sha]
        assert signal.event_time.ToDatetime(tzinfo=UTC) == commit.at
        assert signal.user_id == commit.author.id
    merged = {sha for sha, each in by_sha.items() if each.metadata.is_in_merged_pr}
    assert merged == {commits[2].sha, commits[3].sha, commits[4].sha}
    check_integrity(laurel.connect)


async def test_a_hashed_author_whom_only_the_directory_knows_is_that_person(
    laurel: Laurel,
) -> None:
    tenant, quiet = Tenant(8), Account(2_000_000_150, "quiet-author", "Quiet Author")
    roster = tenant.roster(START)
    roster.users.add(id=quiet.id, login=quiet.login, name=quiet.name)
    await put_roster(laurel, tenant, START, roster)
    # Somebody else pushes: an address that is hashed is all that tells of the author.
    commit = Commit("c0ffee" + "0" * 34, quiet, "Say nothing", START)
    await import_lines(laurel, pushed(tenant, [commit], PUSHED, by=PEOPLE[0].account))
    (signal,) = await list_signals(laurel, tenant.installation_id)
    assert signal.user_id == quiet.id


async def test_an_author_whom_only_an_operator_knows_is_that_person_until_released(
    laurel: Laurel,
) -> None:
    """Signals and boards follow `laurel claim`, whatever dies meanwhile."""
    tenant, (ada, kim) = Tenant(10), [each.account for each in PEOPLE[:2]]
    await put_roster(laurel, tenant, START)
    commits = [Commit(f"{each:040x}", kim, "Wind it", START) for each in range(1, 6)]
    strange = [
        line.replace(hashed_email(kim).encode(), b"kim@home.example")
        for line in pushed(tenant, commits, PUSHED, by=ada)
    ]
    await import_lines(laurel, strange)
    author = synthetic_id_of_email("kim@home.example")
    assert await _commits_by_user(laurel, tenant) == {author: 5}

    starts = laurel.starts("ingest")
    laurel.kill("ingest")
    claimed = await _claim(laurel, str(author), kim.login)
    assert (claimed["user_id"], claimed["moved_signal_count"]) == (str(kim.id), "5")
    await laurel.until_back("ingest", after=starts)
    assert await _commits_by_user(laurel, tenant) == {kim.id: 5}
    whole = board(tenant.installation_id, "organization", 0, "contributor", "all_time")

    async def is_shown() -> bool:
        async with reading(laurel) as reader:
            try:
                entries = (await reader.walk(whole)).entries
            except RemoteError:
                return False
        return {each.entity.id for each in entries} == {kim.id}

    await until(is_shown, "the board shows whom the author is")
    released = await _claim(laurel, str(author), "--release")
    assert released["released"]
    assert await _commits_by_user(laurel, tenant) == {author: 5}
    check_integrity(laurel.connect)


async def _claim(laurel: Laurel, *arguments: str) -> dict[str, Any]:
    data = laurel.stack.layout.root
    command = ("claim", *arguments, "--json", "--data", str(data))
    done = await asyncio.to_thread(laurel_command, data, *command)
    return dict[str, Any](json.loads(done.stdout))


async def _commits_by_user(laurel: Laurel, tenant: Tenant) -> Counter[int]:
    signals = await patiently(lambda: list_signals(laurel, tenant.installation_id))
    return Counter(each.user_id for each in signals)


async def test_the_order_of_the_sources_does_not_matter(laurel: Laurel, tmp_path: Path) -> None:
    told = []
    for number, git_first in ((2, True), (3, False)):
        tenant = Tenant(number)
        path = tmp_path / str(number)
        commits = make_repository(path, tenant, START)
        await put_roster(laurel, tenant, START)
        lines = pushed(tenant, commits, PUSHED)
        if not git_first:
            await import_lines(laurel, lines)
        clone = find_clone(path, repository_id=REPOSITORY_ID + tenant.offset)
        await import_clone(laurel.caller, clone)
        if git_first:
            again = await import_lines(laurel, lines)
            assert (again.totals.new, again.withdrawn) == (0, 0)
        signals = as_told(tenant, await list_signals(laurel, tenant.installation_id))
        # SHAs differ, because the merge names its owner; everything else is the same.
        told.append(sorted((kind, user, at, value) for kind, _, _, user, at, value, _ in signals))
    assert told[0] == told[1]


async def test_a_clone_imported_twice_brings_nothing_new(laurel: Laurel, tmp_path: Path) -> None:
    tenant = Tenant(4)
    make_repository(tmp_path / "clone", tenant, START)
    await put_roster(laurel, tenant, START)
    clone = find_clone(tmp_path / "clone", repository_id=REPOSITORY_ID + tenant.offset)
    first = await import_clone(laurel.caller, clone)
    again = await import_clone(laurel.caller, clone)
    assert first.totals.new == 7
    assert (again.totals.new, again.totals.changed, again.totals.duplicate) == (0, 0, 7)
    signals = await list_signals(laurel, tenant.installation_id)
    # Two people share the last commit, and its lines.
    assert len({each.metadata.object_id for each in signals}) == 6
    last = [each for each in signals if _co_authored(each)]
    assert {each.user_id for each in last} <= {each.account.id for each in PEOPLE}


async def test_files_with_broken_lines_and_a_cut_end_give_what_is_whole(
    laurel: Laurel, tmp_path: Path
) -> None:
    tenant = Tenant(5)
    commits = make_repository(tmp_path / "clone", tenant, START)
    lines = pushed(tenant, commits, PUSHED)
    broken = [
        lines[0],
        b"not json at all",
        b'{"type": "PushEvent"',
        b'{"type": "SomethingNewEvent", "id": "1", "actor": {"id": 1, "login": "a"}, "repo":'
        b' {"id": 5, "name": "b/c"}, "payload": {}, "created_at": "2021-01-01T00:00:00Z"}',
        b'{"type": "PushEvent", "created_at": "2013-01-01T00:00:00Z", "actor": "someone",'
        b' "repository": {"id": 3, "name": "x", "owner": "y"}, "payload": {}}',
        *lines[1:],
    ]
    plain = tmp_path / "plain.json"
    plain.write_bytes(b"\n".join(broken) + b"\n")
    whole = gzip.compress(b"\n".join(lines) + b"\n")
    cut = tmp_path / "cut.json.gz"
    cut.write_bytes(whole[:-20])
    summary = await import_archives(laurel.caller, [plain, cut], [])
    assert summary.totals.new == 7
    assert summary.skipped["malformed_json"] == 2
    assert summary.skipped["unknown_event_type"] == 1
    assert summary.skipped["before_2015"] == 1
    named = {(each.file_name, each.line_number) for each in summary.problems}
    assert {("plain.json", number) for number in (2, 3, 4, 5)} <= named
    assert any(each.file_name == "cut.json.gz" for each in summary.problems)
    again = await import_archives(laurel.caller, [plain, cut], [])
    assert (again.totals.new, again.totals.changed) == (0, 0)


async def test_an_owner_option_lets_nobody_else_in(laurel: Laurel, tmp_path: Path) -> None:
    wanted, other = Tenant(6), Tenant(7)
    file = tmp_path / "two.json"
    text = b""
    for tenant in (wanted, other):
        commits = make_repository(tmp_path / tenant.login, tenant, START)
        text += b"\n".join(pushed(tenant, commits, PUSHED)) + b"\n"
    file.write_bytes(text)
    summary = await import_archives(laurel.caller, [file], [wanted.login.upper()])
    assert summary.totals.new == 7
    assert summary.installation_ids == {wanted.installation_id}
    assert {each.type for each in await list_signals(laurel, wanted.installation_id)} == {
        types_pb2.SIGNAL_TYPE_COMMIT
    }


async def test_what_is_told_again_under_another_owner_moves_there(laurel: Laurel) -> None:
    former, later = Tenant(0), Tenant(9)
    story = await tell(laurel, ("geocoder",), length=120, cut=60)
    before = await list_signals(laurel, former.installation_id)
    mark = await _mark(laurel, former)
    moved = [
        line.replace(former.login.encode(), later.login.encode()).replace(
            str(former.account_id).encode(), str(later.account_id).encode()
        )
        for line in story.lines
    ]
    summary = await import_lines(laurel, moved)
    assert summary.totals.new == 0
    assert await list_signals(laurel, former.installation_id) == []
    after = await list_signals(laurel, later.installation_id)
    assert [each.content_hash for each in after] == [each.content_hash for each in before]
    # Scoring asks by this mark whether a board is still what its inputs make.
    assert await _mark(laurel, former) != mark
    check_integrity(laurel.connect)


async def _mark(laurel: Laurel, tenant: Tenant) -> str:
    request = signal_reads_pb2.StreamSignalsRequest(installation_id=tenant.installation_id)
    async with laurel.service("scoring").channel("ingest") as channel:
        stub = signal_pb2_grpc.SignalServiceStub(channel)
        headers = [
            each.header.input_mark
            async for each in stub.StreamSignals(request)
            if each.WhichOneof("message") == "header"
        ]
    (mark,) = headers
    return mark


def _credits(signals: list[signal_entities_pb2.Signal]) -> set[tuple[str, int]]:
    return {(each.content_hash, each.user_id) for each in signals}


def _co_authored(signal: signal_entities_pb2.Signal) -> bool:
    return signal.metadata.title.startswith("Polish")
