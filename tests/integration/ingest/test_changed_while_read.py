"""What happens to a repository, or in it, between two of the pages that a run reads of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from laurel_ingest.application.history.github import Listing
from laurel_ingest.domain.history.runs import RunState
from tests.support.github.activity import Comment, Issue
from tests.support.github.history import BEGINNING
from tests.support.github.world import Repository
from tests.support.held_reading import Held
from tests.support.ingest_ground import Ground, expected


def renamed(ground: Ground, one: Repository) -> None:
    ground.story.world.former_names["acme/r0"] = one.id
    one.name = "renamed"


def replaced(ground: Ground, one: Repository) -> None:
    one.name = "moved"
    ground.story.world.repository(ground.story.organization, "r0")


def transferred(ground: Ground, one: Repository) -> None:
    one.owner_id = ground.story.world.organization("Elsewhere").id


def taken_away(ground: Ground, one: Repository) -> None:
    installation = ground.story.installation
    installation.repository_selection = "selected"
    installation.repository_ids = {each.id for each in ground.story.repositories} - {one.id}


def deleted(ground: Ground, one: Repository) -> None:
    del ground.story.world.repositories[one.id]


def archived(_: Ground, one: Repository) -> None:
    one.archived = True


def made_private(_: Ground, one: Repository) -> None:
    one.private = True


def emptied(ground: Ground, _: Repository) -> None:
    activity = ground.activity()
    activity.head, activity.commits = None, {}
    for pull in activity.pulls.values():
        pull.merge_commit = None


@pytest.mark.parametrize(
    ("happens", "during", "after"),
    [
        # It goes on under the old name, which leads to the new one.
        pytest.param(renamed, None, None, id="renamed"),
        pytest.param(archived, None, None, id="archived"),
        pytest.param(made_private, None, None, id="made private"),
        pytest.param(emptied, None, None, id="emptied"),
        pytest.param(replaced, "GONE", "NAME_TAKEN", id="its name is another's"),
        pytest.param(transferred, "GONE", "GONE", id="transferred"),
        pytest.param(taken_away, "GONE", "GONE", id="taken from the installation"),
        pytest.param(deleted, "GONE", "GONE", id="deleted"),
    ],
)
async def test_what_happens_to_a_repository_while_it_is_read_is_that_repositorys_alone(
    ground: Ground,
    held: Held,
    happens: Callable[[Ground, Repository], None],
    during: str | None,
    after: str | None,
) -> None:
    one = ground.story.repositories[0]
    one.private = happens is not made_private
    ground.github.largest_page = 4
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    await held.reading(ground.lane, ground.open_works(asked.id)[0], Listing.COMMITS)
    happens(ground, one)
    await held.finish()
    run = await ground.work_off(asked.id)
    assert run.state is RunState.SUCCEEDED
    troubles = [(each.repository_id, each.reason) for each in run.troubles if each.is_left_out]
    assert troubles == ([(one.id, during)] if during else [])
    there = [ground.activity(1)] if during else [ground.activity(0), ground.activity(1)]
    counted, there_alone = ground.counts(), expected(there)
    if during:
        # What was read before is kept.
        assert counted.pop("commit") > there_alone.pop("commit")
    assert counted == there_alone
    ground.activity(1).commit("goes on", BEGINNING + timedelta(days=9))
    run = await ground.run()
    left_out = [(each.repository_id, each.reason) for each in run.troubles if each.is_left_out]
    assert left_out == ([(one.id, after)] if after else [])


async def test_a_thing_that_goes_between_two_pages_of_it_leaves_nobody_out(
    ground: Ground, held: Held
) -> None:
    activity, at = ground.activity(), BEGINNING + timedelta(days=9)
    talked_about = Issue(
        77, None, at, at, comments=[Comment(900_000 + n, None, at) for n in range(45)]
    )
    activity.issues[77] = talked_about
    asked = await ground.request()
    await ground.lane.run_ingest(asked.id)
    await held.reading(ground.lane, ground.open_works(asked.id)[0], Listing.ISSUES)
    del activity.issues[77]
    await held.finish()
    run = await ground.work_off(asked.id)
    assert (run.state, run.troubles) == (RunState.SUCCEEDED, ())
    await ground.run()
    assert ground.counts() == expected([activity, ground.activity(1)])
