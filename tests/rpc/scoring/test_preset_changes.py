"""CreatePreset, UpdatePreset, DeletePreset and ActivatePreset over the wire."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preset_pb2 as pb
from laurel.scoring.v1 import scoring_pb2
from laurel_common.errors import RemoteError
from laurel_scoring.domain.roster import Roster
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.rpc import convert_presets as convert
from tests.rpc.scoring.conftest import Service
from tests.rpc.scoring.preset_calls import (
    activate,
    audit,
    create,
    delete,
    faults,
    get,
    refused,
    told,
    update,
)
from tests.support.scoring_builders import AS_OF, a_signal
from tests.support.scoring_database import an_installation

COMMIT = types_pb2.SIGNAL_TYPE_COMMIT
SPAM = types_pb2.SIGNAL_TYPE_SPAM


async def test_a_preset_is_made_with_the_default_rules_unless_told(service: Service) -> None:
    made = await create(service)
    assert (made.name, made.is_active) == ("bold", False)
    assert made.rules == convert.rules(DEFAULT_RULES)
    assert await get(service, made.id) == made
    assert (await get(service)).name == "default"


async def test_a_preset_is_made_with_the_rules_given(service: Service) -> None:
    rules = pb.Rules(base_points=[pb.BasePoints(type=COMMIT, points_e4=70_000)])
    assert (await create(service, rules=rules)).rules == rules


async def test_every_fault_of_a_rule_set_is_named_at_once(service: Service) -> None:
    rules = pb.Rules(
        base_points=[
            pb.BasePoints(type=COMMIT, points_e4=100_000_001),
            pb.BasePoints(type=SPAM, points_e4=1),
            pb.BasePoints(type=SPAM, points_e4=1),
        ],
        daily_quotas=[pb.DailyQuota(type=types_pb2.SIGNAL_TYPE_REVIEW, max_signals=1)],
        decay_factor_e4=10_001,
    )
    error = await refused(create(service, rules=rules))
    assert told(error) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert sorted(faults(error)) == [
        "rules.base_points[commit].points_e4",
        "rules.base_points[spam]",
        "rules.base_points[spam].points_e4",
        "rules.daily_quotas[review].max_signals",
        "rules.decay_factor_e4",
    ]
    assert not audit(service)


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        pytest.param("", False, id="empty"),
        pytest.param(" a", False, id="blank-before"),
        pytest.param("a ", False, id="blank-after"),
        pytest.param("a\nb", False, id="control-character"),
        pytest.param("x" * 101, False, id="too-long"),
        pytest.param("Größe 2, für alle", True, id="words"),
        pytest.param("é", True, id="one-character"),
    ],
)
async def test_which_names_presets_can_have(service: Service, name: str, fine: bool) -> None:
    if fine:
        assert (await create(service, name)).name == name
    else:
        error = await refused(create(service, name))
        assert told(error) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert set(faults(error)) == {"name"}


async def test_a_name_is_taken_once_an_installation(service: Service) -> None:
    await create(service)
    assert told(await refused(create(service))) == ("ALREADY_EXISTS", "PRESET_NAME_TAKEN")
    other = an_installation(service.database, 8)
    response = await service.presets.CreatePreset(
        pb.CreatePresetRequest(installation_id=other, name="bold")
    )
    assert response.preset.installation_id == other


async def test_a_request_id_makes_one_preset(service: Service) -> None:
    made = await asyncio.gather(*(create(service, request_id="mine") for _ in range(6)))
    assert {each.id for each in made} == {made[0].id}
    error = await refused(create(service, "another", request_id="mine"))
    assert (told(error), faults(error)) == (
        ("INVALID_ARGUMENT", "INVALID_REQUEST"),
        ["request_id"],
    )


async def test_a_mask_replaces_what_it_names_and_nothing_else(service: Service) -> None:
    made = await create(service)
    rules = pb.Rules(daily_quotas=[pb.DailyQuota(type=COMMIT, max_signals=2)], weekly_threshold=1)
    changed = await update(service, made, ("rules.daily_quotas",), rules=rules, name="unused")
    expected = convert.rules(DEFAULT_RULES)
    del expected.daily_quotas[:]
    expected.daily_quotas.extend(rules.daily_quotas)
    assert (changed.preset.rules, changed.preset.name) == (expected, "bold")
    assert changed.preset.etag != made.etag
    assert changed.scoring_id == 0
    assert await get(service, made.id) == changed.preset


async def test_without_a_mask_what_is_set_is_changed(service: Service) -> None:
    made = await create(service)
    changed = await update(service, made, name="bolder")
    assert (changed.preset.name, changed.preset.rules) == ("bolder", made.rules)


async def test_a_change_to_what_is_there_already_changes_nothing(service: Service) -> None:
    made = await create(service)
    changed = await update(service, made, name="bold", rules=made.rules)
    assert changed.preset == made
    assert [row[0] for row in audit(service)] == ["created"]


async def test_of_two_changes_of_one_revision_one_is_refused(service: Service) -> None:
    made = await create(service)
    names = [f"name {number}" for number in range(4)]
    ends = await asyncio.gather(
        *(update(service, made, name=name) for name in names), return_exceptions=True
    )
    errors = [end for end in ends if isinstance(end, RemoteError)]
    assert [told(error) for error in errors] == [("ABORTED", "ETAG_STALE")] * 3
    assert errors[0].metadata["current_etag"] == (await get(service, made.id)).etag


@pytest.mark.parametrize(
    ("fields", "paths", "field"),
    [
        pytest.param({}, (), "update_mask", id="nothing-to-change"),
        pytest.param({"name": "x"}, ("is_active",), "update_mask", id="unknown-path"),
        pytest.param({}, ("name",), "name", id="name-missing"),
        pytest.param({}, ("rules.daily_quotas",), "rules", id="rules-missing"),
        pytest.param({"name": "x", "etag": ""}, (), "etag", id="no-etag"),
        pytest.param(
            {"rules": pb.Rules(weekly_threshold=-1)},
            ("rules.weekly_threshold",),
            "rules.weekly_threshold",
            id="rules-out-of-bounds",
        ),
    ],
)
async def test_which_updates_are_invalid(
    service: Service, fields: dict[str, Any], paths: tuple[str, ...], field: str
) -> None:
    error = await refused(update(service, await create(service), paths, **fields))
    assert told(error) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert faults(error) == [field]


async def test_a_preset_can_not_take_anothers_name(service: Service) -> None:
    await create(service)
    other = await create(service, "other")
    error = await refused(update(service, other, name="bold"))
    assert told(error) == ("ALREADY_EXISTS", "PRESET_NAME_TAKEN")


async def test_default_keeps_its_name_and_stays(service: Service) -> None:
    default = await get(service)
    error = await refused(update(service, default, name="x"))
    assert told(error) == ("FAILED_PRECONDITION", "PRESET_PROTECTED")
    await activate(service, await create(service))
    error = await refused(delete(service, default))
    assert (told(error), error.metadata["why"]) == (
        ("FAILED_PRECONDITION", "PRESET_PROTECTED"),
        "default",
    )


async def test_a_deleted_preset_is_gone(service: Service) -> None:
    made = await create(service)
    await delete(service, made)
    assert told(await refused(get(service, made.id))) == ("NOT_FOUND", "PRESET_NOT_FOUND")
    assert told(await refused(delete(service, made))) == ("NOT_FOUND", "PRESET_NOT_FOUND")


async def test_a_deletion_with_a_stale_etag_deletes_nothing(service: Service) -> None:
    made = await create(service)
    await update(service, made, name="bolder")
    error = await refused(delete(service, made, made.etag))
    assert told(error) == ("ABORTED", "ETAG_STALE")
    assert (await get(service, made.id)).name == "bolder"


async def test_the_active_and_the_served_preset_can_not_be_deleted(service: Service) -> None:
    first, second = await create(service, "first"), await create(service, "second")
    activated = await activate(service, first)
    assert (await refused(delete(service, first))).metadata["why"] == "active"
    await service.ended(activated.scoring_id)
    service.peers.ingest.gate.clear()
    waiting = await activate(service, second)
    error = await refused(delete(service, first))
    assert (told(error), error.metadata["why"]) == (
        ("FAILED_PRECONDITION", "PRESET_PROTECTED"),
        "served",
    )
    service.clock.advance(timedelta(seconds=1))
    service.peers.ingest.gate.set()
    await service.ended(waiting.scoring_id)
    await delete(service, first)


async def test_activation_scores_by_the_new_rules_and_reads_go_on_meanwhile(
    service: Service,
) -> None:
    service.peers.identity.roster = Roster(77, frozenset({1}))
    service.peers.ingest.signals = [a_signal(at=AS_OF - timedelta(hours=1))]
    await service.score()
    rules = pb.Rules(base_points=[pb.BasePoints(type=COMMIT, points_e4=70_000)])
    preset = await create(service, rules=rules)
    service.clock.advance(timedelta(seconds=1))
    service.peers.ingest.gate.clear()
    activated = await activate(service, preset)
    assert activated.preset.is_active
    assert [row["score_e4"] for row in service.peers.leaderboard.rows(1, 77, 1, 6)] == [150_000]
    assert service.peers.leaderboard.served != preset.id
    service.peers.ingest.gate.set()
    run = await service.ended(activated.scoring_id)
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    assert [row["score_e4"] for row in service.peers.leaderboard.rows(1, 77, 1, 6)] == [70_000]
    assert service.peers.leaderboard.current[1, 77, 1, 6].header.preset_id == preset.id
    assert service.peers.leaderboard.served == preset.id


async def test_new_rules_of_the_active_preset_are_scored(service: Service) -> None:
    changed = await update(
        service, await get(service), ("rules.weekly_threshold",), rules=pb.Rules(weekly_threshold=1)
    )
    run = await service.ended(changed.scoring_id)
    assert run.state == scoring_pb2.SCORING_STATE_SUCCEEDED
    assert (
        '"weekly_threshold":1'
        in next(iter(service.peers.leaderboard.current.values())).header.rules_json
    )


async def test_of_many_activations_at_once_one_preset_is_active(service: Service) -> None:
    presets = [await create(service, f"preset {number}") for number in range(4)]
    ends = await asyncio.gather(*(activate(service, preset) for preset in presets * 3))
    assert all(end.preset.is_active for end in ends)
    page = await service.presets.ListPresets(
        pb.ListPresetsRequest(installation_id=service.installation)
    )
    assert [preset.is_active for preset in page.presets].count(True) == 1
    rows = [row for row in audit(service) if row[0] == "activated"]
    # Each activation was from the preset that the one before it was to.
    for earlier, later in pairwise(rows):
        assert later[4] == earlier[5]
    active = next(preset for preset in page.presets if preset.is_active)
    assert rows[-1][5] == {"active_preset_id": active.id}


async def test_the_audit_log_says_who_changed_what_and_when(service: Service) -> None:
    default = await get(service)
    made = await create(service)
    changed = await update(
        service, made, ("rules.weekly_threshold",), rules=pb.Rules(weekly_threshold=3)
    )
    await activate(service, changed.preset)
    await activate(service, changed.preset)
    await service.ended((await activate(service, default)).scoring_id)
    await delete(service, changed.preset)
    rows = audit(service)
    assert [row[:4] for row in rows] == [
        (action, name, "operator", AS_OF)
        for action, name in [
            ("created", "bold"),
            ("updated", "bold"),
            ("activated", "bold"),
            ("activated", "default"),
            ("deleted", "bold"),
        ]
    ]
    created, updated, turned, back, deleted = (row[4:] for row in rows)
    assert created[0] is None
    assert updated[0] == created[1]
    assert (updated[0]["rules"]["weekly_threshold"], updated[1]["rules"]["weekly_threshold"]) == (
        9,
        3,
    )
    assert turned == ({"active_preset_id": default.id}, {"active_preset_id": made.id})
    assert back == (turned[1], turned[0])
    assert deleted == (updated[1], None)


def test_scoring_can_not_change_the_audit_log(service: Service) -> None:
    with service.database.connect("laurel_scoring") as scoring:
        allowed = scoring.execute(
            "SELECT privilege FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege"
            " WHERE has_table_privilege('scoring_preset_changes', privilege)"
        ).fetchall()
    assert allowed == []
