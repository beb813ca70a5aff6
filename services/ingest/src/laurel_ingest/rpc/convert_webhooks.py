"""Where protobuf meets deliveries."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.ingest.v1 import webhook_pb2
from laurel_ingest.application.inbox import DeliveryQuery
from laurel_ingest.application.list_deliveries import DeliveryPage
from laurel_ingest.application.receive_webhook import Acknowledgement
from laurel_ingest.domain.deliveries import Delivery, DeliveryState
from laurel_ingest.rpc.convert import moment_of

_STATES = {
    DeliveryState.WAITING: webhook_pb2.DELIVERY_STATE_WAITING,
    DeliveryState.DONE: webhook_pb2.DELIVERY_STATE_DONE,
    DeliveryState.IGNORED: webhook_pb2.DELIVERY_STATE_IGNORED,
    DeliveryState.PARKED: webhook_pb2.DELIVERY_STATE_PARKED,
    DeliveryState.LOST: webhook_pb2.DELIVERY_STATE_LOST,
}
_STATE_OF = {number: state for state, number in _STATES.items()}


def acknowledgement(done: Acknowledgement) -> webhook_pb2.ReceiveWebhookResponse:
    """What GitHub's delivery is answered with."""
    return webhook_pb2.ReceiveWebhookResponse(
        delivery_id=done.delivery_id,
        receipt=webhook_pb2.WebhookReceipt.ValueType(done.receipt.value),
    )


def delivery_query(request: webhook_pb2.ListDeliveriesRequest) -> DeliveryQuery:
    """The filters of a list."""
    return DeliveryQuery(
        states=tuple(sorted({_STATE_OF[each] for each in request.states})),
        event=request.event or None,
        installation_id=request.installation_id or None,
        delivery_id=request.delivery_id or None,
        start=moment_of(request, "start_time"),
        end=moment_of(request, "end_time"),
    )


def delivery_page(page: DeliveryPage) -> webhook_pb2.ListDeliveriesResponse:
    """A page of deliveries."""
    return webhook_pb2.ListDeliveriesResponse(
        deliveries=[delivery(each) for each in page.deliveries],
        next_page_token=page.next_page_token,
    )


def delivery(kept: Delivery) -> webhook_pb2.Delivery:
    """One delivery."""
    waits = kept.state is DeliveryState.WAITING
    return webhook_pb2.Delivery(
        delivery_id=kept.delivery_id,
        event=kept.event,
        action=kept.action or "",
        installation_id=kept.installation_id or 0,
        state=_STATES[kept.state],
        receive_time=_timestamp(kept.received_at),
        attempt_count=kept.attempts,
        next_attempt_time=_timestamp(kept.next_attempt_at) if waits else None,
        finish_time=_timestamp(kept.finished_at),
        last_error=kept.last_error or "",
        skipped=[
            webhook_pb2.DeliverySkip(reason=reason, count=count)
            for reason, count in sorted(kept.left_out.items())
        ],
        body_bytes=kept.body_bytes,
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp
