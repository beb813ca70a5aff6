"""Who asks: the App by its JWT, an installation or a user by a token."""

from dataclasses import dataclass
from datetime import datetime

import jwt

from tests.support.github.answers import GitHubError, not_found
from tests.support.github.world import Account, Installation, Repository, World

_LONGEST_JWT_SECONDS = 600


@dataclass(frozen=True)
class Caller:
    """At most one of them is set besides the token; nothing set is somebody anonymous."""

    token: str
    is_app: bool = False
    installation: Installation | None = None
    user: Account | None = None


def authenticate(world: World, authorization: str | None, now: datetime) -> Caller:
    """Who the header names. Raises what GitHub answers to credentials that are not good."""
    if not authorization:
        return Caller("")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in {"bearer", "token"}:
        return Caller("")  # Basic, as OAuth's routes take it
    if token.count(".") == 2:
        _check_jwt(world, token)
        return Caller("app", is_app=True)
    known = world.tokens.get(token)
    if known is None or known.revoked or (known.expires_at is not None and known.expires_at <= now):
        raise GitHubError(401, "Bad credentials")
    if known.kind == "user":
        user = world.accounts.get(known.subject_id)
        if user is None:
            raise GitHubError(401, "Bad credentials")
        return Caller(token, user=user)
    installation = world.installations.get(known.subject_id)
    if installation is None:
        raise GitHubError(401, "Bad credentials")
    if installation.suspended_at is not None:
        raise GitHubError(403, "This installation has been suspended")
    return Caller(token, installation=installation)


def must_be_app(caller: Caller) -> None:
    """Refuses everybody but the App itself."""
    if not caller.is_app:
        raise GitHubError(401, "A JSON web token could not be decoded")


def must_be_installation(caller: Caller) -> Installation:
    """The installation that asks."""
    if caller.installation is None:
        raise GitHubError(403, "Resource not accessible by integration")
    return caller.installation


def must_be_user(caller: Caller) -> Account:
    """The user who asks."""
    if caller.user is None:
        raise GitHubError(401 if not caller.token else 403, "Requires authentication")
    return caller.user


def may_see_repository(world: World, caller: Caller, repository: Repository) -> bool:
    """Whether a repository is there for the one who asks."""
    if caller.user is not None:
        return world.may_read(caller.user.id, repository)
    given = caller.installation
    if given is None or repository.owner_id != given.account_id:
        return not repository.private
    is_given = given.repository_selection == "all" or repository.id in given.repository_ids
    return is_given or not repository.private


def may_see_members(world: World, caller: Caller, organization: Account) -> bool:
    """Whether the one who asks sees an organization's people and teams."""
    if caller.installation is not None:
        return caller.installation.account_id == organization.id
    return caller.user is not None and (organization.id, caller.user.id) in world.memberships


def organization_named(world: World, login: str) -> Account:
    """The organization of a login, or NOT FOUND."""
    found = world.account_named(login)
    if found is None or found.type != "Organization":
        not_found()
    return found


def _check_jwt(world: World, token: str) -> None:
    """The App's JWT lives by the machine's clock, as githubkit signs it."""
    try:
        claims = jwt.decode(
            token,
            world.app.private_key.public_key(),
            algorithms=["RS256"],
            options={"require": ["iss", "iat", "exp"]},
            leeway=1,
        )
    except jwt.ExpiredSignatureError:
        raise GitHubError(401, "'Expiration time' claim ('exp') must be a numeric value") from None
    except jwt.InvalidTokenError:
        raise GitHubError(401, "A JSON web token could not be decoded") from None
    if str(claims["iss"]) not in {str(world.app.id), world.app.client_id}:
        raise GitHubError(404, "Integration not found")
    if claims["exp"] - claims["iat"] > _LONGEST_JWT_SECONDS:
        raise GitHubError(401, "'Expiration time' claim ('exp') is too far in the future")
