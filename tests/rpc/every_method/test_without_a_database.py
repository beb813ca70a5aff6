"""What every method answers to what it can't read, and while PostgreSQL is away."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.rpc.every_method.asking import Asking, everything, named, seed
from tests.support.answers import documenting
from tests.support.contracts import DeclaredMethod
from tests.support.database import Database
from tests.support.requests import request_for

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(
    module_database: Database, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asking]:
    """Only what stands for identity before ingest has a database."""
    seed(module_database)
    async with everything(
        module_database.url(),
        lambda role: f"postgresql://{role}@localhost:1/none",
        module_redis_url,
        tmp_path_factory.mktemp("services"),
    ) as asking:
        yield asking


@pytest.mark.parametrize("method", documenting("INVALID_REQUEST"), ids=named)
async def test_what_can_not_be_read_is_an_invalid_request(
    asking: Asking, method: DeclaredMethod
) -> None:
    refused = await asking.services.call(method, b"\xff\xff\xff")
    assert refused is not None
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


@pytest.mark.parametrize("method", documenting("INVALID_PAGE_TOKEN"), ids=named)
async def test_what_is_no_page_token_is_named(asking: Asking, method: DeclaredMethod) -> None:
    request: Any = request_for(method.rule, 1)
    request.page_token = "somebody else's"
    if method.name == "InstallationService/SyncInstallations":
        # Of one installation there are no pages.
        request.ClearField("installation_id")
    refused = await asking.services.call(method, request)
    assert refused is not None
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN")
    assert [each.field for each in refused.violations] == ["page_token"]


@pytest.mark.parametrize("method", documenting("DATABASE_UNAVAILABLE"), ids=named)
async def test_the_database_is_away(asking: Asking, method: DeclaredMethod) -> None:
    refused = await asking.services.call(method, *await asking.messages(method))
    assert refused is not None
    assert (refused.code, refused.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
    assert refused.retry_after is not None
