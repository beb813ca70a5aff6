"""Webhooks as ingest keeps them."""

from typing import Final

from laurel.ingest.v1 import webhook_pb2, webhook_pb2_grpc
from laurel_cli.display.text import words
from laurel_cli.rpc.caller import Caller

STATES: Final = {
    words(name, "DELIVERY_STATE_"): number
    for name, number in webhook_pb2.DeliveryState.items()
    if number
}


async def list_deliveries(
    caller: Caller, request: webhook_pb2.ListDeliveriesRequest
) -> list[webhook_pb2.Delivery]:
    """The newest deliveries that fit."""
    async with caller.channel("ingest") as channel:
        stub = webhook_pb2_grpc.WebhookServiceStub(channel)
        answer: webhook_pb2.ListDeliveriesResponse = await stub.ListDeliveries(request)
    return list(answer.deliveries)


async def replay_delivery(caller: Caller, delivery_id: str) -> webhook_pb2.Delivery:
    """The delivery, waiting again."""
    request = webhook_pb2.ReplayDeliveryRequest(delivery_id=delivery_id)
    async with caller.channel("ingest") as channel:
        stub = webhook_pb2_grpc.WebhookServiceStub(channel)
        answer: webhook_pb2.ReplayDeliveryResponse = await stub.ReplayDelivery(request)
    return answer.delivery
