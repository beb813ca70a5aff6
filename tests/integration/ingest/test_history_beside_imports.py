"""GitHub's API, an archive and a clone tell of one repository: whoever comes first, one signal."""

from typing import Any

import orjson

from laurel_ingest.application.import_events import GitSource, ImportEvents
from laurel_ingest.application.line_reading import RawBatch
from tests.support.github.graphql_shapes import stamp
from tests.support.ingest_github import clone
from tests.support.ingest_ground import Ground, expected


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
