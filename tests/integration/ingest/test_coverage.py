"""What is known of repositories, from imports and webhooks to the run that fills the gaps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from laurel_common.auth.access import Access
from laurel_ingest.application.history.github import Listing
from laurel_ingest.application.import_events import ImportEvents
from laurel_ingest.application.line_reading import RawBatch
from laurel_ingest.domain.history.coverage import CoverageSummary, GapReason
from laurel_ingest.domain.history.runs import Scope
from laurel_ingest.storage.postgres import PostgresStorage
from tests.support.held_reading import Held
from tests.support.ingest_builders import commit, lines_of, push
from tests.support.ingest_ground import Ground

HOUR = timedelta(hours=1)


def bare_push() -> dict[str, Any]:
    """A push as GH Archive shows it since October 2025."""
    told = push()
    del told["payload"]["commits"], told["payload"]["size"]
    return told


async def summary(ground: Ground, repository_id: int | None = None) -> CoverageSummary:
    scope = Scope(ground.story.installation.id, repository_id=repository_id)
    return await ground.lane.cases.summarize(scope, Access.full())


async def gaps(ground: Ground) -> list[dict[GapReason, datetime | None]]:
    page = await ground.lane.cases.coverage(ground.story.installation.id, 0, "", Access.full())
    return [dict(each.gaps) for each in page.repositories]


async def lack(storage: PostgresStorage, ground: Ground, what: str, branch: str | None) -> int:
    """The first repository's source tells of something now that it does not show."""
    at = int(ground.clock.now().timestamp())
    async with storage.transaction() as unit:
        await unit.gaps.note({(ground.story.repositories[0].id, what, branch): at})
    return at


async def test_what_a_run_has_read_is_whole_until_a_source_shows_less_than_happened(
    ground: Ground, storage: PostgresStorage
) -> None:
    first, second = (each.id for each in ground.story.repositories)
    await ground.run()
    whole = await summary(ground)
    assert (whole.repositories, whole.whole, whole.gaps) == (2, 2, {})
    assert whole.known == whole.total > 0
    newest = ground.rows("SELECT max(event_timestamp) FROM signals")
    assert [(whole.last_event_at,)] == newest

    at = await lack(storage, ground, "push_truncated", "")
    await lack(storage, ground, "push_without_commits", "of-no-account")
    assert await gaps(ground) == [
        {GapReason.PUSH_TRUNCATED: datetime.fromtimestamp(at, UTC)},
        {},
    ]
    assert (await summary(ground)).line().startswith("1 of 2 repositories whole, ")
    assert not (await summary(ground, first)).whole
    assert (await summary(ground, second)).whole
    # What an archive tells of the time before the run is in what the run has read.
    ground.clock.advance(-3 * HOUR)
    await lack(storage, ground, "pull_request_without_author", None)
    ground.clock.advance(3 * HOUR)
    assert len((await gaps(ground))[0]) == 1

    ground.clock.advance(HOUR)
    ground.activity().commit("filled", ground.clock.now())
    await ground.run()
    assert await gaps(ground) == [{}, {}]


async def test_a_repository_that_cannot_be_read_says_why(ground: Ground) -> None:
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    (first, second) = ground.open_works(asked.id)
    ground.github.faults.add("GRAPHQL Pulls", retry_after=40)
    await ground.lane.read_repository(first)
    both = {GapReason.NEVER_READ: 2, GapReason.RATE_LIMITED: 2}
    # Nothing is there of a repository before a page of it is.
    assert (await summary(ground)).gaps == dict.fromkeys(both, 1)
    ground.clock.advance(timedelta(seconds=41))
    await ground.work_off(asked.id)
    assert second
    del ground.story.world.repositories[ground.story.repositories[1].id]
    await ground.run()
    assert await gaps(ground) == [{}, {GapReason.NO_ACCESS: None}]


async def test_what_happens_during_a_run_is_not_what_it_has_read(
    ground: Ground, storage: PostgresStorage, held: Held
) -> None:
    await ground.run()
    ground.activity().commit("read", ground.clock.now())
    asked = await ground.request()
    # It waits for its turn; what is told meanwhile is there when GitHub is looked at.
    ground.clock.advance(timedelta(minutes=5))
    await lack(storage, ground, "push_truncated", "")
    ground.clock.advance(timedelta(minutes=5))
    await ground.lane.run_ingest(asked.id)
    await held.reading(ground.lane, ground.open_works(asked.id)[0], Listing.ISSUES)
    ground.clock.advance(timedelta(minutes=5))
    await lack(storage, ground, "push_without_commits", "")
    ground.clock.advance(timedelta(minutes=5))
    await held.finish()
    await ground.work_off(asked.id)
    assert [each.keys() for each in await gaps(ground)] == [{GapReason.PUSH_WITHOUT_COMMITS}, set()]
    ground.activity().commit("and more", ground.clock.now())
    await ground.run()
    assert await gaps(ground) == [{}, {}]


@pytest.mark.parametrize("is_reconciling", [True, False], ids=["the day's", "a person's"])
async def test_a_lost_webhook_is_a_gap_until_a_run_has_read_the_repository(
    ground: Ground, *, is_reconciling: bool
) -> None:
    await ground.run()
    first = ground.story.repositories[0].id
    at = ground.clock.now()
    with ground.database.connect() as owner:
        owner.execute("INSERT INTO coverage_gaps VALUES (%s, 'delivery_lost', %s)", [first, at])
        owner.execute("UPDATE repository_histories SET looked_through_at = checked_at")
    assert await gaps(ground) == [{GapReason.DELIVERY_LOST: at}, {}]
    assert not (await summary(ground, first)).whole
    ground.clock.advance(HOUR)
    ground.activity().issues[1].comments.pop()
    run = await ground.run(is_reconciling=is_reconciling)
    # What it was about may be nothing that a probe could see.
    assert run.withdrawn_count == is_reconciling
    assert await gaps(ground) == [{} if is_reconciling else {GapReason.DELIVERY_LOST: at}, {}]
    ground.activity().commit("read since", ground.clock.now())
    await ground.run()
    assert await gaps(ground) == [{}, {}]


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        pytest.param(push(commit(1), size=25), {"push_truncated"}, id="more than it shows"),
        pytest.param(
            push(commit(1), size=25, ref="refs/heads/topic"), set[str](), id="another branch"
        ),
        pytest.param(push(commit(1)), set[str](), id="all of it"),
        pytest.param(bare_push(), {"push_without_commits"}, id="nothing of it"),
        pytest.param(push(size=3), {"push_truncated"}, id="nothing of an unknown repository's"),
    ],
)
async def test_an_archive_that_shows_less_than_happened_leaves_a_gap(
    imports: ImportEvents, ground: Ground, payload: dict[str, object], found: set[str]
) -> None:
    lines = lines_of([payload])
    await imports.archive([]).take(RawBatch(lines))
    assert {row[0] for row in ground.rows("SELECT reason FROM coverage_gaps")} == found
