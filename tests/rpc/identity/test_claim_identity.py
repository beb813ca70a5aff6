"""ClaimIdentity: whom operators say that synthetic users are, and that signals are told of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from laurel.identity.v1 import directory_pb2_grpc
from laurel.identity.v1.directory_claims_pb2 import ClaimIdentityRequest, IdentityClaim
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_common.rpc.status import CODES
from laurel_identity.domain.claims import Claim
from tests.rpc.identity.conftest import Identity, running_identity
from tests.support.database import Database

KIM, LEE = -(2**62) - 77, -(2**62) - 78
ADA, BOB = 1, 2


@dataclass
class Ingest:
    """Whoever holds the signals: needs two calls for each claim, and may be away."""

    told: list[tuple[int, int, bool]] = field(default_factory=list)
    trouble: list[RemoteError] = field(default_factory=list)

    async def follow(self, claim: Claim) -> tuple[int, bool]:
        said = (claim.synthetic_user_id, claim.user_id, claim.is_release)
        self.told.append(said)
        if self.trouble:
            raise self.trouble.pop()
        return 10, self.told.count(said) % 2 == 0


@dataclass
class Town:
    """Identity with two people and two synthetic users."""

    identity: Identity
    ingest: Ingest
    database: Database

    async def say(self, synthetic_id: int = KIM, **claim: Any) -> IdentityClaim:
        request = ClaimIdentityRequest(synthetic_user_id=synthetic_id, **claim)
        return (await self.identity.operator.ClaimIdentity(request)).claim

    async def follow(self) -> list[tuple[int, int, bool]]:
        """Has everything that is open told; what was told."""
        self.ingest.told.clear()
        await self.identity.built.follow_claims()
        return list(dict.fromkeys(self.ingest.told))

    def log(self) -> list[Any]:
        with self.database.connect() as owner:
            return owner.execute(
                "SELECT synthetic_user_id, user_id, is_release, requested_by FROM identity_claims"
                " ORDER BY id"
            ).fetchall()


@pytest.fixture
async def town(database: Database, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    with database.connect() as owner:
        owner.execute(
            "INSERT INTO users (id, login, avatar_url)"
            " SELECT id, 'u' || id, '' FROM unnest(%s) AS id",
            [[KIM, LEE, ADA, BOB]],
        )
    ingest = Ingest()
    async with running_identity(database, redis_url, tmp_path, authors=ingest) as identity:
        yield Town(identity, ingest, database)


async def test_a_claim_is_kept_told_and_taken_back(town: Town) -> None:
    claim = await town.say(user_id=ADA)
    assert (claim.synthetic_user_id, claim.user_id, claim.released) == (KIM, ADA, False)
    assert claim.request_time.ToDatetime() == town.identity.clock.now().replace(tzinfo=None)
    assert not claim.HasField("finish_time")
    assert await town.follow() == [(KIM, ADA, False)]
    again = await town.say(user_id=ADA)
    assert (again.moved_signal_count, again.HasField("finish_time")) == (20, True)
    assert await town.follow() == []
    released = await town.say(release=True)
    assert (released.user_id, released.released) == (ADA, True)
    assert (await town.say(release=True)).request_time == released.request_time
    assert await town.follow() == [(KIM, ADA, True)]
    await town.say(user_id=BOB)
    assert [row[:3] for row in town.log()] == [
        (KIM, ADA, False),
        (KIM, ADA, True),
        (KIM, BOB, False),
    ]
    assert {row[3] for row in town.log()} == {again.requested_by} != {""}


async def test_words_on_one_user_are_told_in_their_order(town: Town) -> None:
    await town.say(user_id=ADA)
    await town.say(LEE, user_id=ADA)
    await town.say(release=True)
    await town.say(user_id=BOB)
    told = await town.follow()
    assert [each for each in told if each[0] == KIM] == [
        (KIM, ADA, False),
        (KIM, ADA, True),
        (KIM, BOB, False),
    ]
    assert (LEE, ADA, False) in told


async def test_what_can_not_be_told_now_is_told_later(town: Town) -> None:
    await town.say(user_id=ADA)
    await town.say(LEE, user_id=BOB)
    town.ingest.trouble = [RemoteError("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "away")]
    await town.follow()
    assert await town.follow() == [(KIM, ADA, False)]
    assert (await town.say(user_id=ADA)).HasField("finish_time")


async def test_a_claim_of_somebody_who_is_gone_by_now_is_over(town: Town) -> None:
    await town.say(user_id=ADA)
    town.ingest.trouble = [RemoteError("NOT_FOUND", "USER_NOT_FOUND", "gone")]
    await town.follow()
    assert await town.follow() == []
    with town.database.connect() as owner:
        (row,) = owner.execute("SELECT last_error, moved_count FROM identity_claims").fetchall()
    assert row == ("USER_NOT_FOUND", 0)


@pytest.mark.parametrize(
    ("before", "wrong", "reason", "fields"),
    [
        pytest.param({}, {}, "INVALID_REQUEST", ["claim"], id="neither"),
        pytest.param({}, {"release": False}, "INVALID_REQUEST", ["release"], id="false"),
        pytest.param(
            *({}, {"synthetic_user_id": 7, "user_id": -1}, "INVALID_REQUEST"),
            ["synthetic_user_id", "user_id"],
            id="not-a-synthetic-one-and-not-a-person",
        ),
        pytest.param({}, {"user_id": 99}, "USER_NOT_FOUND", ["user_id"], id="no-such-person"),
        pytest.param(
            *({}, {"synthetic_user_id": KIM - 9, "user_id": 99}, "USER_NOT_FOUND"),
            ["synthetic_user_id", "user_id"],
            id="nobody-at-all",
        ),
        pytest.param({}, {"release": True}, "CLAIM_NOT_FOUND", [], id="not-claimed"),
        pytest.param({"user_id": BOB}, {"user_id": ADA}, "IDENTITY_CLAIMED", [], id="bobs"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    town: Town, before: dict[str, Any], wrong: dict[str, Any], reason: str, fields: list[str]
) -> None:
    if before:
        await town.say(**before)
    said = town.log()
    with pytest.raises(RemoteError) as refused:
        await town.identity.operator.ClaimIdentity(
            ClaimIdentityRequest(**({"synthetic_user_id": KIM} | wrong))
        )
    assert (refused.value.code, refused.value.reason) == (CODES[reason].name, reason)
    assert [each.field for each in refused.value.violations] == fields
    if reason == "IDENTITY_CLAIMED":
        assert refused.value.metadata["user_id"] == str(BOB)
    assert town.log() == said


async def test_of_two_who_claim_at_once_one_is_refused(town: Town) -> None:
    done = await asyncio.gather(
        *(town.say(user_id=each) for each in (ADA, BOB, ADA, BOB)), return_exceptions=True
    )
    refused = [each for each in done if isinstance(each, RemoteError)]
    assert len(refused) == 2
    assert {each.reason for each in refused} == {"IDENTITY_CLAIMED"}
    assert len(town.log()) == 1


async def test_claiming_is_for_operators(town: Town) -> None:
    for kind in (PrincipalKind.BACKEND, PrincipalKind.SERVICE, PrincipalKind.GATEWAY):
        stub = directory_pb2_grpc.DirectoryServiceStub(town.identity.server.channel(kind))
        with pytest.raises(RemoteError) as refused:
            await stub.ClaimIdentity(ClaimIdentityRequest(synthetic_user_id=KIM, user_id=ADA))
        assert refused.value.reason == "CALLER_NOT_ALLOWED"
    assert town.log() == []
