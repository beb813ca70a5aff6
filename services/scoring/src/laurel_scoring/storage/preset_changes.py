"""Changes of presets in PostgreSQL: one at a time an installation, each with its audit row."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from laurel_common.db import run_transaction
from laurel_common.errors import InstallationNotFound, InvalidRequest
from laurel_scoring.application.ports import Actor
from laurel_scoring.domain.canonical import rules_to_json
from laurel_scoring.domain.errors import PresetNameTaken
from laurel_scoring.domain.presets import Preset, PresetEdit, check_deletable, check_etag
from laurel_scoring.domain.rules import RuleSet
from laurel_scoring.domain.runs import Change, Run, RunState
from laurel_scoring.storage import tables as t
from laurel_scoring.storage.presets import insert_rules, read_preset, replace_rules
from laurel_scoring.storage.runs import RunTable

CONSTRAINTS = {
    "fk_scoring_presets_installation": InstallationNotFound,
    "uq_scoring_presets_installation_name": PresetNameTaken,
}
_presets = t.scoring_presets.c
T = TypeVar("T")


@dataclass(frozen=True)
class PresetChange:
    """What an audit row says of the call."""

    action: str
    by: Actor
    now: datetime


class PresetChangeTables:
    """Implements PresetEditor."""

    def __init__(self, engine: AsyncEngine, runs: RunTable) -> None:
        self._engine = engine
        self._runs = runs

    async def create(
        self,
        installation_id: int,
        name: str,
        rules: RuleSet,
        *,
        request_id: str,
        by: Actor,
        now: datetime,
    ) -> Preset:
        """See PresetEditor."""
        fingerprint = hashlib.sha256(f"{name}\0{rules_to_json(rules)}".encode()).digest()

        async def work(connection: AsyncConnection) -> Preset:
            if request_id:
                known = await _made_by(connection, installation_id, request_id, fingerprint)
                if known is not None:
                    return await read_preset(connection, installation_id, known)
            preset_id = await connection.scalar(
                insert(t.scoring_presets)
                .values(installation_id=installation_id, preset_name=name)
                .returning(_presets.id)
            )
            await insert_rules(connection, preset_id, rules)
            if request_id:
                await connection.execute(
                    insert(t.scoring_preset_requests).values(
                        installation_id=installation_id,
                        request_id=request_id,
                        preset_id=preset_id,
                        fingerprint=fingerprint,
                    )
                )
            made = await read_preset(connection, installation_id, preset_id)
            await note_change(
                connection, PresetChange("created", by, now), made, None, side_of(made)
            )
            return made

        return await self._alone(installation_id, work)

    async def update(
        self, installation_id: int, preset_id: int, edit: PresetEdit, *, by: Actor, now: datetime
    ) -> tuple[Preset, Run | None]:
        """See PresetEditor."""

        async def work(connection: AsyncConnection) -> tuple[Preset, Run | None]:
            before = await read_preset(connection, installation_id, preset_id)
            wanted = edit.apply(before)
            if wanted == before:
                return before, None
            await _write(connection, before, wanted)
            after = await read_preset(connection, installation_id, preset_id)
            await note_change(
                connection, PresetChange("updated", by, now), after, side_of(before), side_of(after)
            )
            if not after.is_active or after.rules == before.rules:
                return after, None
            run = await self._runs.request_with(
                connection, installation_id, by.name, now, Change.PRESET
            )
            return after, run

        return await self._alone(installation_id, work)

    async def delete(
        self, installation_id: int, preset_id: int, etag: str, *, by: Actor, now: datetime
    ) -> None:
        """See PresetEditor."""

        async def work(connection: AsyncConnection) -> None:
            preset = await read_preset(connection, installation_id, preset_id)
            if etag:
                check_etag(preset, etag)
            check_deletable(preset, await _served(connection, installation_id))
            await connection.execute(delete(t.scoring_presets).where(_presets.id == preset_id))
            await note_change(
                connection, PresetChange("deleted", by, now), preset, side_of(preset), None
            )

        await self._alone(installation_id, work)

    async def activate(
        self, installation_id: int, preset_id: int, *, by: Actor, now: datetime
    ) -> tuple[Preset, Run]:
        """See PresetEditor."""

        async def work(connection: AsyncConnection) -> tuple[Preset, Run]:
            preset = await read_preset(connection, installation_id, preset_id)
            if not preset.is_active:
                before = await _turn(connection, installation_id, preset_id)
                preset = await read_preset(connection, installation_id, preset_id)
                sides = {"active_preset_id": before}, {"active_preset_id": preset_id}
                await note_change(connection, PresetChange("activated", by, now), preset, *sides)
            run = await self._runs.request_with(
                connection, installation_id, by.name, now, Change.PRESET
            )
            return preset, run

        return await self._alone(installation_id, work)

    async def _alone(
        self, installation_id: int, work: Callable[[AsyncConnection], Awaitable[T]]
    ) -> T:
        """Runs `work` while nobody else changes the installation's presets.

        Writers of rows that refer to presets, as publications are, do not wait for the lock.
        """
        own = (
            select(_presets.id)
            .where(_presets.installation_id == installation_id)
            .order_by(_presets.id)
            .with_for_update(key_share=True)
        )

        async def locked(connection: AsyncConnection) -> T:
            await connection.execute(own)
            return await work(connection)

        return await run_transaction(self._engine, locked, constraints=CONSTRAINTS)


async def _made_by(
    connection: AsyncConnection, installation_id: int, request_id: str, fingerprint: bytes
) -> int | None:
    requests = t.scoring_preset_requests.c
    query = select(requests.preset_id, requests.fingerprint).where(
        requests.installation_id == installation_id, requests.request_id == request_id
    )
    known = (await connection.execute(query)).one_or_none()
    if known is None:
        return None
    if known.fingerprint != fingerprint:
        raise InvalidRequest.of(("request_id", "was used for another preset"))
    return int(known.preset_id)


async def _write(connection: AsyncConnection, before: Preset, wanted: Preset) -> None:
    if wanted.name != before.name:
        await connection.execute(
            update(t.scoring_presets)
            .where(_presets.id == before.id)
            .values(preset_name=wanted.name)
        )
    if wanted.rules != before.rules:
        await replace_rules(connection, before.id, wanted.rules)
    revisions = t.scoring_preset_revisions
    await connection.execute(
        update(revisions)
        .where(revisions.c.preset_id == before.id)
        .values(revision=revisions.c.revision + 1)
    )


async def _turn(connection: AsyncConnection, installation_id: int, preset_id: int) -> int | None:
    """Takes activity from the preset that has it, whose id is returned, to another."""
    before: int | None = await connection.scalar(
        update(t.scoring_presets)
        .where(_presets.installation_id == installation_id, _presets.is_active)
        .values(is_active=False)
        .returning(_presets.id)
    )
    await connection.execute(
        update(t.scoring_presets).where(_presets.id == preset_id).values(is_active=True)
    )
    return before


async def _served(connection: AsyncConnection, installation_id: int) -> int | None:
    """The preset whose boards are read: that of the last run that succeeded."""
    runs = t.scoring_runs.c
    query = (
        select(runs.preset_id)
        .where(runs.installation_id == installation_id, runs.state == RunState.SUCCEEDED)
        .order_by(runs.id.desc())
        .limit(1)
    )
    served: int | None = await connection.scalar(query)
    return served


def side_of(preset: Preset) -> dict[str, Any]:
    """A preset as an audit row shows it."""
    return {"name": preset.name, "rules": json.loads(rules_to_json(preset.rules))}


async def note_change(
    connection: AsyncConnection,
    change: PresetChange,
    preset: Preset,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """Adds an audit row with the transaction of the change."""
    await connection.execute(
        insert(t.scoring_preset_changes).values(
            installation_id=preset.installation_id,
            preset_id=preset.id,
            preset_name=preset.name,
            action=change.action,
            actor_kind=change.by.kind,
            actor_name=change.by.name,
            changed_at=change.now,
            before=before,
            after=after,
        )
    )
