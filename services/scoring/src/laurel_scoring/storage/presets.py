"""Presets in PostgreSQL: normalized rows in, one rule set out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Select, Text, cast, exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import transaction
from laurel_common.errors import InstallationNotFound
from laurel_scoring.domain.errors import PresetNotFound
from laurel_scoring.domain.presets import Preset
from laurel_scoring.domain.rules import DEFAULT_PRESET_NAME, Multiplier, RuleSet
from laurel_scoring.domain.vocabulary import (
    ONE,
    MultiplierKind,
    ReviewState,
    SignalType,
    ZeroPointKind,
)
from laurel_scoring.storage import tables as t

# In the order in which they can be emptied.
_RULE_TABLES = (
    t.scoring_preset_rules,
    t.scoring_preset_base_points,
    t.scoring_preset_multiplier_signal_types,
    t.scoring_preset_multipliers,
    t.scoring_preset_review_state_weights,
    t.scoring_preset_daily_quotas,
    t.scoring_preset_zero_point_conditions,
)
CONSTRAINTS = {"fk_scoring_presets_installation": InstallationNotFound}


class PresetTables:
    """Implements PresetStore."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ensure_default(self, installation_id: int, rules: RuleSet) -> None:
        """See PresetStore."""
        async with transaction(self._engine, constraints=CONSTRAINTS) as connection:
            present = select(exists().where(t.scoring_presets.c.installation_id == installation_id))
            if await connection.scalar(present):
                return
            # Of two that race, the second waits here for the first and then adds nothing. It may
            # meet the first by the name or by being active: no index is named.
            preset_id = await connection.scalar(
                insert(t.scoring_presets)
                .values(
                    installation_id=installation_id,
                    preset_name=DEFAULT_PRESET_NAME,
                    is_active=True,
                )
                .on_conflict_do_nothing()
                .returning(t.scoring_presets.c.id)
            )
            if preset_id is not None:
                await insert_rules(connection, preset_id, rules)

    async def get(self, installation_id: int, preset_id: int) -> Preset:
        """See PresetStore."""
        # One snapshot: another's change never shows in parts.
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            return await read_preset(connection, installation_id, preset_id)

    async def list_after(self, installation_id: int, after_id: int, limit: int) -> list[Preset]:
        """See PresetStore."""
        presets = t.scoring_presets.c
        query = (
            _presets()
            .where(presets.installation_id == installation_id, presets.id > after_id)
            .order_by(presets.id)
            .limit(limit)
        )
        async with transaction(self._engine, isolation="REPEATABLE READ") as connection:
            return await _with_rules(connection, (await connection.execute(query)).all())


async def read_preset(connection: AsyncConnection, installation_id: int, preset_id: int) -> Preset:
    """One preset; 0 means the active one. Raises PresetNotFound."""
    presets = t.scoring_presets.c
    wanted = presets.id == preset_id if preset_id else presets.is_active
    query = _presets().where(presets.installation_id == installation_id, wanted)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise PresetNotFound
    (preset,) = await _with_rules(connection, [found])
    return preset


def _presets() -> Select[Any]:
    presets, revisions = t.scoring_presets.c, t.scoring_preset_revisions.c
    return select(
        presets.id,
        presets.installation_id,
        presets.preset_name,
        presets.is_active,
        revisions.revision,
        revisions.created_at,
        revisions.updated_at,
    ).join(t.scoring_preset_revisions, revisions.preset_id == presets.id)


def _e4(column: Any) -> Any:
    return cast(column * ONE, BigInteger)


async def _with_rules(connection: AsyncConnection, rows: Sequence[Any]) -> list[Preset]:
    """The presets of `rows`: six further queries, however many there are."""
    ids = [row.id for row in rows]
    parts = {
        "scalars": select(
            t.scoring_preset_rules.c.preset_id,
            t.scoring_preset_rules.c.weekly_threshold,
            _e4(t.scoring_preset_rules.c.decay_factor).label("decay_factor"),
            _e4(t.scoring_preset_rules.c.floor_fraction).label("floor_fraction"),
            _e4(t.scoring_preset_rules.c.spam_penalty).label("spam_penalty"),
            _e4(t.scoring_preset_rules.c.pr_closed_no_merge_penalty).label("close_penalty"),
        ),
        "base_points": select(
            t.scoring_preset_base_points.c.preset_id,
            t.scoring_preset_base_points.c.signal_type,
            _e4(t.scoring_preset_base_points.c.points).label("points"),
        ),
        "multipliers": _multipliers(),
        "weights": select(
            t.scoring_preset_review_state_weights.c.preset_id,
            t.scoring_preset_review_state_weights.c.state,
            _e4(t.scoring_preset_review_state_weights.c.weight).label("weight"),
        ),
        "quotas": select(
            t.scoring_preset_daily_quotas.c.preset_id,
            t.scoring_preset_daily_quotas.c.signal_type,
            t.scoring_preset_daily_quotas.c.daily_limit,
        ),
        "conditions": select(
            t.scoring_preset_zero_point_conditions.c.preset_id,
            t.scoring_preset_zero_point_conditions.c.kind,
        ),
    }
    found = {}
    for name, query in parts.items():
        column = query.selected_columns["preset_id"]
        found[name] = (await connection.execute(query.where(column.in_(ids)))).all()
    return [
        Preset(
            id=row.id,
            installation_id=row.installation_id,
            name=row.preset_name,
            is_active=row.is_active,
            rules=_rules(
                {name: [r for r in part if r.preset_id == row.id] for name, part in found.items()}
            ),
            created_at=row.created_at,
            updated_at=row.updated_at,
            revision=row.revision,
        )
        for row in rows
    ]


def _multipliers() -> Select[Any]:
    kinds, types = t.scoring_preset_multipliers.c, t.scoring_preset_multiplier_signal_types.c
    names = func.array_agg(aggregate_order_by(cast(types.signal_type, Text), types.signal_type))
    return (
        select(
            kinds.preset_id,
            kinds.kind,
            _e4(kinds.factor).label("factor"),
            names.filter(types.signal_type.is_not(None)).label("signal_types"),
        )
        .join(
            t.scoring_preset_multiplier_signal_types,
            (types.preset_id == kinds.preset_id) & (types.kind == kinds.kind),
            isouter=True,
        )
        .group_by(kinds.preset_id, kinds.kind, kinds.factor)
    )


def _rules(parts: dict[str, list[Any]]) -> RuleSet:
    (scalars,) = parts["scalars"]
    return RuleSet(
        base_points_e4={SignalType[r.signal_type.upper()]: r.points for r in parts["base_points"]},
        multipliers={
            MultiplierKind[r.kind.upper()]: Multiplier(
                r.factor,
                frozenset(SignalType[name.upper()] for name in r.signal_types or ()),
            )
            for r in parts["multipliers"]
        },
        review_weights_e4={ReviewState[r.state.upper()]: r.weight for r in parts["weights"]},
        daily_quotas={SignalType[r.signal_type.upper()]: r.daily_limit for r in parts["quotas"]},
        zero_points=frozenset(ZeroPointKind[r.kind.upper()] for r in parts["conditions"]),
        weekly_threshold=scalars.weekly_threshold,
        decay_factor_e4=scalars.decay_factor,
        floor_fraction_e4=scalars.floor_fraction,
        spam_penalty_e4=scalars.spam_penalty,
        pr_closed_no_merge_penalty_e4=scalars.close_penalty,
    )


async def insert_rules(connection: AsyncConnection, preset_id: int, rules: RuleSet) -> None:
    """Writes a new preset's rules and first revision."""
    await connection.execute(t.scoring_preset_revisions.insert().values(preset_id=preset_id))
    await write_rules(connection, preset_id, rules)


async def replace_rules(connection: AsyncConnection, preset_id: int, rules: RuleSet) -> None:
    """Writes other rules in the place of a preset's."""
    for table in _RULE_TABLES:
        await connection.execute(table.delete().where(table.c.preset_id == preset_id))
    await write_rules(connection, preset_id, rules)


async def write_rules(connection: AsyncConnection, preset_id: int, rules: RuleSet) -> None:
    """Writes the rules of a preset that has none."""
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (
            t.scoring_preset_rules,
            [
                {
                    "weekly_threshold": rules.weekly_threshold,
                    "decay_factor": _decimal(rules.decay_factor_e4),
                    "floor_fraction": _decimal(rules.floor_fraction_e4),
                    "spam_penalty": _decimal(rules.spam_penalty_e4),
                    "pr_closed_no_merge_penalty": _decimal(rules.pr_closed_no_merge_penalty_e4),
                }
            ],
        ),
        (
            t.scoring_preset_base_points,
            [
                {"signal_type": kind.name.lower(), "points": _decimal(points)}
                for kind, points in rules.base_points_e4.items()
            ],
        ),
        (
            t.scoring_preset_multipliers,
            [
                {"kind": kind.name.lower(), "factor": _decimal(multiplier.factor_e4)}
                for kind, multiplier in rules.multipliers.items()
            ],
        ),
        (
            t.scoring_preset_multiplier_signal_types,
            [
                {"kind": kind.name.lower(), "signal_type": each.name.lower()}
                for kind, multiplier in rules.multipliers.items()
                for each in multiplier.signal_types
            ],
        ),
        (
            t.scoring_preset_review_state_weights,
            [
                {"state": state.name.lower(), "weight": _decimal(weight)}
                for state, weight in rules.review_weights_e4.items()
            ],
        ),
        (
            t.scoring_preset_daily_quotas,
            [
                {"signal_type": kind.name.lower(), "daily_limit": limit}
                for kind, limit in rules.daily_quotas.items()
            ],
        ),
        (
            t.scoring_preset_zero_point_conditions,
            [{"kind": kind.name.lower()} for kind in rules.zero_points],
        ),
    ]
    for table, values in rows:
        if values:
            own = [{"preset_id": preset_id, **each} for each in values]
            await connection.execute(table.insert(), own)


def _decimal(number_e4: int) -> Decimal:
    return Decimal(number_e4).scaleb(-4)
