"""The frame of a GH Archive event: when, where, whose and by whom, in the shape of any year."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.identities import is_synthetic
from laurel_ingest.domain.json_values import JsonObject, id_of, name_of, object_of, text_of
from laurel_ingest.domain.people import Person, person_of
from laurel_ingest.domain.refusals import MalformedError, Skip, SkippedError
from laurel_ingest.domain.texts import owner_of
from laurel_ingest.domain.timestamps import epoch_seconds

FIRST_MOMENT: Final = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())
"""Older files are of the Timeline API, which had other shapes."""


@dataclass(frozen=True, slots=True)
class ArchiveEvent:
    """An event's frame: what is told outside its payload, or stands for it there."""

    type: str
    at: int
    full_name: str
    repository_id: int | None
    owner: Owner
    actor: Person | None
    payload: JsonObject


def read_event(raw: object) -> ArchiveEvent:
    """The frame of a decoded line.

    Raises SkippedError for what is older than 2015, MalformedError for what is no event.
    """
    if not isinstance(raw, dict):
        raise MalformedError("the line is not a JSON object")
    if "actor_attributes" in raw or ("repo" not in raw and "repository" in raw):
        raise SkippedError(Skip.BEFORE_2015)
    event_type = text_of(raw, "type")
    if not event_type:
        raise MalformedError("type is missing")
    at = epoch_seconds(raw.get("created_at"))
    if at < FIRST_MOMENT:
        raise SkippedError(Skip.BEFORE_2015)
    repo, payload = object_of(raw, "repo"), object_of(raw, "payload")
    full_name = name_of(repo, "name", 512) or ""
    owner = owner_of(full_name)
    if owner is None:
        raise MalformedError("repo.name is not owner/name")
    actor = person_of(object_of(raw, "actor"))
    return ArchiveEvent(
        event_type,
        at,
        full_name,
        _repository_id(repo, payload),
        _owner(owner, object_of(raw, "org"), actor, payload),
        actor,
        payload,
    )


def _repository_id(repo: JsonObject, payload: JsonObject) -> int | None:
    """The repository's id, from wherever the shape of the time carries it."""
    return (
        id_of(repo)
        or id_of(payload, "repository_id")
        or id_of(object_of(object_of(object_of(payload, "pull_request"), "base"), "repo"))
    )


def _owner(login: str, org: JsonObject, actor: Person | None, payload: JsonObject) -> Owner:
    """The account that owns the repository, with its id if anything in the event names it."""
    key = login.lower()
    if (name_of(org, "login") or "").lower() == key:
        return Owner(login, id_of(org), False, name_of(org, "avatar_url", 2048))
    if actor is not None and actor.login is not None and actor.login.lower() == key:
        known = None if is_synthetic(actor.user_id) else actor.user_id
        return Owner(login, known, True, actor.avatar_url)
    base = object_of(object_of(payload, "pull_request"), "base")
    account = object_of(object_of(base, "repo"), "owner")
    if (name_of(account, "login") or "").lower() == key:
        is_user = text_of(account, "type") == "User" if "type" in account else None
        return Owner(login, id_of(account), is_user, name_of(account, "avatar_url", 2048))
    return Owner(login)
