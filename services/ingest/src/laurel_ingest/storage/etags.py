"""ETags of repositories' newest pages, beside the token's mark that they were given to."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_ingest.domain.history.newest import Etags, NewestList

_GIVEN: Final = text(
    """
    UPDATE repository_histories SET etags_given_to = :given_to, etags_at = :now
    WHERE repository_id = :repository_id
    """
)
_TAGS: Final = text(
    """
    UPDATE repository_sync_state SET commits_etag = :commits, pulls_etag = :pulls,
        issues_etag = :issues, comments_etag = :comments, reviews_etag = :reviews
    WHERE repository_id = :repository_id
    """
)


def etags_of(row: Any) -> Etags | None:
    """The ETags of a row that has their columns."""
    if row.etags_given_to is None:
        return None
    told = {each.value: getattr(row, f"{each.value}_etag") for each in NewestList}
    return Etags(row.etags_given_to, {name: tag for name, tag in told.items() if tag is not None})


async def note_etags(
    connection: AsyncConnection, repository_id: int, etags: Etags, now: datetime
) -> None:
    """Notes with the connection's transaction what it stands for."""
    key = {"repository_id": repository_id}
    await connection.execute(_GIVEN, key | {"given_to": etags.given_to, "now": now})
    tags = {each.value: etags.tags.get(each) for each in NewestList}
    await connection.execute(_TAGS, key | tags)
