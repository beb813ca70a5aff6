"""What signing in needs of GitHub and of a place for secrets, and what those owe it.

GitHub's side raises GitHubUnavailable, GitHubTimeout, GitHubRateLimited, GitHubRefused,
DeadlineExceeded, and GitHubNotConfigured where no App is.
"""

# ruff: noqa: ARG002 - NoSignIn's methods have the port's signatures and use nothing of them

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from laurel_identity.domain.entities import Organization, User
from laurel_identity.domain.errors import GitHubNotConfigured
from laurel_identity.domain.github_tokens import GitHubTokens


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What has to stay secret between setting out and coming back."""

    verifier: str = field(repr=False)
    csrf_token: str = field(repr=False)
    return_to: str


class PendingSignIns(Protocol):
    """Keeps them until they are taken, for ten minutes at most. Raises DependencyUnavailable:
    what can't be kept or taken is refused, never assumed.
    """

    async def put(self, nonce: str, pending: PendingSignIn) -> None:
        """Keeps one under its nonce."""
        ...

    async def take(self, nonce: str) -> PendingSignIn | None:
        """Hands it out once."""
        ...


class SignInClient(Protocol):
    """GitHub's OAuth for the App's users."""

    def authorize_url(self, state: str, challenge: str) -> str:
        """The page that asks the user; `challenge` is PKCE's, by S256."""
        ...

    async def exchange(self, code: str, verifier: str) -> GitHubTokens:
        """The tokens for a code. Raises SignInCodeRefused, SignInVerifierRefused and
        SignInMisconfigured.
        """
        ...

    async def refresh(self, refresh_token: str) -> GitHubTokens | None:
        """New tokens for a refresh token, which is used up then; None where GitHub refuses it."""
        ...


class UserClient(Protocol):
    """GitHub as a signed-in user asks it. Raises GitHubRefused(401) for a token that it does not
    take any more.
    """

    async def profile(self, token: str) -> User:
        """The user. Raises GitHubUserSuspended."""
        ...

    async def memberships(self, token: str) -> Sequence[tuple[Organization, str]]:
        """The organizations that the user is an active member of, with its role in each."""
        ...

    async def installations(self, token: str) -> Collection[int]:
        """The installations of the App that the user has something of."""
        ...

    async def repositories(self, token: str, installation_id: int) -> Collection[int]:
        """The repositories of an installation that the user can read."""
        ...

    async def role(self, token: str, organization: str) -> str | None:
        """The user's role in an organization, by login; None where it is no active member."""
        ...


class NoSignIn:
    """Stands where no App's client is configured: everything raises GitHubNotConfigured."""

    def authorize_url(self, state: str, challenge: str) -> str:
        raise GitHubNotConfigured

    async def exchange(self, code: str, verifier: str) -> GitHubTokens:
        raise GitHubNotConfigured

    async def refresh(self, refresh_token: str) -> GitHubTokens | None:
        raise GitHubNotConfigured
