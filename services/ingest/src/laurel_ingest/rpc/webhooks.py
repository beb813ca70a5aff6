"""WebhookService on the wire."""

from typing import Any

from laurel.ingest.v1 import webhook_pb2, webhook_pb2_grpc
from laurel_common.rpc.server import Servicer
from laurel_ingest.application.list_deliveries import ListDeliveries
from laurel_ingest.application.receive_webhook import ReceiveWebhook
from laurel_ingest.application.replay_delivery import ReplayDelivery
from laurel_ingest.rpc import convert_webhooks as convert


class WebhookServicer(webhook_pb2_grpc.WebhookServiceServicer):
    """Takes webhooks in, and shows what became of them."""

    def __init__(
        self, receive: ReceiveWebhook, list_deliveries: ListDeliveries, replay: ReplayDelivery
    ) -> None:
        self._receive = receive
        self._list = list_deliveries
        self._replay = replay

    async def ReceiveWebhook(
        self, request: webhook_pb2.ReceiveWebhookRequest, _context: Any
    ) -> webhook_pb2.ReceiveWebhookResponse:
        """Answers when the delivery is committed."""
        return convert.acknowledgement(await self._receive(dict(request.headers), request.body))

    async def ListDeliveries(
        self, request: webhook_pb2.ListDeliveriesRequest, _context: Any
    ) -> webhook_pb2.ListDeliveriesResponse:
        """A page of deliveries, newest first."""
        query = convert.delivery_query(request)
        return convert.delivery_page(await self._list(query, request.page_size, request.page_token))

    async def ReplayDelivery(
        self, request: webhook_pb2.ReplayDeliveryRequest, _context: Any
    ) -> webhook_pb2.ReplayDeliveryResponse:
        """The delivery, waiting again."""
        replayed = await self._replay(request.delivery_id)
        return webhook_pb2.ReplayDeliveryResponse(delivery=convert.delivery(replayed))


def served(servicer: WebhookServicer) -> Servicer:
    """The servicer as a server takes it."""
    return (
        webhook_pb2_grpc.add_WebhookServiceServicer_to_server,
        servicer,
        webhook_pb2.DESCRIPTOR.services_by_name["WebhookService"],
    )
