"""Webhooks as a table."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from laurel.ingest.v1 import webhook_pb2
from laurel_cli.display.text import clean, moment, words


def delivery_table(found: Iterable[webhook_pb2.Delivery]) -> Table:
    """What became of each, and what was left out of it or went wrong."""
    table = Table(box=None, pad_edge=False)
    for name in ("delivery", "event", "installation", "received", "state"):
        table.add_column(name)
    table.add_column("attempts", justify="right")
    table.add_column("remarks", overflow="fold")
    for each in found:
        table.add_row(
            Text(clean(each.delivery_id)),
            Text(_event(each)),
            str(each.installation_id or "-"),
            moment(each.receive_time),
            _state(each),
            str(each.attempt_count),
            Text(_remarks(each)),
        )
    return table


def delivery_line(one: webhook_pb2.Delivery) -> str:
    """One delivery and its state."""
    return f"{clean(one.delivery_id)} ({_event(one)}): {_state(one)}"


def _event(one: webhook_pb2.Delivery) -> str:
    return clean(f"{one.event} {one.action}")


def _state(one: webhook_pb2.Delivery) -> str:
    return words(webhook_pb2.DeliveryState.Name(one.state), "DELIVERY_STATE_")


def _remarks(one: webhook_pb2.Delivery) -> str:
    left_out = (f"{each.reason} {each.count:,}" for each in one.skipped)
    return clean(", ".join([*([one.last_error] if one.last_error else []), *left_out]))
