"""ClaimAuthor: an author's signals are a person's by word, and theirs no more, without a loss."""

import asyncio
from typing import Any

import pytest

from laurel.ingest.v1 import signal_pb2_grpc
from laurel.ingest.v1.signal_claims_pb2 import ClaimAuthorRequest, ClaimAuthorResponse
from laurel.ingest.v1.signal_reads_pb2 import StreamSignalsRequest
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from laurel_ingest.application.claim_author import AuthorClaim
from laurel_ingest.application.turns import Turn
from laurel_ingest.domain.identities import synthetic_id_of_email
from laurel_ingest.storage import author_claims
from tests.rpc.ingest.conftest import Service
from tests.rpc.ingest.test_read_signals import _rows
from tests.support.ingest_builders import (
    INSTALLATION_ID,
    commit,
    lines_of,
    new_signal,
    push,
    sha,
)

pytestmark = pytest.mark.usefixtures("world")

EMAIL = "kim@example.com"
KIM, PERSON, OTHER = synthetic_id_of_email(EMAIL), 5, 6
COMMITS = [*range(7)]


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices that a test can count."""
    monkeypatch.setattr(author_claims, "FACTS", 3)
    monkeypatch.setattr(author_claims, "SIGNALS", 2)


def identity(service: Service) -> signal_pb2_grpc.SignalServiceStub:
    return signal_pb2_grpc.SignalServiceStub(
        service.server.channel(PrincipalKind.SERVICE, name="identity")
    )


async def claim(
    service: Service, user_id: int = PERSON, *, release: bool = False
) -> ClaimAuthorResponse:
    request = ClaimAuthorRequest(synthetic_user_id=KIM, user_id=user_id, release=release)
    return await identity(service).ClaimAuthor(request)


async def begun(service: Service, *, release: bool = False) -> None:
    """As a call leaves it that died after its first slice."""
    do = service.inner.claim_author
    do.turn = Turn(seconds=0)
    done = await do(AuthorClaim(KIM, PERSON, release))
    assert not done.is_complete
    do.turn = Turn()


async def credited(service: Service) -> dict[int, int]:
    """Signals by user, as scoring reads them."""
    request = StreamSignalsRequest(installation_id=INSTALLATION_ID)
    answers = [each async for each in service.scoring.StreamSignals(request)]
    users = [row["user_id"] for row in _rows(answers[1:], "arrow")]
    return {each: users.count(each) for each in set(users)}


def keys_fit(service: Service) -> bool:
    """Whether every signal has its key, every key its signal, and the count is right."""
    with service.database.connect() as owner:
        found = owner.execute(
            "SELECT count(*) FILTER (WHERE k.signal_id IS NOT NULL AND s.id IS NOT NULL)"
            "   = count(*) AND count(*) = (SELECT sum(signal_count)"
            "   FROM installation_signal_states)"
            " FROM signals AS s FULL JOIN signal_keys AS k ON k.signal_id = s.id"
            "   AND k.content_hash = decode(s.content_hash, 'hex')"
            "   AND k.user_id = CASE s.type WHEN 'commit' THEN s.user_id ELSE 0 END"
        ).fetchone()
    return found == (True,)


async def import_commits(service: Service, *seeds: int) -> None:
    commits = [commit(seed, email=EMAIL) for seed in seeds or COMMITS]
    await service.import_lines(lines_of([push(*commits)]))


async def write_as(service: Service, user_id: int, *identities: str, **changes: Any) -> None:
    """What a backend knows of somebody, which no fact stands behind."""
    await service.write([new_signal(each, user_id=user_id, **changes) for each in identities])


async def test_what_a_claim_moves_its_release_brings_back(service: Service) -> None:
    await import_commits(service)
    await write_as(service, KIM, "91", "92", "93")
    await write_as(service, PERSON, "94")
    with service.database.connect() as owner:
        owner.execute("DELETE FROM scoring_notices")
    done = await claim(service)
    assert (done.moved_count, done.is_complete) == (len(COMMITS) + 3, True)
    assert await credited(service) == {PERSON: len(COMMITS) + 4}
    assert keys_fit(service)
    with service.database.connect() as owner:
        assert owner.execute("SELECT installation_id FROM scoring_notices").fetchall() == [
            (INSTALLATION_ID,)
        ]
    # Said again, nothing is left to do.
    assert await claim(service) == ClaimAuthorResponse(is_complete=True)
    back = await claim(service, release=True)
    assert (back.moved_count, back.is_complete) == (len(COMMITS) + 3, True)
    assert await credited(service) == {KIM: len(COMMITS) + 3, PERSON: 1}
    assert keys_fit(service)
    assert (await claim(service, OTHER)).is_complete
    assert await credited(service) == {OTHER: len(COMMITS) + 3, PERSON: 1}


async def test_what_is_told_of_the_author_later_is_the_persons(service: Service) -> None:
    await import_commits(service, 1)
    await claim(service)
    await import_commits(service, 2, 3)
    await write_as(service, KIM, "91")
    assert await credited(service) == {PERSON: 4}
    await claim(service, release=True)
    await import_commits(service, 4)
    await write_as(service, KIM, "92")
    # What a backend wrote while the claim stood was written as the person's.
    assert await credited(service) == {KIM: 5, PERSON: 1}
    assert keys_fit(service)


async def test_a_word_stands_over_what_sources_tell_and_gives_way_when_released(
    service: Service,
) -> None:
    await import_commits(service)
    await claim(service)
    with service.database.connect() as owner:
        owner.execute("INSERT INTO synthetic_user_claims VALUES (%s, %s)", [KIM, 2])
    await import_commits(service, 8)
    assert await credited(service) == {PERSON: len(COMMITS) + 1}
    await claim(service, release=True)
    assert await credited(service) == {2: len(COMMITS) + 1}


async def test_a_commit_that_both_have_credit_for_counts_once(service: Service) -> None:
    for user_id in (KIM, PERSON):
        await write_as(service, user_id, sha("both"), type=1)
    await claim(service)
    assert await credited(service) == {PERSON: 1}
    assert keys_fit(service)


@pytest.mark.parametrize("turn_back", [False, True], ids=["goes-on", "is-taken-back"])
async def test_a_claim_that_died_half_way(service: Service, turn_back: bool) -> None:
    await import_commits(service)
    await write_as(service, KIM, "91", "92", "93")
    await begun(service)
    assert (await credited(service))[PERSON] < len(COMMITS)
    assert (await claim(service, release=turn_back)).is_complete
    assert await credited(service) == {KIM if turn_back else PERSON: len(COMMITS) + 3}
    assert keys_fit(service)


async def test_calls_at_once_move_each_signal_once(service: Service) -> None:
    await import_commits(service)
    await write_as(service, KIM, "91", "92", "93")
    done = await asyncio.gather(*(claim(service) for _ in range(3)))
    assert sum(each.moved_count for each in done) == len(COMMITS) + 3
    assert await credited(service) == {PERSON: len(COMMITS) + 3}
    assert keys_fit(service)


async def test_what_can_not_be_claimed_is_refused_with_its_reason(service: Service) -> None:
    await import_commits(service)
    with pytest.raises(RemoteError) as refused:
        await claim(service, 999)
    assert (refused.value.code, refused.value.reason) == ("NOT_FOUND", "USER_NOT_FOUND")
    await claim(service)
    with pytest.raises(RemoteError) as refused:
        await claim(service, OTHER)
    assert (refused.value.code, refused.value.reason) == ("ABORTED", "CONCURRENT_CHANGE")
    assert await credited(service) == {PERSON: len(COMMITS)}
    for wrong in ({"synthetic_user_id": -5}, {"user_id": KIM}):
        values: dict[str, Any] = {"synthetic_user_id": KIM, "user_id": PERSON} | wrong
        with pytest.raises(RemoteError) as refused:
            await identity(service).ClaimAuthor(ClaimAuthorRequest(**values))
        assert [each.field for each in refused.value.violations] == list(wrong)
    nobody = ClaimAuthorRequest(synthetic_user_id=KIM - 1, user_id=PERSON, release=True)
    assert (await identity(service).ClaimAuthor(nobody)).is_complete


async def test_only_identity_may_claim(service: Service) -> None:
    with pytest.raises(RemoteError) as refused:
        await service.operator.ClaimAuthor(
            ClaimAuthorRequest(synthetic_user_id=KIM, user_id=PERSON)
        )
    assert refused.value.reason == "CALLER_NOT_ALLOWED"
