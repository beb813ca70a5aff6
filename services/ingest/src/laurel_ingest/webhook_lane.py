"""Puts the webhook lane together: inbox, worker, and what runs beside them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.clock import Clock
from laurel_common.jobs import JobQueue, Loop, Worker
from laurel_common.page_token import PageTokens
from laurel_common.rpc.server import Servicer
from laurel_ingest.application.follow_boards import FollowBoards
from laurel_ingest.application.forget_deliveries import ForgetDeliveries
from laurel_ingest.application.inbox import InstallationEvents
from laurel_ingest.application.list_deliveries import ListDeliveries
from laurel_ingest.application.ports import Directory, Storage
from laurel_ingest.application.receive_webhook import ReceiveWebhook
from laurel_ingest.application.redeliver_webhooks import CRON, FailedWebhooks, RedeliverWebhooks
from laurel_ingest.application.replay_delivery import ReplayDelivery
from laurel_ingest.application.work_deliveries import WorkDeliveries
from laurel_ingest.config import IngestSettings
from laurel_ingest.rpc.webhooks import WebhookServicer, served
from laurel_ingest.storage.delivery_log import DeliveryLogTable
from laurel_ingest.storage.inbox_table import InboxTable
from laurel_ingest.storage.lanes import WEBHOOKS
from laurel_ingest.storage.postgres import PostgresStorage
from laurel_ingest.storage.redelivery_table import RedeliveryTable
from laurel_ingest.storage.webhook_secrets import WebhookSecrets
from laurel_ingest.telemetry import DeliveryMetrics

_FORGET_EVERY_SECONDS = 3600.0
_COUNT_EVERY_SECONDS = 30.0
_FOLLOW_EVERY_SECONDS = 5.0
# A delivery that came while another of its installation was worked on must not lie for long.
_POLL_SECONDS = 0.2


@dataclass(slots=True)
class WebhookLane:
    """The servicer, and what works in the background once `start` is called."""

    servicer: Servicer
    queue: JobQueue
    worker: Worker
    follow: Loop
    forget: Loop
    count: Loop
    metrics: DeliveryMetrics
    work: WorkDeliveries
    follow_boards: FollowBoards
    forget_deliveries: ForgetDeliveries
    redeliver: RedeliverWebhooks

    def start(self) -> None:
        """Called within the running loop."""
        self.worker.start()
        self.follow.start()
        self.forget.start()
        self.count.start()

    def closers(self) -> list[Callable[[], Awaitable[object]]]:
        """What ends the background work, to be called in reverse order."""
        return [self.count.stop, self.forget.stop, self.follow.stop, self.worker.stop]


def build_webhook_lane(
    settings: IngestSettings,
    *,
    engine: AsyncEngine,
    directory: Directory,
    identity: InstallationEvents,
    failed_webhooks: FailedWebhooks,
    begin_history: Callable[[int, str], Awaitable[None]],
    rewritten: Callable[[], None],
    follow_boards: FollowBoards,
    tokens: PageTokens,
    clock: Clock,
    storage: Storage | None = None,
) -> WebhookLane:
    """`storage`: by default one of the lane's own, so that imports take none of its turns."""
    queue = JobQueue(settings.database_url, WEBHOOKS, pool_size=settings.webhook_concurrency + 3)
    inbox, log = InboxTable(engine, queue, clock), DeliveryLogTable(engine, queue)
    follow = Loop("follow-boards", follow_boards, every_seconds=_FOLLOW_EVERY_SECONDS)
    follow_boards.on_wake = follow.wake
    storage = storage or PostgresStorage(
        engine, writers=settings.webhook_concurrency, boards_follow=True
    )
    work = WorkDeliveries(
        inbox,
        storage,
        directory,
        identity=identity,
        begin_history=begin_history,
        clock=clock,
        changed=follow_boards.hurry,
        rewritten=rewritten,
    )
    forget_deliveries = ForgetDeliveries(inbox, clock)
    redeliver = RedeliverWebhooks(failed_webhooks, RedeliveryTable(engine), clock)
    metrics = DeliveryMetrics(log)
    queue.register(work)
    queue.every(CRON, redeliver)
    servicer = WebhookServicer(
        ReceiveWebhook(
            inbox, WebhookSecrets(settings.webhook_keys(), settings.webhook_secrets_file), clock
        ),
        ListDeliveries(log, tokens),
        ReplayDelivery(log, clock),
    )
    return WebhookLane(
        servicer=served(servicer),
        queue=queue,
        worker=Worker(
            queue, inbox, concurrency=settings.webhook_concurrency, poll_seconds=_POLL_SECONDS
        ),
        follow=follow,
        forget=Loop("forget-deliveries", forget_deliveries, every_seconds=_FORGET_EVERY_SECONDS),
        count=Loop("count-deliveries", metrics.count, every_seconds=_COUNT_EVERY_SECONDS),
        metrics=metrics,
        work=work,
        follow_boards=follow_boards,
        forget_deliveries=forget_deliveries,
        redeliver=redeliver,
    )
