"""Which account an archive has most of."""

from collections import Counter
from collections.abc import Iterable

import orjson


def busiest_owner(lines: Iterable[bytes]) -> str | None:
    """The login of the owner with the most events; None where no line names a repository.

    Lines that can't be read are ingest's to complain about. Where two have as many, the login
    that sorts first.
    """
    owners: Counter[str] = Counter()
    for line in lines:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        repository = event.get("repo") if isinstance(event, dict) else None
        name = repository.get("name") if isinstance(repository, dict) else None
        if isinstance(name, str) and "/" in name:
            owners[name.partition("/")[0].lower()] += 1
    if not owners:
        return None
    return min(owners, key=lambda login: (-owners[login], login))
