"""A small world: an organization that has one of everything, and the App on it."""

from dataclasses import dataclass, field

from tests.support.github.world import Account, Installation, Repository, Team, World


@dataclass
class Acme:
    """An organization, an outsider, and the App on the organization."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.organization: Account = self.world.organization("Acme")
        self.ann: Account = self.world.user("ann", name="Ann")
        self.bob: Account = self.world.user("bob")
        self.stranger: Account = self.world.user("stranger")
        self.world.join(self.organization, self.ann, "admin")
        self.world.join(self.organization, self.bob)
        self.public: Repository = self.world.repository(self.organization, "anvil")
        self.private: Repository = self.world.repository(self.organization, "vault", private=True)
        self.team: Team = self.world.team(
            self.organization,
            "smiths",
            members={self.bob.id: "maintainer"},
            repositories={self.private.id: "push"},
        )
        self.secret: Team = self.world.team(self.organization, "hidden", privacy="secret")
        self.installation: Installation = self.world.install(self.organization)
