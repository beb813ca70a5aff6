"""A GitHub of one repository with any number of commits, each made up when it is asked for.

It speaks of commits alone; where a page begins is its cursor, so the last one costs no more than
the first.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any, Final

import orjson
from aiohttp import web

FULL_NAME: Final = "Acme/r0"
_BEGINNING: Final = datetime(2021, 1, 1, tzinfo=UTC)
_APART: Final = timedelta(minutes=11)
_PEOPLE: Final = 40
_RATE: Final = {
    "cost": 1,
    "limit": 10_000_000,
    "remaining": 9_000_000,
    "resetAt": "2100-01-01T00:00:00Z",
}
_NONE: Final = {
    "totalCount": 0,
    "pageInfo": {"hasNextPage": False, "endCursor": None},
    "nodes": [],
}


class _LinearGitHub:
    """Answers the queries of `clients/github/queries.py`."""

    def __init__(self, repository_id: int, commit_count: int) -> None:
        self._repository_id = repository_id
        self._count = commit_count

    async def answer(self, request: web.Request) -> web.Response:
        asked = orjson.loads(await request.read())
        query, variables = asked["query"], asked["variables"]
        data = {"rateLimit": _RATE}
        if "query Probe(" in query:
            data["r0"] = self._probed()
        elif "query Commits(" in query:
            first = int(variables["after"] or 0)
            listed = self._page(first, min(variables["size"], self._count - first))
            data["repository"] = {
                "databaseId": self._repository_id,
                "object": {"history": listed},
            }
        else:
            data["repository"] = {"databaseId": self._repository_id, "page": _NONE}
        return web.Response(body=orjson.dumps({"data": data}), content_type="application/json")

    def _probed(self) -> dict[str, Any]:
        nothing = {"totalCount": 0, "nodes": []}
        return {
            "databaseId": self._repository_id,
            "nameWithOwner": FULL_NAME,
            "isFork": False,
            "defaultBranchRef": {"name": "main", "target": {"oid": _oid(0)}},
            "pulls": nothing,
            "issues": nothing,
        }

    def _page(self, first: int, size: int) -> dict[str, Any]:
        after = first + size
        return {
            "totalCount": self._count,
            "pageInfo": {"hasNextPage": after < self._count, "endCursor": str(after)},
            "nodes": [self._commit(place) for place in range(first, after)],
        }

    def _commit(self, place: int) -> dict[str, Any]:
        """The one that is so many behind the head."""
        number = self._count - place
        person = number % _PEOPLE
        login = f"dev{person}"
        user = {"id": 5_000 + person, "login": login, "avatarUrl": ""}
        author = {"name": login, "email": f"{login}@acme.example", "avatarUrl": "", "user": user}
        parents = [{"oid": _oid(place + 1)}] if number > 1 else []
        return {
            "oid": _oid(place),
            "authoredDate": (_BEGINNING + number * _APART).isoformat(),
            "additions": number % 90,
            "deletions": number % 30,
            "message": f"Change {number} of many\n\nIt has a few words more below.",
            "parents": {"totalCount": len(parents), "nodes": parents},
            "authors": {"totalCount": 1, "nodes": [author]},
            "associatedPullRequests": {"nodes": []},
        }


def _oid(place: int) -> str:
    return sha1(b"%d" % place, usedforsecurity=False).hexdigest()


async def _serve(repository_id: int, commit_count: int) -> None:
    app = web.Application()
    app.router.add_post("/graphql", _LinearGitHub(repository_id, commit_count).answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    sys.stdout.write(json.dumps(f"http://{host}:{port}") + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(os.read, 0, 1)  # until whoever started it is gone


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
