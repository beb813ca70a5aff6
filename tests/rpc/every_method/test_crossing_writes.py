"""What every method answers whose writes others always cross, however often it tries again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from psycopg import Connection

from tests.rpc.every_method.asking import Asking, everything, named, seed
from tests.support.answers import documenting
from tests.support.contracts import DeclaredMethod
from tests.support.database import Database
from tests.support.ingest_builders import INSTALLATION_ID, REPOSITORY_ID
from tests.support.rows import Rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

# As PostgreSQL says it where two transactions can't both have been first.
_CROSSED = """
    CREATE FUNCTION cross() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_user LIKE 'laurel\\_%' THEN
            RAISE EXCEPTION 'crossed' USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN NULL;
    END;
    $$
"""
_ON_EVERY_TABLE = """
    SELECT format(
        'CREATE TRIGGER crossed BEFORE INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION cross()', c.oid::regclass
    )
    FROM pg_class AS c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname NOT LIKE '\\_yoyo%'
"""


def _give_each_something_to_write(owner: Connection[Any]) -> None:
    """A board of a team, and a month that is old enough to be dropped."""
    rows = Rows(owner)
    account = rows.organization()
    preset, team = rows.preset(INSTALLATION_ID), rows.team(account, id=1)
    rows.insert("published_presets", preset_id=preset, installation_id=1, organization_id=account)
    rows.materialization(preset, account, scope_type="team", team_id=team)
    owner.execute("SELECT ensure_signals_monthly_partitions('2001-01-01', '2001-01-01')")
    long_ago = datetime(2001, 1, 5, tzinfo=UTC)
    rows.signal(INSTALLATION_ID, 1, REPOSITORY_ID, event_timestamp=long_ago)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(
    module_database: Database, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asking]:
    seed(module_database)
    with module_database.connect() as owner:
        _give_each_something_to_write(owner)
        owner.execute(_CROSSED)
        for (statement,) in owner.execute(_ON_EVERY_TABLE).fetchall():
            owner.execute(statement)
    async with everything(
        module_database.url(),
        module_database.url,
        module_redis_url,
        tmp_path_factory.mktemp("services"),
    ) as asking:
        yield asking


@pytest.mark.parametrize("method", documenting("CONCURRENT_CHANGE"), ids=named)
async def test_what_others_always_cross_is_refused_in_the_end(
    asking: Asking, method: DeclaredMethod
) -> None:
    refused = await asking.services.call(method, *await asking.messages(method))
    assert refused is not None
    assert (refused.code, refused.reason) == ("ABORTED", "CONCURRENT_CHANGE")
