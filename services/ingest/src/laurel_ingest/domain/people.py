"""People as sources name them, and which of them are bots."""

from dataclasses import dataclass

from laurel_ingest.domain.identities import (
    GHOST_ID,
    noreply_address,
    synthetic_id_of_email,
    synthetic_id_of_login,
)
from laurel_ingest.domain.json_values import JsonObject, id_of, name_of, text_of
from laurel_ingest.domain.texts import is_tombstone

_BOT_SUFFIX = "[bot]"
_APP_AVATAR = "/in/"


@dataclass(frozen=True, slots=True)
class Person:
    """One account as a source names it.

    `user_id` is GitHub's where the source tells it, else synthetic. `login` is None for
    authors known by an e-mail address alone, whether or not that tells their id; `name` is their
    display name then.
    """

    user_id: int
    login: str | None = None
    name: str | None = None
    avatar_url: str | None = None
    is_bot: bool = False


GHOST = Person(GHOST_ID, "ghost")


def is_bot(login: str | None, account_type: str | None, avatar_url: str | None) -> bool:
    """Type or typename `Bot`, a login that ends in `[bot]` in any case, or an app's avatar."""
    return (
        (account_type is not None and account_type.lower() == "bot")
        or (login is not None and login.lower().endswith(_BOT_SUFFIX))
        or (avatar_url is not None and _APP_AVATAR in avatar_url)
    )


def person_of(account: JsonObject | None) -> Person | None:
    """The person of an account object of REST, a webhook or GH Archive.

    None where it names neither id nor login. GraphQL writes a bot's login without the suffix
    that REST gives it; both come out as `x[bot]`.
    """
    if not account:
        return None
    user_id, login = id_of(account), name_of(account, "login")
    if login is not None and is_tombstone(login):
        login = None
    if user_id is None and login is None:
        return None
    avatar = name_of(account, "avatar_url", 2048) or name_of(account, "avatarUrl", 2048)
    typename = text_of(account, "__typename")
    bot = is_bot(login, typename or text_of(account, "type"), avatar)
    if login is not None and typename == "Bot" and not login.lower().endswith(_BOT_SUFFIX):
        login += _BOT_SUFFIX
    if user_id is None and login is not None:
        user_id = GHOST_ID if login.lower() == "ghost" else synthetic_id_of_login(login)
    assert user_id is not None  # noqa: S101 - the two checks above leave no other case
    return Person(user_id, login, name_of(account, "name", 1024), avatar, bot)


def person_of_email(email: str | None, name: str | None) -> Person | None:
    """The author that a commit names by address; None where there is no address.

    A private address of GitHub's tells the id; the older form tells the login alone, whose
    synthetic id is the one of its hash, so that GH Archive's hashed form is the same person. The
    login beside an id is whatever the commit's author wrote: it names nobody.
    """
    if email is None or not email.strip():
        return None
    private = noreply_address(email)
    if private is None:
        return Person(synthetic_id_of_email(email), None, name)
    bot = is_bot(private.login, None, None)
    if private.user_id is None:
        return Person(synthetic_id_of_email(email), private.login, name, None, bot)
    return Person(private.user_id, None, name or private.login, None, bot)
