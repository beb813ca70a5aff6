"""A simulated GitHub with a story, and ingest's client of it."""

from dataclasses import dataclass, field

from laurel_common.clock import Clock
from laurel_ingest.clients.github.history import GraphQLHistory
from laurel_ingest.clients.github.http import GraphQL
from tests.support.github import GitHubSimulator, World
from tests.support.github.history import Size, fill
from tests.support.github.tokens import Token
from tests.support.github.world import Account, Installation, Repository


@dataclass
class Story:
    """An organization with the App, five people, and repositories full of their work."""

    repository_count: int = 1
    size: Size = field(default_factory=Size)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.organization: Account = self.world.organization("Acme")
        self.people: list[Account] = [self.world.user(f"dev{each}") for each in range(5)]
        self.installation: Installation = self.world.install(self.organization)
        self.repositories: list[Repository] = [
            self.world.repository(self.organization, f"r{each}", private=True)
            for each in range(self.repository_count)
        ]
        for repository in self.repositories:
            fill(self.world, repository, self.people, self.size)


class FixedTokens:
    """Gives an installation's token without asking anybody; `value` is what tests may spoil."""

    def __init__(self, world: World, installation: Installation) -> None:
        self.value = "ghs_test"
        world.tokens[self.value] = Token(self.value, "installation", installation.id, None)

    async def token(self, installation_id: int) -> str:
        """The token."""
        return self.value


def history_of(
    github: GitHubSimulator, tokens: FixedTokens, clock: Clock
) -> tuple[GraphQLHistory, GraphQL]:
    """Ingest's client of a simulator, and what has to be closed."""
    graphql = GraphQL(github.api_url, tokens, clock)
    return GraphQLHistory(graphql), graphql
