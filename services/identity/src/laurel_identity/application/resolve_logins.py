"""The use case ResolveLogins: ids behind logins, full names and synthetic users."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from laurel_identity.application.ports import DirectoryReader
from laurel_identity.domain.entities import Repository, User
from laurel_identity.domain.installations import Account, Visibility
from laurel_identity.domain.names import folded


@dataclass(frozen=True, slots=True)
class ResolvedLogins:
    """What was found, each kind by id; `synthetic_users` are user ids by synthetic id."""

    users: Sequence[User] = ()
    organizations: Sequence[Account] = ()
    repositories: Sequence[Repository] = ()
    synthetic_users: Mapping[int, int] = field(default_factory=dict)


class ResolveLogins:
    """Compares without regard to case; what nobody has, or the caller may not see, is left out."""

    def __init__(self, directory: DirectoryReader) -> None:
        self._directory = directory

    async def __call__(
        self,
        visibility: Visibility,
        *,
        users: Collection[str] = (),
        organizations: Collection[str] = (),
        repositories: Collection[str] = (),
        synthetic_users: Collection[int] = (),
    ) -> ResolvedLogins:
        directory = self._directory
        logins, accounts = _folded(users), _folded(organizations)
        full_names = _folded(repositories)
        wanted = [each for each in synthetic_users if visibility.shows_user(each)]
        found = await directory.users_by_login(logins) if logins else ()
        return ResolvedLogins(
            [user for user in found if visibility.shows_user(user.id)],
            await directory.organizations_by_login(accounts, visibility) if accounts else (),
            await directory.repositories_by_full_name(full_names, visibility) if full_names else (),
            await directory.users_by_synthetic_id(wanted) if wanted else {},
        )


def _folded(names: Collection[str]) -> set[str]:
    return {folded(name) for name in names}
