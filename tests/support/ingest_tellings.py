"""What four sources tell of a repository's life, and what has to stand of it in the end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, groupby
from typing import Any, Final, Protocol, TypeAlias

import orjson
from graphql import execute, parse
from hypothesis import strategies as st

from laurel_ingest.clients.github import queries
from laurel_ingest.domain import archive_events, archive_frames, git_records, webhook_events
from laurel_ingest.domain.content_hash import content_hash
from laurel_ingest.domain.facts import CommitFact, IssueFact, RepositoryFact
from laurel_ingest.domain.findings import Findings
from laurel_ingest.domain.history import nodes
from laurel_ingest.domain.history.commits import commits
from laurel_ingest.domain.registers import Said, Standing
from laurel_ingest.domain.timestamps import epoch_seconds
from laurel_ingest.domain.webhook_frames import read_webhook
from tests.support.github.graphql_shapes import Shapes
from tests.support.github.routes_graphql import SCHEMA
from tests.support.ingest_chronicle import (
    ALICE,
    BOB,
    DAVE,
    GHOST,
    ISSUE,
    STEPS,
    Chronicle,
    Stand,
    Step,
)
from tests.support.ingest_github import clone
from tests.support.ingest_shapes import as_of_late

_ASKED: Final = {
    name: parse(text)
    for name, text in (
        ("pulls", queries.PULLS),
        ("issues", queries.ISSUES),
        ("commits", queries.COMMITS),
    )
}
# GraphQL tells these by what it does not show any more, which nobody can tell from a glance.
_ONLY_BY_WEBHOOK: Final = {"dismiss", "delete_line", "delete_comment"}
# By which the archive dates things: commits by their push.
_LATEST: Final = timedelta(minutes=3, seconds=2)
_repository_ids = count(500)
_NOW: Final = epoch_seconds("2026-02-01T12:00:00Z")


@dataclass(frozen=True, repr=False)
class Telling:
    """What a source tells at one go: a webhook, an event, a whole reading by GraphQL, a clone."""

    source: str
    step: int
    content: Any

    def __repr__(self) -> str:
        return f"{self.source}:{self.step}"


def by_graphql(chronicle: Chronicle) -> Telling:
    """Everything that GraphQL shows after the last step."""
    at = chronicle.steps[-1].at
    found: dict[str, Any] = {"at": int(at.timestamp()), "gone": sorted(chronicle.lost)}
    found["vanished"] = [ISSUE] if chronicle.deleted_issue else []
    shapes = Shapes(chronicle.world, chronicle.repository, chronicle.activity)
    owner, name = chronicle.world.full_name(chronicle.repository).split("/")
    root = {
        "rateLimit": {"cost": 1, "limit": 1, "remaining": 1, "resetAt": "x"},
        "repository": lambda _info, owner, name: shapes.repository(),
    }
    values = {"owner": owner, "name": name, "size": 50, "head": chronicle.activity.head}
    for kind, document in _ASKED.items():
        if kind == "commits" and chronicle.activity.head is None:
            found[kind] = []
            continue
        result: Any = execute(SCHEMA, document, root, variable_values=values)
        assert not result.errors, result.errors
        listed = result.data["repository"]
        found[kind] = (listed["object"]["history"] if kind == "commits" else listed["page"])[
            "nodes"
        ]
    # As it is after the wire, so that nothing in it changes with the world.
    return Telling("graphql", len(chronicle.steps) - 1, orjson.loads(orjson.dumps(found)))


def by_git(chronicle: Chronicle) -> Telling:
    """The default branch as a clone has it now."""
    return Telling("git", len(chronicle.steps) - 1, clone(chronicle.activity))


def _told_of(draw: st.DrawFn, chronicle: Chronicle, step: Step) -> list[Telling]:
    """What some of the sources tell of a step, one of them at least that can tell it whole."""
    place = len(chronicle.steps) - 1
    able = {"webhook"} if step.webhooks else set()
    if step.name not in _ONLY_BY_WEBHOOK:
        able.add("graphql")
    if step.archive and step.name != "force_push":
        able.add("archive")
    sources = draw(st.sets(st.sampled_from(sorted(able)), min_size=1))
    if draw(st.booleans()) and step.archive:
        sources.add("archive")
    tellings: list[Telling] = []
    if "webhook" in sources:
        tellings += [Telling("webhook", place, each) for each in step.webhooks]
    if "archive" in sources:
        # The late shape shows no labels.
        is_late: bool = draw(st.booleans()) and step.name != "label_pull"
        events = [as_of_late(each) if is_late else each for each in step.archive]
        tellings += [Telling("archive", place, each) for each in events]
    if "graphql" in sources:
        tellings.append(by_graphql(chronicle))
    if chronicle.activity.head and draw(st.integers(0, 4)) == 0:
        tellings.append(by_git(chronicle))
    return tellings


Case: TypeAlias = tuple[Chronicle, list[Telling], list[list[Telling]]]


@st.composite
def told_by_four(draw: st.DrawFn) -> Case:
    """A life; its tellings as things happened; and rearranged, some twice, cut into batches."""
    chronicle = Chronicle(next(_repository_ids))
    tellings: list[Telling] = []
    for name in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=14)):
        step = chronicle.take(name)
        if step is not None:
            tellings += _told_of(draw, chronicle, step)
    again = draw(st.lists(st.sampled_from(tellings), max_size=3)) if tellings else []
    shuffled = draw(st.permutations(tellings + again))
    if draw(st.booleans()):
        return chronicle, tellings, [[each] for each in shuffled]
    batches = [list(some) for _, some in groupby(shuffled, key=lambda each: each.source)]
    return chronicle, tellings, batches


def read(telling: Telling, repository_id: int, full_name: str) -> Iterator[Findings]:
    """The findings of a telling."""
    content = telling.content
    match telling.source:
        case "webhook":
            yield webhook_events.findings_of(read_webhook(content[0], content[1], _NOW))
        case "archive":
            yield archive_events.findings_of(archive_frames.read_event(content), repository_id)
        case "git":
            walk = git_records.MergeWalk()
            for line in content:
                yield git_records.findings_of(orjson.loads(line), repository_id, walk)
        case _:
            at = content["at"]
            reading = nodes.Reading(repository_id, full_name, at)
            yield commits(reading, content["commits"])
            yield from (nodes.pull_request(reading, node) for node in content["pulls"])
            yield from (nodes.issue(reading, node) for node in content["issues"])
            rest = Findings(Standing.BEST, at)
            lost, gone = Said(Standing.BEST, at, False), Said(Standing.BEST, at, True)
            rest.facts += [CommitFact(repository_id, sha, walked=lost) for sha in content["gone"]]
            rest.facts += [
                IssueFact(repository_id, str(number), is_deleted=gone)
                for number in content["vanished"]
            ]
            rest.facts.append(RepositoryFact(repository_id, history_at=rest.said(at)))
            yield rest


class Row(Protocol):
    """A signal as it stands."""

    @property
    def content_hash(self) -> str: ...

    @property
    def user_id(self) -> int: ...

    @property
    def event_timestamp(self) -> datetime: ...


def assert_as_it_happened(
    chronicle: Chronicle, tellings: Sequence[Telling], stands: Sequence[Row]
) -> None:
    """Each signal once, under its hash, of the right time, to the right person's credit."""
    hashes = {
        content_hash(kind, chronicle.repository.id, identity): (kind, identity)
        for kind, identity in chronicle.stands
    }
    assert {hashes.get(row.content_hash) for row in stands} == set(chronicle.stands)
    # Whoever saw the event knows of dave; GraphQL shows that somebody is gone.
    commented = {place for place, step in enumerate(chronicle.steps) if step.name == "comment"}
    seen = {each.step for each in tellings if each.source != "graphql"}
    times = Counter(row.content_hash for row in stands)
    for row in stands:
        key = hashes[row.content_hash]
        stand = chronicle.stands[key]
        named_by = {stand.step} if key[0] == "issue_close" else commented
        known = DAVE not in stand.people or bool(seen & named_by)
        told = {each.source for each in tellings if _tells(each, stand, key[0])}
        assert times[row.content_hash] == (len(stand.people) if key[0] == "commit" else 1)
        if told - {"archive"}:
            assert row.event_timestamp == stand.at, key
        else:
            assert timedelta(0) <= row.event_timestamp - stand.at <= _LATEST, key
        if key[0] != "commit":
            assert (row.user_id,) == (stand.people if known else (GHOST,)), key
        elif told & {"webhook", "graphql"}:
            assert row.user_id < 0 or row.user_id in stand.people, key
            assert {ALICE, BOB}.issuperset({row.user_id} if row.user_id > 0 else set())


def _tells(telling: Telling, stand: Stand, kind: str) -> bool:
    """Whether a telling tells of what stands."""
    if telling.source == "git":
        return kind == "commit" and telling.step >= stand.step
    later = telling.source == "graphql" and telling.step > stand.step
    return telling.step == stand.step or later
