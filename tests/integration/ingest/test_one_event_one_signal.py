"""GraphQL, webhooks, GH Archive and a clone tell of the same things: one signal each, in any order.

What stands in the end follows from what happened, and every batch says of its changes exactly what
it changed, which is all that is scored again.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Final

from hypothesis import HealthCheck, given, note, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from laurel_common.db import create_engine
from laurel_ingest.storage.postgres import PostgresStorage
from tests.support.database import Database
from tests.support.ingest_chronicle import BOB, Chronicle
from tests.support.ingest_directory import DatabaseDirectory
from tests.support.ingest_teller import Teller
from tests.support.ingest_tellings import Case, Telling, assert_as_it_happened, told_by_four
from tests.support.ingest_written import Written

# More of them take longer, and find more.
EXAMPLES: Final = int(os.environ.get("LAUREL_TEST_EXAMPLES", "5"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told_by_four())
def test_whoever_tells_first_the_same_signals_stand(database: Database, case: Case) -> None:
    chronicle, tellings, batches = case
    note(f"steps {list(enumerate(step.name for step in chronicle.steps))}")
    note(f"told {batches}")
    asyncio.run(check(database, chronicle, tellings, batches))


async def check(
    database: Database,
    chronicle: Chronicle,
    tellings: Sequence[Telling],
    batches: Sequence[Sequence[Telling]],
) -> None:
    engine = create_engine(database.url("laurel_ingest"), application_name="test", pool_size=4)
    with Written(database, chronicle.repository.id) as written:
        storage = PostgresStorage(engine, boards_follow=True, on_commit=written.check_change)

        async def tell(batches: Sequence[Sequence[Telling]]) -> None:
            teller = Teller(storage, DatabaseDirectory(database.url()), chronicle)
            for batch in batches:
                await teller.tell(batch)

        in_order = [[each] for each in tellings]
        await tell(batches)
        stands = written.signals()
        assert_as_it_happened(chronicle, tellings, stands)
        await tell(in_order)
        assert written.signals() == stands, "told again it says the same"
        written.forget()
        await tell(in_order)
        assert written.signals() == stands, "and so it does in the order of what happened"
    await engine.dispose()


async def test_an_author_named_by_login_is_known_when_the_login_has_a_number(
    database: Database, engine: AsyncEngine
) -> None:
    chronicle = Chronicle(499)
    for name in ("push", "push", "open_pull"):
        chronicle.take(name)
    # Bob's address, and that it is bob's; then bob.
    pushed, opened = chronicle.steps[1], chronicle.steps[2]
    tellings = [
        Telling("webhook", 1, pushed.webhooks[0]),
        Telling("webhook", 2, opened.webhooks[0]),
    ]
    credited = []
    with Written(database, chronicle.repository.id) as written:
        for order in (tellings, tellings[::-1]):
            written.forget()
            storage = PostgresStorage(engine)
            for telling in order:
                # Another stream each time: nothing is remembered but by the database.
                teller = Teller(storage, DatabaseDirectory(database.url()), chronicle)
                await teller.tell([telling])
            commits = [each for each in written.signals() if each.type == "commit"]
            credited.append({each.user_id for each in commits if each.user_id > 0})
    assert credited == [{BOB}, {BOB}]
