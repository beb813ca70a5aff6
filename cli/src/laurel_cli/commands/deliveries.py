"""`laurel deliveries`: what became of the webhooks that GitHub sent, and one of them once more."""

from pathlib import Path
from typing import Annotated

import typer

from laurel.ingest.v1 import webhook_pb2
from laurel_cli.display.deliveries import delivery_line, delivery_table
from laurel_cli.errors import UsageError
from laurel_cli.options import AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.deliveries import STATES, list_deliveries, replay_delivery
from laurel_cli.rpc.lookups import find_installation
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, run

app = typer.Typer(
    help="Show what became of GitHub's webhooks, and work one off again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("list")
def list_some(
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(help=f"Only those: {', '.join(STATES)}; may be repeated."),
    ] = None,
    event: Annotated[str, typer.Option(help="Only this event's, as push.")] = "",
    account: Annotated[
        str, typer.Option(help="Only this account's, by its login or its installation's id.")
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 20,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """List deliveries, newest first: the last 90 days', and parked ones of any age."""
    where, states = Where(data, tuple(endpoint or ()), token, key), dict.fromkeys(state or ())

    async def work() -> list[webhook_pb2.Delivery]:
        if unknown := [each for each in states if each not in STATES]:
            raise UsageError(f"no such state: {unknown[0]}; there are {', '.join(STATES)}")
        request = webhook_pb2.ListDeliveriesRequest(
            page_size=limit, event=event, states=[STATES[each] for each in states]
        )
        caller = Caller.of(where)
        if account:
            installation = await find_installation(caller, account)
            request.installation_id = installation.installation_id
        return await list_deliveries(caller, request)

    found = run(work())
    if as_json:
        print_json(webhook_pb2.ListDeliveriesResponse(deliveries=found))
    else:
        console.print(delivery_table(found))


@app.command()
def replay(
    delivery: Annotated[
        str, typer.Argument(metavar="ID", help="GitHub's id of the delivery, as list shows it.")
    ],
    *,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Have a delivery worked off again; what it says counts once however often."""
    where = Where(data, tuple(endpoint or ()), token, key)

    async def work() -> webhook_pb2.Delivery:
        return await replay_delivery(Caller.of(where), delivery)

    found = run(work())
    if as_json:
        print_json(found)
    else:
        console.print(delivery_line(found), markup=False)
