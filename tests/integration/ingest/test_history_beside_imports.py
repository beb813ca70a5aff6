"""GitHub's API, an archive and a clone tell of one repository: whoever comes first, one signal."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from laurel_ingest.application.history.github import Listing
from laurel_ingest.application.import_events import GitSource, ImportEvents
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.domain.history.runs import Preset
from laurel_ingest.storage.postgres import PostgresStorage
from tests.support.github.activity import Activity
from tests.support.github.graphql_shapes import stamp
from tests.support.github.history import BEGINNING
from tests.support.held_reading import Held
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_github import clone
from tests.support.ingest_ground import NOW, Ground, expected


def archive(ground: Ground) -> list[bytes]:
    """Openings and closings as GH Archive tells them."""
    repository = ground.story.repositories[0]
    base = {
        "repo": {"id": repository.id, "name": ground.story.world.full_name(repository)},
        "org": {"id": ground.story.organization.id, "login": "Acme"},
        "public": True,
    }
    lines: list[Any] = []
    for one in ground.activity().issues.values():
        author = {
            "id": one.author_id,
            "login": ground.story.world.accounts[one.author_id or 0].login,
        }
        issue = {
            "id": one.number,
            "number": one.number,
            "title": one.title,
            "user": author,
            "created_at": stamp(one.created_at),
        }
        event = {"type": "IssuesEvent", "actor": author, "created_at": stamp(one.created_at)}
        lines.append(base | event | {"id": "1", "payload": {"action": "opened", "issue": issue}})
    return [orjson.dumps(each) for each in lines]


async def test_an_archive_and_a_clone_beside_a_run_leave_one_signal_each(
    ground: Ground, imports: ImportEvents
) -> None:
    name = ground.story.world.full_name(ground.story.repositories[0])
    only = ground.story.repositories[0].id

    async def import_all() -> None:
        await imports.archive([]).take(RawBatch(archive(ground)))
        await imports.git(GitSource(name, only)).take(RawBatch(clone(ground.activity())))

    await ground.run(only=only)
    alone = ground.signals()
    assert ground.counts() == expected([ground.activity()])
    await import_all()
    assert ground.signals() == alone
    with ground.database.connect() as connection:
        connection.execute(
            "TRUNCATE signals, signal_keys, repository_facts, repository_histories,"
            " synthetic_user_claims, installation_signal_states CASCADE"
        )
    await import_all()
    assert ground.signals() != alone
    await ground.run(only=only)
    assert ground.signals() == alone


@pytest.mark.parametrize("begins", ["with news", "with a look"])
async def test_a_clone_that_is_newer_than_the_head_that_is_read_keeps_its_commits(
    ground: Ground, storage: PostgresStorage, held: Held, begins: str
) -> None:
    only, activity = ground.story.repositories[0].id, ground.activity()
    name = ground.story.world.full_name(ground.story.repositories[0])
    imports = ImportEvents(storage, DatabaseDirectory(ground.database.url()), ground.clock)
    await ground.run(only=only)
    is_look = begins == "with a look"
    if not is_look:
        activity.commit("read", BEGINNING + timedelta(days=8))
    asked = await ground.request(only=only, is_reconciling=is_look)
    await ground.lane.run_ingest(asked.id)
    (work_id,) = ground.open_works(asked.id)
    await held.reading(ground.lane, work_id, Listing.ALL_PULLS if is_look else Listing.COMMITS)
    ground.clock.advance(timedelta(minutes=1))
    activity.commit("newer", BEGINNING + timedelta(days=9))
    gone = activity.commits.pop(activity.commit("never pushed", BEGINNING + timedelta(days=10)).oid)
    clone_of = Activity(activity.commits | {gone.oid: gone}, gone.oid)
    await imports.git(GitSource(name, only)).take(RawBatch(clone(clone_of)))
    activity.head = gone.parents[0]
    await held.finish()
    run = await ground.work_off(asked.id)
    assert run.withdrawn_count == 0
    assert ground.counts()["commit"] == expected([clone_of])["commit"]
    # The next one meets them, and knows what was never there.
    await ground.run(only=only)
    assert ground.counts() == expected([activity])


async def test_an_archive_and_a_clone_fill_what_a_short_run_left_open(
    ground: Ground, imports: ImportEvents
) -> None:
    only, activity = ground.story.repositories[0].id, ground.activity()
    name = ground.story.world.full_name(ground.story.repositories[0])
    ground.clock.set(BEGINNING + timedelta(hours=3, minutes=50))
    await ground.run(only=only, preset=Preset.TODAY)
    short = ground.counts()
    ground.clock.set(NOW)
    await imports.archive([]).take(RawBatch(archive(ground)))
    await imports.git(GitSource(name, only)).take(RawBatch(clone(activity)))
    filled, whole = ground.counts(), expected([activity])
    for kind in ("commit", "issue_open"):
        assert (filled[kind], short.get(kind, 0) <= whole[kind]) == (whole[kind], True)
    installations = ground.rows("SELECT DISTINCT installation_id FROM signals")
    assert installations == [(ground.story.installation.id,)]
    again = await imports.git(GitSource(name, only)).take(RawBatch(clone(activity)))
    assert sum(each.new + each.changed for each in again.by_type.values()) == 0
    run = await ground.run(only=only)
    assert ground.counts() == whole
    assert run.new_count == sum(whole.values()) - sum(filled.values())
