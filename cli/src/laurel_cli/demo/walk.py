"""The demo's steps, from an empty directory to boards that explain themselves."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from laurel.identity.v1 import directory_pb2_grpc, entities_pb2
from laurel_cli.commands.explain import Question, print_ledger
from laurel_cli.demo import archive, roster, year
from laurel_cli.demo.busiest import first_with_signals
from laurel_cli.demo.cast import ORGANIZATION
from laurel_cli.demo.onward import onward
from laurel_cli.display.board import board_table, board_title
from laurel_cli.display.importing import import_report
from laurel_cli.display.scoring import scoring_line
from laurel_cli.display.text import clean
from laurel_cli.importing.imports import Clone, import_archives, import_clone
from laurel_cli.importing.summary import ImportSummary
from laurel_cli.rpc.boards import get_board
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import find_board, find_installation
from laurel_cli.rpc.scoring_runs import start_scoring, wait_for_scoring
from laurel_cli.running import console
from laurel_cli.stack.credentials import ROSTER
from laurel_cli.stack.layout import OPERATOR, Layout
from laurel_cli.stack.stack import Stack
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource

# A ledger's last lines say how it works; all of them are `laurel explain`'s to print.
_LEDGER_LINES = 20
# One that only the invented organization has.
_INVENTED_BOARD = "--scope team:web --period quarter"


@dataclass(frozen=True, slots=True)
class Activity:
    """What the demo imports: files of GH Archive, and a git clone.

    `accounts` are logins; the first of them that has signals is looked at.
    """

    files: Sequence[Path]
    accounts: Sequence[str]
    clone: Clone | None
    invented: bool


def write_invented_year(directory: Path) -> list[Path]:
    """The invented organization's year until now, as files."""
    return archive.write(year.tell(datetime.now(UTC)), directory)


class Walk:
    """Goes through the demo on a running Laurel."""

    def __init__(self, stack: Stack, started: float) -> None:
        self._stack = stack
        self._started = started
        self._operator = self._caller(OPERATOR)

    async def show(self, activity: Activity, *, stays_up: bool) -> None:
        """Imports, scores, and prints the boards and what to try next."""
        if activity.invented:
            self._heading(f"People, repositories and teams of {ORGANIZATION.login}")
            await self._upsert_roster()
        self._heading(f"Importing {len(activity.files)} files of GH Archive")
        self._report(await import_archives(self._operator, activity.files, []))
        accounts = [await first_with_signals(self._operator, activity.accounts)]
        if activity.clone is not None:
            self._heading(f"Importing the git history of {activity.clone.full_name}")
            summary = await import_clone(self._operator, activity.clone)
            self._report(summary)
            accounts += [
                await find_installation(self._operator, str(each))
                for each in sorted(summary.installation_ids)
                if each != accounts[0].installation_id
            ]
        self._heading("Scoring all boards")
        await asyncio.gather(*(self._score(each) for each in accounts))
        await self._show_boards(accounts)
        self._heading("To go on")
        targets, root = self._stack.targets, self._stack.layout.root
        first = accounts[0]
        board = _INVENTED_BOARD if activity.invented else "--period all_time"
        for line in onward(root, targets, first, board, running=stays_up):
            console.print(line, markup=False, soft_wrap=True)

    async def _show_boards(self, accounts: Sequence[entities_pb2.Installation]) -> None:
        first = accounts[0]
        self._heading("The boards")
        period = await self._a_period_with_entries(first)
        for entity in ("contributors", "teams", "repositories"):
            await self._board(first, entity, period)
        leader = await self._leader(first, "week") or await self._leader(first, period)
        if leader is not None:
            name, its_period = leader
            self._heading(f"Why {name} has that score")
            question = Question("organization", "contributors", its_period, name, _LEDGER_LINES)
            await print_ledger(self._operator, first, question)
        for other in accounts[1:]:
            await self._board(other, "contributors", "all_time")

    async def _a_period_with_entries(self, account: entities_pb2.Installation) -> str:
        """The month, or the whole of time where an archive is older than that."""
        return "month" if await self._leader(account, "month") else "all_time"

    async def _leader(
        self, account: entities_pb2.Installation, period: str
    ) -> tuple[str, str] | None:
        board = await find_board(
            self._operator, account, scope="organization", entity="contributors", period=period
        )
        answer = await get_board(self._operator, board, limit=1)
        return (answer.entries[0].entity.login, period) if answer.entries else None

    async def _board(self, account: entities_pb2.Installation, entity: str, period: str) -> None:
        board = await find_board(
            self._operator, account, scope="organization", entity=entity, period=period
        )
        answer = await get_board(self._operator, board, limit=10)
        title = board_title(entity, account.account_login, "", period)
        if answer.entries:
            console.print(board_table(title, answer))

    async def _score(self, account: entities_pb2.Installation) -> None:
        run = await start_scoring(self._operator, account.installation_id)
        run = await wait_for_scoring(self._operator, run, lambda _: None)
        console.print(f"{clean(account.account_login)}: {scoring_line(run)}", markup=False)

    async def _upsert_roster(self) -> None:
        caller = self._caller(ROSTER)
        async with caller.channel("identity") as channel:
            stub = directory_pb2_grpc.DirectoryServiceStub(channel)
            answer = await stub.UpsertEntities(roster.request(datetime.now(UTC)))
        console.print(f"{answer.inserted_count} rows put into the directory", markup=False)

    def _caller(self, name: str) -> Caller:
        key = load_private_key(Layout(self._stack.layout.root).key(name))
        return Caller(self._stack.targets, TokenSource(name, key))

    def _heading(self, text: str) -> None:
        elapsed = time.monotonic() - self._started
        console.print(
            Text(f"\n{clean(text)}  ", style="bold").append(f"[{elapsed:.1f} s]", style="dim")
        )

    def _report(self, summary: ImportSummary) -> None:
        for each in import_report(summary):
            console.print(each)
