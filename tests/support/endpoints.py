"""Where the test run's PostgreSQL is, as its keeper tells the workers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What workers need to know: an admin URL, the template, and the roles' passwords.

    No passwords where the server is not ours: its roles then are taken on by SET ROLE.
    """

    admin_url: str = field(repr=False)
    template: str
    passwords: dict[str, str] = field(repr=False)
