"""One signed-in user, for tests of services other than identity."""

from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.auth.sessions import SessionResolver
from laurel_common.errors import CallerNotAllowed, InstallationNotFound, Unauthenticated

TOKEN = "5e" * 32


class SignedIn(SessionResolver, AccessResolver):
    """Resolves TOKEN alone, with the access that a test says: a SessionResolver and an
    AccessResolver.
    """

    def __init__(self) -> None:
        self.access_of_user = Access()
        # Installations that it may not see.
        self.strange: set[int] = set()

    async def resolve(self, token: str) -> Principal:
        """The user."""
        if token != TOKEN:
            raise Unauthenticated
        return Principal(PrincipalKind.USER, "ada", token_id="1d" * 32, user_id=7)

    async def access(
        self,
        session_id: str,
        installation_id: int,
        *,
        require_admin: bool,
    ) -> Access:
        """What the test says."""
        if installation_id in self.strange:
            raise InstallationNotFound
        if require_admin and not self.access_of_user.is_admin:
            raise CallerNotAllowed
        return self.access_of_user
