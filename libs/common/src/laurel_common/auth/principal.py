"""Who a call comes from."""

from dataclasses import dataclass
from enum import StrEnum

from laurel_common.errors import InstallationNotCovered


class PrincipalKind(StrEnum):
    """The kinds of caller; a key in the trust directory has one of the last four."""

    USER = "user"
    SERVICE = "service"
    BACKEND = "backend"
    GATEWAY = "gateway"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was verified.

    `name` is the key's name, or the user's login. `installations` None means all; a user's are
    listed in identity alone. `methods` are the globs of the key. `token_id` is the
    token's jti, or a session's id. `user_id` is set for users alone.
    """

    kind: PrincipalKind
    name: str
    installations: frozenset[int] | None = None
    methods: tuple[str, ...] = ()
    token_id: str = ""
    user_id: int | None = None

    def covers(self, installation_id: int) -> bool:
        """Whether the key reaches this installation."""
        return self.installations is None or installation_id in self.installations

    def require_installation(self, installation_id: int) -> None:
        """Raises InstallationNotCovered unless the key reaches this installation."""
        if not self.covers(installation_id):
            raise InstallationNotCovered
