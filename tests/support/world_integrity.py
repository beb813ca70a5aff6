"""What must hold in the database whatever happened to the processes."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import psycopg

from laurel.common.v1 import types_pb2
from laurel.ingest.v1 import signal_entities_pb2
from tests.support.world_tenants import Tenant

# Each finds what must not be.
_FAULTS = {
    "a signal without its key": """
        SELECT s.id FROM signals AS s
        WHERE NOT EXISTS (
            SELECT 1 FROM signal_keys AS k
            WHERE k.signal_id = s.id AND k.event_timestamp = s.event_timestamp
                AND k.installation_id = s.installation_id
                AND k.content_hash = decode(s.content_hash, 'hex')
                AND k.user_id IN (0, s.user_id)
        )""",
    "a key without its signal": """
        SELECT k.signal_id FROM signal_keys AS k
        WHERE NOT EXISTS (
            SELECT 1 FROM signals AS s
            WHERE s.id = k.signal_id AND s.event_timestamp = k.event_timestamp
        )""",
    "a signal that stands twice": """
        SELECT min(id) FROM signals
        GROUP BY content_hash, CASE type WHEN 'commit' THEN user_id ELSE 0 END
        HAVING count(*) > 1""",
    "an installation whose count of signals is wrong": """
        SELECT i.installation_id FROM installation_signal_states AS i
        WHERE i.signal_count <> (
            SELECT count(*) FROM signals AS s WHERE s.installation_id = i.installation_id
        )""",
    "a signal in the default partition": "SELECT id FROM signals_default",
    "a version with rows missing or too many": """
        SELECT m.id FROM leaderboard_materializations AS m
        WHERE m.retention_state <> 'purged' AND m.row_count <> (
            SELECT count(*) FROM computed_scores AS c WHERE c.materialization_id = m.id
        )""",
    "a row of another version, kind or period than its materialization": """
        SELECT c.id FROM computed_scores AS c
        JOIN leaderboard_materializations AS m ON m.id = c.materialization_id
        WHERE (c.entity_type, c.time_period, c.version)
            IS DISTINCT FROM (m.entity_type, m.time_period, m.version)""",
    "a board that has not exactly one current version": """
        SELECT min(id) FROM leaderboard_materializations
        GROUP BY preset_id, scope_type, organization_id, team_id, repository_id, entity_type,
            time_period
        HAVING count(*) FILTER (WHERE retention_state = 'current') <> 1""",
    "a score that is not the sum of its parts": """
        SELECT c.id FROM computed_scores AS c
        WHERE c.score <> (SELECT sum(part.value::numeric) FROM jsonb_each_text(c.breakdown) AS part)
        """,
    "an installation with two active presets": """
        SELECT installation_id FROM scoring_presets WHERE is_active
        GROUP BY installation_id HAVING count(*) > 1""",
}


def check_integrity(connect: Callable[[], psycopg.Connection[Any]]) -> None:
    """Fails with everything that is wrong, named."""
    with connect() as connection:
        found = {
            name: [row[0] for row in connection.execute(query).fetchmany(5)]
            for name, query in _FAULTS.items()
        }
    assert not any(found.values()), {name: ids for name, ids in found.items() if ids}


Told = tuple[str, int, str, int, float, int, bytes]


def as_told(tenant: Tenant, signals: list[signal_entities_pb2.Signal]) -> list[Told]:
    """Signals without what is a tenant's own, to be held against another tenant's.

    Checks on the way that each content hash is what the signal itself says.
    """
    told = []
    for each in signals:
        kind = types_pb2.SignalType.Name(each.type).removeprefix("SIGNAL_TYPE_").lower()
        identity = each.metadata.object_id or str(each.metadata.number)
        line = f"{kind}|{each.repository_id}|{identity}"
        assert sha256(line.encode()).hexdigest() == each.content_hash, line
        told.append(
            (
                kind,
                each.repository_id - tenant.offset,
                identity,
                each.user_id,
                each.event_time.seconds + each.event_time.nanos / 1e9,
                each.value_e4,
                each.metadata.SerializeToString(deterministic=True),
            )
        )
    return sorted(told)
