"""StreamSignals since a mark: what was known, less what is gone, and what is new, is everything."""

from typing import Any

import pytest

from laurel.ingest.v1 import signal_entities_pb2 as pb
from tests.rpc.ingest.conftest import Service
from tests.rpc.ingest.test_read_signals import stream, stream_changes
from tests.support.ingest_builders import INSTALLATION_ID, REPOSITORY_ID, new_signal, sha

pytestmark = pytest.mark.usefixtures("world")

ARCHIVE, BEST = pb.STANDING_ARCHIVE, pb.STANDING_BEST
Known = dict[tuple[bytes, int], dict[str, Any]]


def by_key(rows: list[dict[str, Any]]) -> Known:
    keyed = {(row["content_hash"], row["user_id"] if row["type"] == 1 else 0): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


# Each step: batches, and the standing of their source.
STEPS: list[tuple[list[Any], int]] = [
    ([new_signal("1"), new_signal("2"), new_signal(sha(1), type=1, user_id=1)], ARCHIVE),
    # Nothing new, and nothing changed.
    ([new_signal("1")], ARCHIVE),
    # A better source: another author of the commit, another person and time of the comment.
    (
        [
            new_signal(sha(1), type=1, user_id=2),
            new_signal("2", user_id=3, event_time={"seconds": 1_600_000_000}),
        ],
        BEST,
    ),
    # Only a flag is learned.
    ([new_signal("1", metadata=pb.SignalMetadata(is_bot=True))], ARCHIVE),
    ([new_signal(str(n), repository_id=REPOSITORY_ID + n % 2) for n in range(3, 60)], BEST),
    # A month of its own, far from the others.
    ([new_signal("99", event_time={"seconds": 1_500_000_000})], BEST),
]


async def test_changes_make_of_what_was_known_what_is(service: Service) -> None:
    header, rows = await stream(service)
    marks, states = [header.input_mark], [by_key(rows)]
    for batch, standing in STEPS:
        await service.write(batch, standing=standing)
        header, rows = await stream(service)
        marks.append(header.input_mark)
        states.append(by_key(rows))
    assert len(states[-1]) == 61
    # Since each earlier mark but the one of nothing, which was nobody's.
    for mark, state in zip(marks[1:], states[1:], strict=True):
        since, removed, changed = await stream_changes(service, mark)
        assert since.changes_only
        assert since.input_mark == marks[-1]
        known = {key: row for key, row in state.items() if key not in removed}
        assert known | by_key(changed) == states[-1]
    assert marks[2] == marks[1]
    _, _, nothing = await stream_changes(service, marks[-1])
    assert nothing == []


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param("", id="no mark"),
        pytest.param("nonsense", id="no mark of ours"),
        pytest.param("00000000-0000-0000-0000-000000000000.1.x", id="another lineage"),
        pytest.param("{lineage}.999.x", id="a revision to come"),
        pytest.param("{lineage}.1.x", id="a revision since which something was not noted"),
    ],
)
async def test_what_is_not_known_for_certain_is_everything(service: Service, strange: str) -> None:
    for n in range(3):
        await service.write([new_signal(str(n + 1))])
    with service.database.connect() as owner:
        owner.execute("DELETE FROM signal_changes WHERE revision = 3")
        (lineage,) = owner.execute(
            "SELECT lineage::text FROM installation_signal_states WHERE installation_id = %s",
            [INSTALLATION_ID],
        ).fetchone() or ("",)
    header, removed, rows = await stream_changes(service, strange.format(lineage=lineage))
    assert (header.changes_only, removed, len(rows)) == (False, set(), 3)


async def test_many_changes_are_read_as_everything(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laurel_ingest.storage.change_log._LEAST", 2)
    await service.write([new_signal("1")])
    mark = (await stream(service))[0].input_mark
    await service.write([new_signal(str(n)) for n in range(2, 5)])
    header, _, rows = await stream_changes(service, mark)
    assert (header.changes_only, len(rows)) == (False, 4)
