"""Where protobuf meets decisions about spam and bots, and partitions."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.ingest.v1 import partitions_pb2, signal_corrections_pb2
from laurel_common.surroundings import current_principal
from laurel_ingest.application.bots import BotPage
from laurel_ingest.application.corrections import Actor, Thing, ThingKind
from laurel_ingest.application.partitions import Health, Partition

_KINDS = {
    signal_corrections_pb2.THING_KIND_PULL_REQUEST: ThingKind.PULL_REQUEST,
    signal_corrections_pb2.THING_KIND_ISSUE: ThingKind.ISSUE,
    signal_corrections_pb2.THING_KIND_COMMENT: ThingKind.COMMENT,
    signal_corrections_pb2.THING_KIND_REVIEW_COMMENT: ThingKind.REVIEW_COMMENT,
    signal_corrections_pb2.THING_KIND_REVIEW: ThingKind.REVIEW,
}
_NUMBER_OF = {kind: number for number, kind in _KINDS.items()}


def actor() -> Actor:
    """Who calls."""
    principal = current_principal()
    return Actor(principal.kind.value, principal.name)


def subject(
    request: signal_corrections_pb2.FlagSpamRequest | signal_corrections_pb2.UnflagSpamRequest,
) -> Thing | int:
    """A thing, or a signal's id."""
    if request.WhichOneof("subject") == "signal_id":
        return request.signal_id
    told = request.thing
    return Thing(told.repository_id, _KINDS[told.kind], told.number)


def thing(known: Thing) -> signal_corrections_pb2.Thing:
    """A thing."""
    return signal_corrections_pb2.Thing(
        repository_id=known.repository_id, kind=_NUMBER_OF[known.kind], number=known.number
    )


def bot_page(page: BotPage) -> signal_corrections_pb2.ListBotsResponse:
    """A page of bots."""
    return signal_corrections_pb2.ListBotsResponse(
        bots=[
            signal_corrections_pb2.InstallationBot(
                user_id=each.user_id,
                added_by=each.added_by,
                create_time=_timestamp(each.created_at),
            )
            for each in page.bots
        ],
        next_page_token=page.next_page_token,
    )


def health(known: Health) -> partitions_pb2.GetPartitionHealthResponse:
    """How the partitions are."""
    return partitions_pb2.GetPartitionHealthResponse(
        partitions=partitions(known.partitions),
        default_uses=[
            partitions_pb2.DefaultPartitionUse(
                month=_month(each.month),
                signal_count=each.signal_count,
                first_event_time=_timestamp(each.first_event),
                last_event_time=_timestamp(each.last_event),
                first_record_time=_timestamp(each.first_recorded),
            )
            for each in known.default_uses
        ],
    )


def partitions(known: Sequence[Partition]) -> list[partitions_pb2.SignalPartition]:
    """Months' partitions."""
    return [
        partitions_pb2.SignalPartition(
            month=_month(each.month),
            signal_count_estimate=each.signal_count,
            byte_count=each.byte_count,
        )
        for each in known
    ]


def _month(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp
