"""The demo's invented year: the same every time, and like a year of real work."""

import gzip
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from laurel_cli.demo import archive, roster, year
from laurel_cli.demo.cast import BOTS, ORGANIZATION, PEOPLE, REPOSITORIES, TEAMS
from laurel_cli.demo.shapes import Shape, hashed_email

NOW = datetime(2026, 11, 23, 9, 20, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return [orjson.loads(line) for _, line in archive.lines(year.tell(NOW))]


def of_type(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [each for each in events if each["type"] == name]


def test_the_same_moment_and_seed_write_the_same_bytes(tmp_path: Path) -> None:
    first = archive.write(year.tell(NOW), tmp_path / "a")
    second = archive.write(year.tell(NOW + timedelta(microseconds=5)), tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in second]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_another_seed_tells_another_year() -> None:
    assert list(archive.lines(year.tell(NOW))) != list(archive.lines(year.tell(NOW, seed=7)))


def test_writing_again_removes_the_files_of_an_earlier_year(tmp_path: Path) -> None:
    archive.write(year.tell(NOW - timedelta(days=200)), tmp_path)
    kept = archive.write(year.tell(NOW), tmp_path)
    assert sorted(tmp_path.iterdir()) == kept


def test_a_year_has_the_size_of_a_busy_small_organization(events: list[dict[str, Any]]) -> None:
    assert 8_000 <= len(events) <= 15_000
    assert len(PEOPLE) in range(15, 21)
    assert (len(BOTS), len(TEAMS), len(REPOSITORIES)) == (2, 4, 6)
    counts = Counter(each["type"] for each in events)
    assert counts["PushEvent"] > counts["PullRequestEvent"] > counts["IssuesEvent"] > 500
    assert min(counts["IssueCommentEvent"], counts["PullRequestReviewEvent"]) > 1_000


def test_everybody_does_something_and_nobody_does_everything(events: list[dict[str, Any]]) -> None:
    by_login = Counter(each["actor"]["login"] for each in events)
    assert set(by_login) == {person.account.login for person in PEOPLE} | {b.login for b in BOTS}
    assert max(by_login.values()) < 0.25 * len(events)


def test_ids_are_unique_and_events_stand_in_the_order_of_time(
    events: list[dict[str, Any]],
) -> None:
    ids = [int(each["id"]) for each in events]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    times = [each["created_at"] for each in events]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "now",
    [
        NOW,
        datetime(2026, 3, 1, 0, 0, 0, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC),
    ],
    ids=["a Monday morning", "midnight of a Sunday", "a second into the year", "a leap day's end"],
)
def test_the_year_ends_now_and_today_is_never_empty(now: datetime) -> None:
    happenings = year.tell(now)
    midnight = now.replace(hour=0, minute=0, second=0)
    assert max(each.at for each in happenings) <= now
    assert min(each.at for each in happenings) >= midnight - timedelta(days=364)
    assert len([each for each in happenings if each.at >= midnight]) >= 6
    assert len([each for each in happenings if each.at >= now - timedelta(days=7)]) > 50


def test_what_follows_a_pull_request_comes_after_it(events: list[dict[str, Any]]) -> None:
    opened: dict[tuple[str, int], str] = {}
    ended: dict[tuple[str, int], int] = defaultdict(int)
    for each in of_type(events, "PullRequestEvent"):
        key = (each["repo"]["name"], each["payload"]["number"])
        if each["payload"]["action"] == "opened":
            opened[key] = each["created_at"]
        else:
            assert opened[key] <= each["created_at"]
            ended[key] += 1
    assert set(ended.values()) == {1}
    assert 0.85 < len(ended) / len(opened) < 1
    for name in ("PullRequestReviewEvent", "PullRequestReviewCommentEvent"):
        for each in of_type(events, name):
            key = (each["repo"]["name"], each["payload"]["pull_request"]["number"])
            assert opened[key] <= each["created_at"]


def test_numbers_of_issues_and_pull_requests_do_not_collide(events: list[dict[str, Any]]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for each in (*of_type(events, "PullRequestEvent"), *of_type(events, "IssuesEvent")):
        thing = each["payload"].get("pull_request") or each["payload"]["issue"]
        assert seen.setdefault((each["repo"]["name"], thing["number"]), thing["id"]) == thing["id"]


def test_most_changes_are_merged_by_somebody_else(events: list[dict[str, Any]]) -> None:
    merges = [
        each["payload"]["pull_request"]
        for each in of_type(events, "PullRequestEvent")
        if each["payload"]["pull_request"].get("merged")
    ]
    foreign = sum(each["merged_by"]["id"] != each["user"]["id"] for each in merges)
    assert 0.5 < foreign / len(merges) < 0.9


def test_merged_commits_reach_the_default_branch(events: list[dict[str, Any]]) -> None:
    defaults = {each.full_name: f"refs/heads/{each.default_branch}" for each in REPOSITORIES}
    landed = {
        each["payload"]["head"]
        for each in of_type(events, "PushEvent")
        if each["payload"]["ref"] == defaults[each["repo"]["name"]]
    }
    for each in of_type(events, "PullRequestEvent"):
        if sha := each["payload"]["pull_request"].get("merge_commit_sha"):
            assert sha in landed


def test_reviews_come_in_all_states_and_some_are_of_ones_own_change(
    events: list[dict[str, Any]],
) -> None:
    reviews = [each["payload"] for each in of_type(events, "PullRequestReviewEvent")]
    states = Counter(each["review"]["state"] for each in reviews)
    assert set(states) == {"approved", "changes_requested", "commented"}
    own = [
        each
        for each in reviews
        if each["pull_request"].get("user", {}).get("id") == each["review"]["user"]["id"]
    ]
    assert 0 < len(own) < 0.1 * len(reviews)


def test_the_files_are_written_in_the_shapes_of_three_generations(tmp_path: Path) -> None:
    paths = archive.write(year.tell(NOW), tmp_path)
    assert len(paths) in (12, 13)
    by_month = [
        [orjson.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        for path in paths
    ]
    assert not of_type(by_month[0], "PullRequestReviewEvent")
    assert all("display_login" not in each["actor"] for each in by_month[0])
    pushes = of_type(by_month[-2], "PushEvent")
    thin = [each for each in pushes if "commits" not in each["payload"]]
    assert thin
    assert {each["repo"]["name"] for each in thin} == {"meridian-maps/handbook"}
    actions = {each["payload"]["action"] for each in of_type(by_month[-2], "PullRequestEvent")}
    assert actions == {"opened", "closed", "merged"}


def test_the_shape_of_a_month_depends_on_its_place_in_the_year() -> None:
    assert archive.shape_of(0, 13, "handbook") is Shape.OF_2015
    assert archive.shape_of(5, 13, "handbook") is Shape.OF_2021
    assert archive.shape_of(12, 13, "handbook") is Shape.SINCE_2025
    assert archive.shape_of(12, 13, "tileserver") is Shape.OF_2021


def test_commit_authors_are_hashed_noreply_addresses() -> None:
    # printf '2000000101+ingrid-solberg' | sha1sum
    assert hashed_email(PEOPLE[0].account) == (
        "78fdc1c4aca44b99010ed62dc64b17f6f3c4db0b@users.noreply.github.com"
    )


def test_the_roster_refers_to_nothing_that_it_does_not_hold() -> None:
    request = roster.request(NOW)
    users = {each.id for each in request.users}
    teams = {each.id for each in request.teams}
    repositories = {each.id for each in request.repositories}
    assert {each.user_id for each in request.team_members} <= users
    assert {each.team_id for each in request.team_members} == teams
    assert {each.repository_id for each in request.team_repositories} <= repositories
    assert {each.user_id for each in request.memberships} <= users
    assert {each.organization_id for each in request.teams} == {ORGANIZATION.id}
    assert [each.login for each in request.users if each.is_bot] == [bot.login for bot in BOTS]
