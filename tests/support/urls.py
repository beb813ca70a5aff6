"""Changes parts of a postgresql:// or redis:// URL."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit


def with_database(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path="/" + quote(database, safe="")))


def with_login(url: str, user: str, password: str) -> str:
    """The same database, logging in as `user`."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{address}"))


def as_role(url: str, role: str) -> str:
    """The same login, which takes on `role` when it connects."""
    return with_setting(url, "role", role)


def with_setting(url: str, name: str, value: str) -> str:
    """The same login, whose sessions have a setting of PostgreSQL's."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -c {name}={value}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))
