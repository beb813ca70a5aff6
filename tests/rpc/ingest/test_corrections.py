"""Spam and bots by hand, teams that go, and the partitions, over the wire."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from laurel.ingest.v1 import (
    ingest_pb2_grpc,
    partitions_pb2,
    signal_corrections_pb2,
    signal_pb2_grpc,
    signal_reads_pb2,
)
from laurel.ingest.v1.signal_moves_pb2 import AdoptInstallationRequest
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import (
    ACCOUNT_ID,
    INSTALLATION_ID,
    REPOSITORY_ID,
    issue,
    new_signal,
)
from tests.support.ingest_webhooks import REAL_INSTALLATION, payload

pb = signal_corrections_pb2
COMMENT = {"id": 5, "user": {"id": 2, "login": "bob"}, "created_at": "2021-05-03T10:00:00Z"}


def thing(number: int, kind: int = pb.THING_KIND_COMMENT) -> pb.Thing:
    return pb.Thing(repository_id=REPOSITORY_ID, kind=pb.ThingKind.ValueType(kind), number=number)


async def flag(service: Service, subject: pb.Thing | int, *, off: bool = False) -> bool:
    """Flags or unflags, and answers whether a signal changed."""
    values: dict[str, Any] = {"installation_id": INSTALLATION_ID}
    values |= {"signal_id" if isinstance(subject, int) else "thing": subject}
    if off:
        return (await service.operator.UnflagSpam(pb.UnflagSpamRequest(**values))).changed
    return (await service.operator.FlagSpam(pb.FlagSpamRequest(**values))).changed


async def comments(service: Service, *issues: dict[str, Any]) -> None:
    for source in issues:
        body = payload(action="created", comment=COMMENT, issue=source)
        await service.deliver("issue_comment", body)
    await service.inner.webhooks.work(REAL_INSTALLATION)


def rows(service: Service, query: str) -> list[tuple[Any, ...]]:
    with service.database.connect() as connection:
        return connection.execute(query).fetchall()


def spam(service: Service) -> list[tuple[Any, ...]]:
    return rows(
        service,
        "SELECT user_id, event_timestamp::text FROM signals WHERE type = 'spam' ORDER BY id",
    )


MADE = [(2, "2021-05-03 10:00:00+00")]


async def test_what_is_flagged_is_its_authors_spam_until_it_is_unflagged(
    service: Service,
) -> None:
    await comments(service, issue())
    assert [await flag(service, thing(5)), await flag(service, thing(5))] == [True, False]
    assert spam(service) == MADE
    await service.inner.webhooks.follow_boards()
    assert INSTALLATION_ID in service.recorded.asked

    assert [await flag(service, thing(5), off=True) for _ in range(2)] == [True, False]
    assert (spam(service), service.counts()) == ([], {"comment": 1})
    log = rows(
        service,
        "SELECT action, repository_id, thing, actor_kind FROM signal_corrections ORDER BY id",
    )
    assert log == [
        (f"spam_{action}", REPOSITORY_ID, "comment:5", "operator")
        for action in ("flagged", "flagged", "unflagged", "unflagged")
    ]


async def test_peoples_word_stands_whatever_sources_say_before_and_after(service: Service) -> None:
    labelled = issue(labels=[{"name": "spam"}], updated_at="2021-05-03T10:00:00Z")
    await service.deliver("issues", payload(action="opened", issue=labelled))
    await service.inner.webhooks.work(REAL_INSTALLATION)
    assert service.counts() == {"issue_open": 1, "spam": 1}
    of_issue = thing(7, pb.THING_KIND_ISSUE)
    assert await flag(service, of_issue, off=True)
    await comments(service, labelled)
    assert spam(service) == []
    assert await flag(service, of_issue)
    await comments(service, issue(labels=[], updated_at="2021-05-03T11:00:00Z"))
    assert len(spam(service)) == 1


@pytest.mark.usefixtures("world")
async def test_a_signal_stands_for_its_thing_even_where_a_backend_wrote_it(
    service: Service,
) -> None:
    metadata = {"object_id": "31"}
    await service.write([new_signal("31", metadata=metadata), new_signal("32")])
    listed = await service.backend.ListSignals(
        signal_reads_pb2.ListSignalsRequest(installation_id=INSTALLATION_ID)
    )
    ids = {each.metadata.object_id: each.id for each in listed.signals}
    assert await flag(service, ids["31"])
    assert len(spam(service)) == 1
    assert await flag(service, thing(31), off=True)
    assert (spam(service), service.counts()) == ([], {"comment": 2})
    with pytest.raises(RemoteError) as refused:
        await flag(service, ids[""])
    assert refused.value.reason == "THING_NOT_FOUND"


async def test_of_decisions_at_once_the_one_that_is_noted_last_stands(service: Service) -> None:
    await comments(service, issue())
    for _ in range(3):
        await asyncio.gather(*(flag(service, thing(5), off=bool(each % 2)) for each in range(6)))
        last = rows(service, "SELECT action FROM signal_corrections ORDER BY id DESC LIMIT 1")
        assert (last == [("spam_flagged",)]) == (spam(service) == MADE)


async def test_what_is_not_there_or_makes_no_sense_is_refused(service: Service) -> None:
    await comments(service, issue())
    for subject in (thing(6), thing(5, pb.THING_KIND_ISSUE), 999_999):
        with pytest.raises(RemoteError) as refused:
            await flag(service, subject)
        assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "THING_NOT_FOUND")
    for bad in (
        pb.FlagSpamRequest(installation_id=INSTALLATION_ID),
        pb.FlagSpamRequest(installation_id=INSTALLATION_ID, thing=thing(5, 0)),
        pb.FlagSpamRequest(installation_id=INSTALLATION_ID, thing=thing(0)),
        pb.FlagSpamRequest(thing=thing(5)),
    ):
        with pytest.raises(RemoteError) as refused:
            await service.operator.FlagSpam(bad)
        assert refused.value.reason == "INVALID_REQUEST"
    service.directory.installations = set()
    with pytest.raises(RemoteError) as refused:
        await service.operator.FlagSpam(pb.FlagSpamRequest(installation_id=1, thing=thing(5)))
    assert refused.value.reason == "INSTALLATION_NOT_FOUND"
    assert spam(service) == []


@pytest.mark.usefixtures("world")
async def test_bots_are_added_removed_listed_noted_and_scored(service: Service) -> None:
    async def update(add: list[int], remove: list[int]) -> tuple[int, int]:
        request = pb.UpdateBotsRequest(
            installation_id=INSTALLATION_ID, add_user_ids=add, remove_user_ids=remove
        )
        done = await service.operator.UpdateBots(request)
        return done.added_count, done.removed_count

    assert await update([3, 1, 2], [9]) == (3, 0)
    assert await update([3], [1]) == (0, 1)
    seen, token = [], ""
    while True:
        request = pb.ListBotsRequest(installation_id=INSTALLATION_ID, page_size=1, page_token=token)
        page = await service.backend.ListBots(request)
        seen += [(each.user_id, bool(each.added_by)) for each in page.bots]
        token = page.next_page_token
        if not token:
            break
    assert seen == [(2, True), (3, True)]
    await service.inner.webhooks.follow_boards()
    assert service.recorded.asked == [INSTALLATION_ID]
    log = rows(service, "SELECT action, user_id FROM signal_corrections ORDER BY id")
    assert log == [("bot_added", 1), ("bot_added", 2), ("bot_added", 3), ("bot_removed", 1)]
    revisions = rows(service, "SELECT revision FROM installation_signal_states")
    assert revisions == [(2,)]

    for add, remove, reason in (([4, 99], [], "USER_NOT_FOUND"), ([4], [4], "INVALID_REQUEST")):
        with pytest.raises(RemoteError) as refused:
            await update(add, remove)
        assert refused.value.reason == reason
    service.directory.installations = set()
    for call in (
        service.operator.UpdateBots(pb.UpdateBotsRequest(installation_id=1, add_user_ids=[4])),
        service.operator.ListBots(pb.ListBotsRequest(installation_id=1)),
    ):
        with pytest.raises(RemoteError) as refused:
            await call
        assert refused.value.reason == "INSTALLATION_NOT_FOUND"
    assert len(rows(service, "SELECT FROM installation_bots")) == 2


@pytest.mark.usefixtures("world")
async def test_old_partitions_are_shown_and_go_only_when_that_is_confirmed(
    service: Service,
) -> None:
    seconds = (1_620_036_000, 1_760_000_000)  # May 2021, October 2025
    await service.write([new_signal(str(each), event_time={"seconds": each}) for each in seconds])
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO signals (installation_id, user_id, repository_id, type,"
            " event_timestamp, content_hash) VALUES (%s, 1, %s, 'comment', '2031-01-05', %s)",
            [INSTALLATION_ID, REPOSITORY_ID, "0" * 64],
        )
    stub = ingest_pb2_grpc.IngestServiceStub(service.server.channel(PrincipalKind.OPERATOR))
    health = await stub.GetPartitionHealth(partitions_pb2.GetPartitionHealthRequest())
    assert {"2021-05", "2025-10"} <= {each.month for each in health.partitions}
    assert all(each.byte_count > 0 for each in health.partitions)
    assert [(each.month, each.signal_count) for each in health.default_uses] == [("2031-01", 1)]

    for confirmed in (False, True, True):
        request = partitions_pb2.DropOldPartitionsRequest(keep_months=24, confirmed=confirmed)
        done = await stub.DropOldPartitions(request)
        gone = [each.month for each in done.partitions]
        assert done.dropped == confirmed
        if not confirmed:
            assert gone == ["2021-05"]
            assert service.counts() == {"comment": 3}
    assert gone == []
    assert service.counts() == {"comment": 2}
    state = rows(service, "SELECT signal_count FROM installation_signal_states")
    assert state == [(1,)]
    await service.inner.webhooks.follow_boards()
    assert service.recorded.asked == [INSTALLATION_ID]
    with pytest.raises(RemoteError) as refused:
        await stub.DropOldPartitions(partitions_pb2.DropOldPartitionsRequest(confirmed=True))
    assert refused.value.reason == "INVALID_REQUEST"


@pytest.mark.usefixtures("world")
async def test_a_team_that_goes_leaves_nothing(service: Service) -> None:
    with service.database.connect() as owner:
        owner.execute(
            "INSERT INTO teams (id, organization_id, slug, name) VALUES (8, %s, 't', 'T')",
            [ACCOUNT_ID],
        )
        owner.execute(
            "INSERT INTO ingest_log (installation_id, organization_id, team_id,"
            " last_successful_ingest_at, ingest_preset) VALUES (%s, %s, 8, now(), 'all_time')",
            [INSTALLATION_ID, ACCOUNT_ID],
        )
    identity = signal_pb2_grpc.SignalServiceStub(
        service.server.channel(PrincipalKind.SERVICE, name="identity")
    )
    for count in (1, 0):
        done = await identity.ForgetTeam(pb.ForgetTeamRequest(team_id=8))
        assert done.forgotten_count == count
    assert rows(service, "SELECT FROM ingest_log") == []


async def test_only_those_named_may_correct(service: Service) -> None:
    operator = {"flag", "unflag", "update", "bots", "health", "drop"}
    allowed = {
        (PrincipalKind.OPERATOR, "operator"): operator,
        (PrincipalKind.BACKEND, "backend"): {"bots"},
        (PrincipalKind.GATEWAY, "gateway"): set(),
        (PrincipalKind.SERVICE, "identity"): {"forget", "adopt"},
        (PrincipalKind.SERVICE, "scoring"): set(),
    }
    for (kind, name), may in allowed.items():
        channel = service.server.channel(kind, name=name)
        signals = signal_pb2_grpc.SignalServiceStub(channel)
        ingest = ingest_pb2_grpc.IngestServiceStub(channel)
        calls: dict[str, Awaitable[object]] = {
            "flag": signals.FlagSpam(pb.FlagSpamRequest(installation_id=1, signal_id=1)),
            "unflag": signals.UnflagSpam(pb.UnflagSpamRequest(installation_id=1, signal_id=1)),
            "bots": signals.ListBots(pb.ListBotsRequest(installation_id=1)),
            "update": signals.UpdateBots(pb.UpdateBotsRequest(installation_id=1)),
            "forget": signals.ForgetTeam(pb.ForgetTeamRequest(team_id=1)),
            "adopt": signals.AdoptInstallation(
                AdoptInstallationRequest(from_installation_id=1, into_installation_id=2)
            ),
            "health": ingest.GetPartitionHealth(partitions_pb2.GetPartitionHealthRequest()),
            "drop": ingest.DropOldPartitions(
                partitions_pb2.DropOldPartitionsRequest(keep_months=1)
            ),
        }
        refused = set()
        for method, call in calls.items():
            try:
                await call
            except RemoteError as error:
                refused |= {method} if error.reason == "CALLER_NOT_ALLOWED" else set()
        assert refused == calls.keys() - may, name
