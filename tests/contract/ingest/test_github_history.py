"""Ingest's client of GitHub against the simulated one, in good days and bad ones."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from laurel_common.testing.clock import FakeClock
from laurel_ingest.application.history.github import (
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    GoneError,
    Listing,
    TooHeavyError,
)
from laurel_ingest.clients.github.history import GraphQLHistory
from tests.support.github import GitHubSimulator, running_github
from tests.support.github.activity import Comment, Review, activity_of
from tests.support.github.history import BEGINNING
from tests.support.ingest_github import FixedTokens, Story, history_of

AT = {"owner": "acme", "name": "r0"}


@dataclass
class Reader:
    story: Story
    github: GitHubSimulator
    history: GraphQLHistory
    clock: FakeClock
    tokens: FixedTokens

    async def page(self, listing: Listing = Listing.PULLS, **more: Any) -> Any:
        variables = AT | {"size": 50} | more
        return await self.history.page(self.story.installation.id, listing, variables)


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    story, clock = Story(), FakeClock()
    tokens = FixedTokens(story.world, story.installation, clock)
    async with running_github(story.world) as github:
        history, connections = history_of(github, tokens, clock)
        yield Reader(story, github, history, clock, tokens)
        await connections.aclose()


async def test_pages_follow_each_other_to_the_last_one(reader: Reader) -> None:
    activity = activity_of(reader.story.world, reader.story.repositories[0])
    seen: list[int] = []
    after = None
    while True:
        page = await reader.page(size=4, after=after)
        seen += [node["number"] for node in page.nodes]
        assert page.total == 6
        if (after := page.after) is None:
            break
    newest_first = sorted(activity.pulls.values(), key=lambda each: (each.updated_at, each.number))
    assert seen == [each.number for each in reversed(newest_first)]


async def test_a_probe_tells_what_is_there_and_what_is_not(reader: Reader) -> None:
    found, points = await reader.history.probe(
        reader.story.installation.id, ["acme/r0", "acme/none", "ACME/R0"]
    )
    assert [each and each["databaseId"] for each in found] == [
        reader.story.repositories[0].id,
        None,
        reader.story.repositories[0].id,
    ]
    assert points.cost == 1


async def test_more_of_one_thing_is_asked_by_its_node(reader: Reader) -> None:
    activity = activity_of(reader.story.world, reader.story.repositories[0])
    pull = next(iter(activity.pulls.values()))
    lines = [Comment(900 + each, pull.author_id, BEGINNING) for each in range(14)]
    pull.reviews = [Review(50 + each, pull.author_id, "COMMENTED", BEGINNING) for each in range(12)]
    pull.reviews[11].comments = lines
    pull.comments = [Comment(100 + each, None, BEGINNING) for each in range(23)]
    node = next(n for n in (await reader.page()).nodes if n["number"] == pull.number)
    reviews = await reader.page(
        Listing.MORE_REVIEWS, id=node["id"], after=node["reviews"]["pageInfo"]["endCursor"]
    )
    assert [each["fullDatabaseId"] for each in reviews.nodes] == ["60", "61"]
    last = reviews.nodes[1]
    more = await reader.page(
        Listing.MORE_REVIEW_COMMENTS,
        id=last["id"],
        after=last["comments"]["pageInfo"]["endCursor"],
    )
    assert len(more.nodes) == 4
    comments = await reader.page(
        Listing.MORE_COMMENTS, id=node["id"], after=node["comments"]["pageInfo"]["endCursor"]
    )
    assert [each["author"] for each in comments.nodes] == [None] * 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 502}, TooHeavyError),
        ({"status": 504}, TooHeavyError),
        ({"status": 500}, GitHubUnavailable),
        ({"status": 403}, GitHubRefused),
        ({"cut": True}, GitHubUnavailable),
        ({"retry_after": 30}, GitHubRateLimited),
        ({"reset_seconds": 90}, GitHubRateLimited),
    ],
    ids=str,
)
async def test_what_github_fails_with_is_told_apart(
    reader: Reader, fault: dict[str, Any], error: type[Exception]
) -> None:
    reader.github.faults.add("GRAPHQL Pulls", **fault)
    with pytest.raises(error):
        await reader.page()
    assert (await reader.page()).total == 6


async def test_a_refusal_for_a_while_says_until_when(reader: Reader) -> None:
    reader.github.faults.add("GRAPHQL Pulls", retry_after=30)
    with pytest.raises(GitHubRateLimited) as limited:
        await reader.page()
    assert limited.value.until == reader.clock.now() + timedelta(seconds=30)


async def test_an_hours_points_that_are_spent_are_a_rate_limit(reader: Reader) -> None:
    reader.github.points.limit = 1
    await reader.history.probe(reader.story.installation.id, ["acme/r0"])
    with pytest.raises(GitHubRateLimited):
        await reader.page()


async def test_a_page_that_is_too_large_is_told_from_a_github_that_is_down(reader: Reader) -> None:
    reader.github.largest_page = 25
    with pytest.raises(TooHeavyError):
        await reader.page(size=50)
    assert (await reader.page(size=25)).total == 6


@pytest.mark.parametrize("listing", [Listing.PULLS, Listing.ISSUES, Listing.COMMITS])
async def test_what_is_not_there_is_gone(reader: Reader, listing: Listing) -> None:
    with pytest.raises(GoneError):
        await reader.page(listing, name="none", head="a" * 40)


async def test_a_head_that_nobody_has_any_more_is_gone(reader: Reader) -> None:
    with pytest.raises(GoneError):
        await reader.page(Listing.COMMITS, head="a" * 40)


async def test_a_token_that_was_revoked_is_replaced_once(reader: Reader) -> None:
    first = reader.tokens.value
    reader.story.world.tokens[first].revoked = True
    assert (await reader.page()).total == 6
    assert reader.tokens.value != first
    reader.tokens.is_minting = False
    reader.story.world.tokens[reader.tokens.value].revoked = True
    before = reader.github.arrived
    with pytest.raises(GitHubRefused):
        await reader.page()
    assert reader.github.arrived == before + 2
