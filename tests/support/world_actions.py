"""What tests do with a running Laurel, over gRPC alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from laurel.common.v1 import board_pb2
from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    directory_upserts_pb2,
)
from laurel.ingest.v1 import (
    signal_entities_pb2,
    signal_imports_pb2,
    signal_pb2_grpc,
    signal_reads_pb2,
)
from laurel.leaderboard.v1 import leaderboard_pb2, leaderboard_pb2_grpc
from laurel.scoring.v1 import explanation_pb2, scoring_pb2, scoring_pb2_grpc
from laurel_cli.importing.stream import EventImport
from laurel_cli.importing.summary import ImportSummary
from laurel_common.errors import RemoteError
from tests.support.stack_running import Laurel, until
from tests.support.world_boards import Known, Team, naive_signal
from tests.support.world_tenants import Tenant, batches

_ENDED = (scoring_pb2.SCORING_STATE_SUCCEEDED, scoring_pb2.SCORING_STATE_FAILED)
_PAGE = 1000
T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]], seconds: float = 60) -> T:
    """What `call` answers, asked again while a service is away."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await call()
            except RemoteError as error:
                if error.code != "UNAVAILABLE":
                    raise
            await asyncio.sleep(0.05)


async def put_roster(
    laurel: Laurel,
    tenant: Tenant,
    now: datetime,
    roster: directory_upserts_pb2.UpsertEntitiesRequest | None = None,
) -> None:
    """Puts the tenant's people, repositories and teams in, as the demo does."""
    request = roster or tenant.roster(now)
    async with laurel.roster.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)
        answer = await patiently(lambda: stub.UpsertEntities(request))
    assert [each.installation_id for each in answer.owners] == [tenant.installation_id]


async def import_lines(
    laurel: Laurel,
    lines: Sequence[bytes],
    *,
    batch_size: int = 200,
    header: signal_imports_pb2.ImportEventsHeader | None = None,
    on_answer: Callable[[signal_imports_pb2.ImportEventsResponse], object] = lambda _: None,
) -> ImportSummary:
    """Imports lines of GH Archive (or what `header` says) as the command line does."""
    summary = ImportSummary()

    def answered(answer: signal_imports_pb2.ImportEventsResponse) -> None:
        summary.add(answer)
        on_answer(answer)

    source = header or signal_imports_pb2.ImportEventsHeader(
        source=signal_imports_pb2.EVENT_SOURCE_GH_ARCHIVE
    )
    await EventImport(
        laurel.caller, source, lambda: batches(lines, batch_size), on_answer=answered
    ).run()
    return summary


async def start_scoring(laurel: Laurel, installation_id: int) -> scoring_pb2.Scoring:
    """Asks for the boards, again while scoring is away."""
    request = scoring_pb2.StartScoringRequest(installation_id=installation_id)
    async with laurel.caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        answer = await patiently(lambda: stub.StartScoring(request))
    return answer.scoring


async def get_scoring(laurel: Laurel, run: scoring_pb2.Scoring) -> scoring_pb2.Scoring:
    """How a run is doing, asked again while scoring is away."""
    request = scoring_pb2.GetScoringRequest(installation_id=run.installation_id, scoring_id=run.id)
    async with laurel.caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        answer = await patiently(lambda: stub.GetScoring(request))
    return answer.scoring


async def until_scored(
    laurel: Laurel, run: scoring_pb2.Scoring, *, seconds: float = 60
) -> scoring_pb2.Scoring:
    """Waits for the run's end, which must be a good one."""

    async def ended() -> bool:
        nonlocal run
        run = await get_scoring(laurel, run)
        return run.state in _ENDED

    await until(ended, "the scoring run ended", seconds)
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED, run
    return run


async def score(laurel: Laurel, installation_id: int) -> scoring_pb2.Scoring:
    """Scores an installation."""
    return await until_scored(laurel, await start_scoring(laurel, installation_id))


async def list_signals(
    laurel: Laurel, installation_id: int, *, page_size: int = _PAGE
) -> list[signal_entities_pb2.Signal]:
    """All signals of an installation, page by page."""
    found: list[signal_entities_pb2.Signal] = []
    request = signal_reads_pb2.ListSignalsRequest(
        installation_id=installation_id, page_size=page_size
    )
    async with laurel.caller.channel("ingest") as channel:
        stub = signal_pb2_grpc.SignalServiceStub(channel)
        while True:
            answer = await patiently(lambda: stub.ListSignals(request))
            found.extend(answer.signals)
            if not answer.next_page_token:
                return found
            assert len(answer.signals) == page_size
            request.page_token = answer.next_page_token


async def explain(
    laurel: Laurel, board: board_pb2.Board, entity_id: int
) -> tuple[explanation_pb2.ExplainScoreHeader, list[explanation_pb2.LedgerLine]]:
    """The ledger of an entity of a board."""
    request = explanation_pb2.ExplainScoreRequest(board=board, entity_id=entity_id)
    async with laurel.caller.channel("scoring") as channel:
        stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        answers = [answer async for answer in stub.ExplainScore(request)]
    assert answers[0].WhichOneof("message") == "header"
    lines = [line for answer in answers[1:] for line in answer.lines.lines]
    assert len(lines) == answers[0].header.line_count
    return answers[0].header, lines


async def known_of(laurel: Laurel, tenant: Tenant) -> Known:
    """Everything that scoring reads of a tenant, by the RPCs that are open to an operator."""
    number = tenant.installation_id
    signals = [naive_signal(each) for each in await list_signals(laurel, number)]
    of_all: dict[str, Any] = {"installation_id": number, "page_size": _PAGE}
    async with laurel.caller.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)

        async def ask(method: Any, request: Any) -> Any:
            return await patiently(lambda: method(request))

        listing = directory_lists_pb2.ListRepositoriesRequest(**of_all)
        repositories = (await ask(stub.ListRepositories, listing)).repositories
        teams = (await ask(stub.ListTeams, directory_lists_pb2.ListTeamsRequest(**of_all))).teams
        membership = directory_lists_pb2.ListTeamMembersRequest(**of_all)
        members = (await ask(stub.ListTeamMembers, membership)).team_members
        access = directory_lists_pb2.ListTeamRepositoriesRequest(**of_all)
        places = (await ask(stub.ListTeamRepositories, access)).team_repositories
        people = {each.user_id for each in (*signals, *members)}
        naming = directory_lookups_pb2.BatchGetUsersRequest(user_ids=sorted(people))
        users = (await ask(stub.BatchGetUsers, naming)).users
    return Known(
        number,
        tenant.account_id,
        signals,
        frozenset(each.id for each in repositories),
        [
            Team(
                team.id,
                frozenset(each.user_id for each in members if each.team_id == team.id),
                frozenset(each.repository_id for each in places if each.team_id == team.id),
            )
            for team in teams
        ],
        frozenset(each.id for each in users if each.is_bot),
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """A board read to its end: all pages were of one version."""

    first: leaderboard_pb2.GetLeaderboardResponse
    entries: list[leaderboard_pb2.Entry]


class Reader:
    """Reads boards over one channel."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    async def page(
        self, request: leaderboard_pb2.GetLeaderboardRequest
    ) -> leaderboard_pb2.GetLeaderboardResponse:
        """One page; raises RemoteError."""
        answer: leaderboard_pb2.GetLeaderboardResponse = await self._stub.GetLeaderboard(request)
        return answer

    async def walk(self, board: board_pb2.Board, *, page_size: int = 50) -> Walk:
        """All pages of a board; fails the test where they are not one whole version."""
        request = leaderboard_pb2.GetLeaderboardRequest(board=board, page_size=page_size)
        first = await self._stub.GetLeaderboard(request)
        entries, answer = list(first.entries), first
        while answer.next_page_token:
            assert len(answer.entries) == page_size
            request.page_token = answer.next_page_token
            answer = await self._stub.GetLeaderboard(request)
            assert (answer.materialization_id, answer.version, answer.total_size) == (
                first.materialization_id,
                first.version,
                first.total_size,
            ), "a walk's pages are of several versions"
            entries.extend(answer.entries)
        assert len(entries) == first.total_size, "a board with entries missing"
        assert len({each.entity.id for each in entries}) == len(entries), "an entry stands twice"
        _check_order(entries)
        return Walk(first, entries)


@asynccontextmanager
async def reading(laurel: Laurel) -> AsyncIterator[Reader]:
    """A reader of boards."""
    async with laurel.caller.channel("leaderboard") as channel:
        yield Reader(leaderboard_pb2_grpc.LeaderboardServiceStub(channel))


def _check_order(entries: Sequence[leaderboard_pb2.Entry]) -> None:
    for place, entry in enumerate(entries):
        parts = entry.breakdown
        whole = sum(getattr(parts, field.name) for field in parts.DESCRIPTOR.fields)
        assert whole == entry.score_e4, "the parts do not sum to the score"
        if place:
            before = entries[place - 1]
            assert (-before.score_e4, before.entity.id) < (-entry.score_e4, entry.entity.id)
            tied = before.score_e4 == entry.score_e4
            assert entry.rank == (before.rank if tied else place + 1)
        else:
            assert entry.rank == 1
