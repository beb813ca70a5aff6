"""What stands of one repository in the database, and whether the log of changes says so."""

from typing import Any, Final, NamedTuple, Self

from tests.support.database import Database

_SIGNALS: Final = (
    "SELECT content_hash, user_id, type::text, event_timestamp, value, metadata, id FROM signals"
    " WHERE repository_id = %s ORDER BY content_hash, user_id"
)
_CHANGES: Final = (
    "SELECT revision, signal_count, first_signal_id, last_signal_id, rewritten_ids,"
    " removed_hashes, removed_user_ids FROM signal_changes WHERE revision > %s ORDER BY revision"
)


class Signal(NamedTuple):
    content_hash: str
    user_id: int
    type: str
    event_timestamp: Any
    value: Any
    metadata: Any

    @property
    def key(self) -> tuple[bytes, int]:
        return bytes.fromhex(self.content_hash), self.user_id if self.type == "commit" else 0


class Written:
    """Looks with the owner's rights; one installation's signals are all that there are."""

    def __init__(self, database: Database, repository_id: int) -> None:
        self._connection = database.connect()
        self._repository_id = repository_id
        self._seen: dict[int, Signal] = {}
        self._revision = 0

    def __enter__(self) -> Self:
        self.forget()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def signals(self) -> list[Signal]:
        """Every signal, whatever its id is."""
        return [Signal(*row[:-1]) for row in self._rows(_SIGNALS, self._repository_id)]

    def check_change(self) -> None:
        """After a commit: what the log says was changed is what has changed, and nothing else."""
        now = {row[-1]: Signal(*row[:-1]) for row in self._rows(_SIGNALS, self._repository_id)}
        before, self._seen = self._seen, now
        changes = self._rows(_CHANGES, self._revision)
        fresh = now.keys() - before.keys()
        removed = [before[each].key for each in before.keys() - now.keys()]
        rewritten = {each for each in now.keys() & before.keys() if now[each] != before[each]}
        noted = self._rows("SELECT count(*) FROM scoring_notices")[0][0]
        if not (fresh or removed or rewritten):
            assert not changes, "nothing has changed"
            return
        assert noted == 1, "scoring is told"
        self._revision = changes[-1][0]
        counted, told_rewritten, told_removed = 0, [], []
        for _, count, first, last, ids, hashes, users in changes:
            counted += count
            told_rewritten += ids
            told_removed += [(bytes(one), user) for one, user in zip(hashes, users, strict=True)]
            if first is not None:
                fresh -= set(range(first, last + 1))
        assert not fresh
        assert sorted(told_rewritten) == sorted(rewritten)
        assert sorted(told_removed) == sorted(removed)

    def forget(self) -> None:
        """As if nobody had ever told anything."""
        for table in (
            *("signals", "signal_keys", "repository_facts", "repository_fact_links"),
            *("synthetic_user_claims", "author_logins", "repository_installations"),
            *("signal_changes", "installation_signal_states", "scoring_notices", "users"),
        ):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our names
        self._seen, self._revision = {}, 0

    def _rows(self, query: Any, *values: Any) -> list[Any]:
        return self._connection.execute(query, values).fetchall()
