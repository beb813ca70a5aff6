"""Presets in PostgreSQL: exact, made once, isolated."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import create_engine, transaction
from laurel_common.errors import InstallationNotFound
from laurel_scoring.domain.errors import PresetNotFound
from laurel_scoring.domain.rules import DEFAULT_RULES
from laurel_scoring.domain.vocabulary import SignalType
from laurel_scoring.storage.presets import PresetTables, insert_rules
from tests.support import scoring_strategies as generated
from tests.support.database import Database
from tests.support.naive_scoring import NaiveRules
from tests.support.scoring_builders import rule_set
from tests.support.scoring_database import an_installation


async def test_the_default_preset_is_made_whole_and_active(
    presets: PresetTables, installation: int
) -> None:
    await presets.ensure_default(installation, DEFAULT_RULES)
    preset = await presets.get(installation, 0)
    assert (preset.name, preset.is_active, preset.revision) == ("default", True, 1)
    assert preset.rules == DEFAULT_RULES


async def test_eight_callers_at_once_make_one_default_preset(
    presets: PresetTables, installation: int
) -> None:
    await asyncio.gather(*(presets.ensure_default(installation, DEFAULT_RULES) for _ in range(8)))
    (preset,) = await presets.list_after(installation, 0, 10)
    assert preset.rules == DEFAULT_RULES


async def test_an_installation_that_has_presets_gets_no_default(
    presets: PresetTables, installation: int, database: Database
) -> None:
    with database.connect("laurel_scoring") as scoring:
        scoring.execute(
            "INSERT INTO scoring_presets (installation_id, preset_name) VALUES (%s, 'moved')",
            (installation,),
        )
    await presets.ensure_default(installation, DEFAULT_RULES)
    with database.connect() as owner:
        names = owner.execute("SELECT preset_name FROM scoring_presets").fetchall()
    assert names == [("moved",)]


async def test_an_unknown_installation_is_not_found(presets: PresetTables) -> None:
    with pytest.raises(InstallationNotFound):
        await presets.ensure_default(404, DEFAULT_RULES)


async def test_another_installations_preset_is_not_found(
    presets: PresetTables, installation: int, database: Database
) -> None:
    other = an_installation(database, 8)
    await presets.ensure_default(installation, DEFAULT_RULES)
    await presets.ensure_default(other, DEFAULT_RULES)
    mine = await presets.get(installation, 0)
    with pytest.raises(PresetNotFound):
        await presets.get(other, mine.id)


async def test_presets_are_listed_by_id_after_the_one_named(
    presets: PresetTables, installation: int, database: Database, engine: AsyncEngine
) -> None:
    await presets.ensure_default(installation, DEFAULT_RULES)
    changed = replace(DEFAULT_RULES, daily_quotas={SignalType.REVIEW: 1})
    with database.connect("laurel_scoring") as scoring:
        (second,) = scoring.execute(
            "INSERT INTO scoring_presets (installation_id, preset_name)"
            " VALUES (%s, 'second') RETURNING id",
            (installation,),
        ).fetchone() or (0,)
    async with transaction(engine) as connection:
        await insert_rules(connection, second, changed)
    first, other = await presets.list_after(installation, 0, 10)
    assert (first.rules, other.rules) == (DEFAULT_RULES, changed)
    assert await presets.list_after(installation, first.id, 10) == [other]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rules=generated.rules())
async def test_any_rules_come_back_as_they_were_written(
    database: Database, rules: NaiveRules
) -> None:
    engine = create_engine(database.url("laurel_scoring"), application_name="scoring-tests")
    try:
        with database.connect() as owner:
            (number,) = owner.execute("SELECT count(*) FROM github_installations").fetchone() or (
                0,
            )
        installation = an_installation(database, 1_000 + number)
        tables = PresetTables(engine)
        await tables.ensure_default(installation, rule_set(rules))
        assert (await tables.get(installation, 0)).rules == rule_set(rules)
    finally:
        await engine.dispose()
