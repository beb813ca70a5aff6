"""What every method answers that needs another service, while the others are away."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.rpc.every_method.asking import Asking, everything, named, seed
from tests.support.answers import EVERY_METHOD, documenting
from tests.support.contracts import DeclaredMethod
from tests.support.database import Database

pytestmark = pytest.mark.asyncio(loop_scope="module")

_REASON = "DEPENDENCY_UNAVAILABLE"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(
    module_database: Database, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asking]:
    """Nobody stands for identity here."""
    seed(module_database)
    async with everything(
        "", module_database.url, module_redis_url, tmp_path_factory.mktemp("services")
    ) as asking:
        yield asking


@pytest.mark.parametrize("method", documenting(_REASON, EVERY_METHOD[_REASON][1]), ids=named)
async def test_another_service_is_away(asking: Asking, method: DeclaredMethod) -> None:
    refused = await asking.services.call(method, *await asking.messages(method))
    assert refused is not None
    assert (refused.code, refused.reason) == ("UNAVAILABLE", _REASON)
    assert refused.retry_after is not None
