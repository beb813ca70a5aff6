"""`laurel deliveries` against a running ingest."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from laurel_cli.__main__ import app
from laurel_cli.running import console
from laurel_common.auth.operator import mint_operator_token
from laurel_common.auth.principal import PrincipalKind
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import issue
from tests.support.ingest_webhooks import REAL_INSTALLATION, payload

OPENED = payload(action="opened", issue=issue(updated_at="2021-05-03T10:00:00Z"))


@dataclass
class Shown:
    """What a command ended in; the server's own log lines left out."""

    exit_code: int
    lines: list[str]
    error: str


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as a table wants it, whatever it was where the command's module was loaded first."""
    monkeypatch.setattr(console, "_width", 200)


async def typed(service: Service, *arguments: str) -> Shown:
    """What an operator is shown."""
    server = service.server
    server.channel(PrincipalKind.OPERATOR)
    token = mint_operator_token(
        server.keys.private_key("operator"),
        name="operator",
        audiences=("ingest",),
        lifetime=timedelta(minutes=5),
    )
    command = ["deliveries", *arguments, "--endpoint", f"ingest={server.target}"]
    done = await asyncio.to_thread(CliRunner().invoke, app, command, env={"LAUREL_TOKEN": token})
    lines = [each for each in done.stdout.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", each)]
    return Shown(done.exit_code, lines, done.stderr)


async def listed(service: Service, *arguments: str) -> list[dict[str, Any]]:
    """The same for programs."""
    shown = await typed(service, "list", "--json", *arguments)
    assert shown.exit_code == 0, shown.error
    (line,) = shown.lines
    return list(orjson.loads(line)["deliveries"])


async def test_deliveries_are_listed_by_state_and_worked_off_again(service: Service) -> None:
    odd = payload(action="opened", issue={"number": "7"})
    await service.deliver("issues", OPENED, delivery_id="good")
    await service.deliver("issues", odd, delivery_id="b")
    await service.deliver("star", payload(action="created"), delivery_id="star")
    await service.inner.webhooks.work(REAL_INSTALLATION)
    states = {each["delivery_id"]: each["state"] for each in await listed(service)}
    assert states == {
        "good": "DELIVERY_STATE_DONE",
        "b": "DELIVERY_STATE_PARKED",
        "star": "DELIVERY_STATE_IGNORED",
    }
    (parked,) = await listed(service, "--state", "parked", "--event", "issues")
    assert parked["last_error"] == "malformed_payload: number is not an id"
    some = await listed(service, "--state", "parked", "--state", "done", "--limit", "1")
    assert [each["delivery_id"] for each in some] == ["b"]
    assert await listed(service, "--state", "lost") == []

    (heading, *rows) = (await typed(service, "list")).lines
    assert heading.split() == [
        *("delivery", "event", "installation", "received", "state", "attempts", "remarks")
    ]
    (row,) = [each.split() for each in rows if each.startswith("b ")]
    assert (row[1:4], row[6:8]) == (["issues", "opened", "77"], ["parked", "1"])
    assert row[8] == "malformed_payload:"
    again = await typed(service, "replay", "good")
    assert again.lines == ["good (issues opened): waiting"]
    await service.inner.webhooks.work(REAL_INSTALLATION)
    assert service.counts() == {"issue_open": 1}


@pytest.mark.parametrize(
    ("delivery", "code", "told"),
    [
        pytest.param("of-nobody", 3, "DELIVERY_NOT_FOUND", id="unknown"),
        pytest.param("", 2, "delivery_id", id="empty"),
        pytest.param("x" * 129, 2, "delivery_id", id="too long"),
    ],
)
async def test_what_is_not_there_is_not_replayed(
    service: Service, delivery: str, code: int, told: str
) -> None:
    shown = await typed(service, "replay", delivery)
    assert (shown.exit_code, shown.lines) == (code, [])
    assert told in shown.error
