"""GitHubHistory over GraphQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from laurel_ingest.application.history.github import GoneError, Listing, Page, Points
from laurel_ingest.clients.github import queries
from laurel_ingest.clients.github.http import GraphQL
from laurel_ingest.domain.json_values import JsonObject


class GraphQLHistory:
    """A GitHubHistory."""

    def __init__(self, graphql: GraphQL) -> None:
        self._graphql = graphql

    async def probe(
        self, installation_id: int, full_names: Sequence[str]
    ) -> tuple[list[JsonObject | None], Points]:
        """One query for all of them."""
        query, variables = queries.probe(full_names)
        answer = await self._graphql.ask(installation_id, query, variables)
        found = [answer.data.get(f"r{place}") for place in range(len(full_names))]
        return found, answer.points

    async def page(
        self, installation_id: int, listing: Listing, variables: Mapping[str, Any]
    ) -> Page:
        """A page below a repository, the commits of one, or a node."""
        answer = await self._graphql.ask(installation_id, queries.ALL[listing], variables)
        holder = answer.data.get("repository") or answer.data.get("node")
        repository_id = holder.get("databaseId") if holder else None
        if holder and listing is Listing.COMMITS:
            listed = (holder.get("object") or {}).get("history")
        else:
            listed = holder and holder.get("page")
        if not listed and "id" in variables:
            # A thing that went between two pages; the next run notices that it is no more.
            return Page((), None, 0, answer.points, has_gaps=True)
        if not listed:
            raise GoneError
        info, nodes = listed["pageInfo"], listed.get("nodes") or ()
        return Page(
            nodes=[node for node in nodes if node],
            after=info["endCursor"] if info["hasNextPage"] else None,
            total=listed.get("totalCount") or 0,
            points=answer.points,
            repository_id=repository_id,
            has_gaps=not all(nodes),
        )
