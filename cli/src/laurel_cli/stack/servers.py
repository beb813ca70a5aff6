"""PostgreSQL and a cache: the embedded ones, or those whose URLs were given."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from laurel_cli.stack.deployment import password
from laurel_cli.stack.layout import SERVICES, Layout, role_of
from laurel_embedded import EmbeddedPostgres, EmbeddedValkey

Report = Callable[[str], None]
_LOGIN = ("user", "password")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the database and the cache are.

    `admin_url` connects as the owner of the schema; `role_urls` and `role_passwords` are by
    service and by role. `embedded` are servers of ours, to be watched.
    """

    admin_url: str
    role_urls: dict[str, str]
    role_passwords: dict[str, str]
    redis_url: str
    embedded: list[EmbeddedPostgres | EmbeddedValkey] = field(default_factory=list)

    def revive(self, report: Report) -> None:
        """Starts again those of our servers that have died."""
        for server in self.embedded:
            if not server.running:
                report(f"{server.title} died; started again")
                server.stop()
                server.start()


@contextmanager
def open_servers(
    layout: Layout, *, database_url: str | None, redis_url: str | None
) -> Iterator[Servers]:
    """Starts what is not given, and stops it at the end; blocks for about a second.

    Called in the main thread: the embedded servers die with the thread that started them.
    """
    embedded: list[EmbeddedPostgres | EmbeddedValkey] = []
    with ExitStack() as stack:
        if redis_url is None:
            valkey = stack.enter_context(EmbeddedValkey(layout.valkey, die_with_parent=True))
            embedded.append(valkey)
            redis_url = valkey.url()
        if database_url is None:
            postgres = EmbeddedPostgres(layout.postgres, die_with_parent=True)
            stack.enter_context(postgres)
            embedded.append(postgres)
            passwords = {role_of(name): postgres.password(role_of(name)) for name in SERVICES}
            database_url = postgres.url()
        else:
            passwords = {role_of(name): password(layout, role_of(name)) for name in SERVICES}
        urls = {
            name: with_login(database_url, role_of(name), passwords[role_of(name)])
            for name in SERVICES
        }
        yield Servers(database_url, urls, passwords, redis_url, embedded)


def with_login(url: str, user: str, password: str) -> str:
    """The same database for another role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    # A login among the parameters would win over the one before the host.
    kept = [each for each in parse_qsl(parts.query) if each[0] not in _LOGIN]
    query = urlencode(kept, safe="/:,", quote_via=quote)
    return urlunsplit(parts._replace(netloc=f"{login}@{host}", query=query))
