"""What strangers put into what identity is handed on, over the wire and through the lane."""

from random import Random

import orjson
import pytest

from laurel_common.errors import RemoteError
from laurel_ingest.domain.deliveries import IDENTITYS
from tests.rpc.ingest.conftest import Service
from tests.support.ingest_builders import issue
from tests.support.ingest_webhooks import payload
from tests.support.spoiling import spoilt


async def test_whatever_identity_is_handed_is_in_no_neighbours_way(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = sorted(IDENTITYS)
    draw = Random(1)  # noqa: S311 - a story, no secret
    sound = payload(action="created", account={"id": 2}, team={"id": 3}, member={"id": 4})

    async def judge(event: str, body: bytes) -> None:
        # As identity does, whose own test is that it refuses nothing otherwise.
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:
            raise RemoteError("INVALID_ARGUMENT", "INVALID_REQUEST", "no JSON") from None

    monkeypatch.setattr(service.identity, "hand_on", judge)
    for number, body in enumerate(spoilt(sound, draw, 40)):
        event = family[number % len(family)]
        await service.deliver(event, body, delivery_id=f"bad-{number}")
        if number % 10 == 0:
            opened = payload(action="opened", issue=issue(number + 1))
            await service.deliver("issues", opened, delivery_id=f"good-{number}")
    with service.database.connect() as connection:
        rows = connection.execute("SELECT DISTINCT subject_id FROM webhook_deliveries").fetchall()
    for (subject,) in rows:
        await service.inner.webhooks.work(subject)
    with service.database.connect() as connection:
        ended = connection.execute(
            "SELECT delivery_id LIKE 'good-%', state::text, count(*) FROM webhook_deliveries"
            " GROUP BY 1, 2"
        ).fetchall()
    left = {(is_good, state): count for is_good, state, count in ended}
    assert left.keys() == {(True, "done"), (False, "done"), (False, "parked")}
    assert service.counts() == {"issue_open": left[True, "done"]}
