"""Changes that another service has to be told of: noted in the transaction of the change, and told
afterwards, at least once.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeVar

import structlog

from laurel_common.errors import RemoteError

log = structlog.get_logger(__name__)
MarkT = TypeVar("MarkT")


class Notices(Protocol[MarkT]):
    """Which installations have changed; written with the changes themselves."""

    async def pending(self) -> Mapping[int, MarkT]:
        """Installations that nobody has been told of, with a mark of what is noted by now."""
        ...

    async def told(self, installation_id: int, mark: MarkT) -> None:
        """It has been told of: what the mark is of is forgotten, and nothing that came since."""
        ...


async def tell_of(
    notices: Notices[MarkT],
    pending: Mapping[int, MarkT],
    tell: Callable[[int], Awaitable[None]],
    due: Iterable[int] | None = None,
) -> set[int]:
    """Tells of the installations in `due` (all unless told); who was told of.

    What can't be told now is logged and stays noted. What is NOT_FOUND to whom it is told is done.
    """
    done = set[int]()
    for installation_id in pending if due is None else due:
        try:
            await tell(installation_id)
        except RemoteError as error:
            if error.code != "NOT_FOUND":
                log.warning("change_not_told", installation_id=installation_id, error=repr(error))
                continue
        await notices.told(installation_id, pending[installation_id])
        done.add(installation_id)
    return done
