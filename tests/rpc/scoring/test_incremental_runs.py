"""Runs that read and publish only what has changed come to what a run from nothing comes to."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from laurel.scoring.v1 import scoring_pb2
from laurel_scoring.application.recheck_boards import RecheckBoards
from laurel_scoring.domain.canonical import rules_to_json
from laurel_scoring.domain.digests import board_digests, board_names
from laurel_scoring.domain.engine import Evaluation
from laurel_scoring.domain.periods import Windows, to_microseconds
from laurel_scoring.domain.roster import Roster, Team
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.timeline import Timeline
from tests.rpc.scoring.conftest import Service
from tests.support.naive_scoring import NaiveSignal
from tests.support.scoring_builders import AS_OF, a_signal, columns

TEAMS = (
    Team(100, frozenset({1, 2})),
    Team(101, frozenset({3}), frozenset({11})),
    Team(102, frozenset({4, 5}), frozenset({12, 13})),
)
ROSTER = Roster(77, frozenset({10, 11, 12, 13}), TEAMS)


def anew(service: Service, as_of: datetime) -> dict[tuple[int, ...], bytes]:
    """The digests of all boards as of a time, from nothing, numbered as on the wire."""
    windows = Windows.of_periods(to_microseconds(as_of))
    there = [each for each in service.peers.ingest.signals if each.event_timestamp <= as_of]
    timeline = Timeline.of(columns(there))
    evaluation = Evaluation(timeline, service.peers.identity.roster, DEFAULT_RULES, windows)
    return {
        (scope + 1, scope_id, entity + 1, period + 1): digest
        for family in evaluation.families()
        for (scope, scope_id, entity, period), digest in zip(
            board_names(family, windows.periods),
            board_digests(family, rules_to_json(DEFAULT_RULES)),
            strict=True,
        )
    }


def published(service: Service) -> dict[tuple[int, ...], bytes]:
    return {key: each.board.digest for key, each in service.peers.leaderboard.current.items()}


def some_signal(random: Random, now: datetime) -> NaiveSignal:
    back = random.choice([timedelta(minutes=5), timedelta(days=1), timedelta(days=7)])
    return a_signal(
        random.choice(["commit", "commit", "review", "spam", "pr_merge"]),
        at=now - back * random.random() * random.choice([1, 30]) + timedelta(minutes=1),
        user=random.randint(1, 6),
        repository=random.randint(10, 14),
        key=str(random.random()),
    )


def change(service: Service, random: Random) -> None:
    """Something happens to the inputs, or nothing."""
    ingest, identity = service.peers.ingest, service.peers.identity
    now = service.clock.now()
    signals = list(ingest.signals)
    for _ in range(random.randint(0, 4)):
        what = random.random()
        if what < 0.6 or not signals:
            signals.append(some_signal(random, now))
        elif what < 0.8:
            signals.remove(random.choice(signals))
        else:
            old = signals.pop(random.randrange(len(signals)))
            later = old.event_timestamp - timedelta(hours=random.randint(0, 50))
            signals.append(replace(old, event_timestamp=later, repository_id=old.repository_id))
    if signals != ingest.signals:
        ingest.signals, ingest.mark = signals, f"mark-{random.random()}"
    if random.random() < 0.15:
        gone = random.choice([None, 100, 101])
        teams = tuple(team for team in TEAMS if team.id != gone)
        bots = frozenset({random.choice([3, 6])}) if random.random() < 0.3 else frozenset()
        # A team that is gone leaves boards that nobody computes any more.
        for key in [key for key in service.peers.leaderboard.current if key[:2] == (2, gone)]:
            del service.peers.leaderboard.current[key]
        identity.roster = replace(ROSTER, teams=teams, bots=bots)
    ingest.knows_changes = random.random() < 0.9


@pytest.mark.parametrize("seed", range(4))
async def test_any_sequence_of_changes_ends_in_the_boards_of_a_run_from_nothing(
    service: Service, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    service.peers.identity.roster = ROSTER
    service.peers.ingest.signals = [some_signal(random, AS_OF) for _ in range(30)]
    for _ in range(12):
        run = await service.score()
        assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED
        expected = anew(service, service.clock.now())
        assert run.boards_published == len(expected)
        assert published(service) == expected
        current = service.peers.leaderboard.current.values()
        assert {each.header.as_of.ToJsonString() for each in current} == {run.as_of.ToJsonString()}
        change(service, random)
        passed = random.choice([0, 0, 1, 9, 100])
        service.clock.advance(timedelta(hours=passed))
        if passed and random.random() < 0.6:
            # Some periods alone, and maybe more changes before the next complete run.
            await RecheckBoards(service.runs, service.clock)()
            scheduled = await service.ended(run.id + 1)
            assert scheduled.state == scoring_pb2.SCORING_STATE_SUCCEEDED
            expected = anew(service, service.clock.now())
            today = {key: each for key, each in expected.items() if key[-1] == 1}
            assert {k: v for k, v in published(service).items() if k[-1] == 1} == today
            change(service, random)


async def test_a_small_change_is_read_and_published_alone(service: Service) -> None:
    service.peers.identity.roster = ROSTER
    ingest, leaderboard = service.peers.ingest, service.peers.leaderboard
    ingest.signals = [
        a_signal(at=AS_OF - timedelta(days=2), user=1 + n % 5, repository=10 + n % 4, key=str(n))
        for n in range(40)
    ]
    await service.score()
    ingest.signals = [*ingest.signals, a_signal(at=AS_OF, user=3, repository=11, key="new")]
    ingest.mark = "signals-2"
    await service.score()
    assert ingest.sent == [40, 1]
    changed = {key[:2] for key, stored in leaderboard.current.items() if stored.version == 2}
    assert changed == {(1, 77), (2, 101), (3, 11)}
    assert published(service) == anew(service, service.clock.now())


async def test_boards_that_another_process_has_published_are_not_taken_for_ours(
    service: Service,
) -> None:
    service.peers.identity.roster = ROSTER
    service.peers.ingest.signals = [
        a_signal(at=AS_OF, repository=10 + n % 4, key=str(n)) for n in range(9)
    ]
    first = await service.score()
    # Another process's run: its boards have another as_of than those that we remember.
    service.clock.advance(timedelta(minutes=1))
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO scoring_runs (installation_id, state, requested_by, reason, as_of,"
            " started_at, finished_at, input_mark)"
            " VALUES (%s, 'succeeded', 't', 'requested', now(), now(), now(), 'm')",
            (service.installation,),
        )
    for stored in service.peers.leaderboard.current.values():
        stored.header.as_of.FromDatetime(service.clock.now())
    run = await service.score()
    assert (run.state, run.attempts) == (scoring_pb2.SCORING_STATE_SUCCEEDED, 1)
    assert run.boards_published == first.boards_published
    # And one whose attempt broke off, which leaves no run that succeeded.
    key = next(iter(service.peers.leaderboard.current))
    broken = service.peers.leaderboard.current[key]
    broken.header = type(broken.header)()
    service.clock.advance(timedelta(minutes=1))
    again = await service.score()
    assert (again.state, again.attempts) == (scoring_pb2.SCORING_STATE_SUCCEEDED, 2)
    assert again.boards_published == first.boards_published
