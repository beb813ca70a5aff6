"""The frame of a webhook: where, whose, by whom and of when a delivery's payload is."""

from dataclasses import dataclass

from laurel_ingest.domain.findings import Owner
from laurel_ingest.domain.json_values import JsonObject, id_of, name_of, object_of, text_of
from laurel_ingest.domain.people import Person, person_of
from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.texts import owner_of
from laurel_ingest.domain.timestamps import epoch_seconds

_SUBJECTS = ("comment", "review", "pull_request", "issue")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What is told outside the things that a payload is about.

    `at`: when the thing was in the state that is shown, so that a delivery which comes late, or
    again, does not speak against a later one.
    """

    type: str
    at: int
    full_name: str
    repository_id: int
    owner: Owner
    actor: Person | None
    payload: JsonObject


def read_webhook(event_type: str, payload: object, received_at: int) -> WebhookEvent:
    """The frame of a payload about a repository; `received_at` stands in for a time not told.

    Raises MalformedError for what is no such payload.
    """
    if not isinstance(payload, dict):
        raise MalformedError("the payload is not a JSON object")
    repository = object_of(payload, "repository")
    repository_id = id_of(repository)
    if repository_id is None:
        raise MalformedError("repository.id is missing")
    full_name = name_of(repository, "full_name", 512) or ""
    return WebhookEvent(
        event_type,
        min(_said_at(event_type, payload, repository, received_at), received_at),
        full_name,
        repository_id,
        _owner(full_name, object_of(repository, "owner")),
        person_of(object_of(payload, "sender")),
        payload,
    )


def _said_at(event_type: str, payload: JsonObject, repository: JsonObject, received_at: int) -> int:
    """The newest time that the payload's own things bear.

    A comment's event shows the issue around it as it is, too, which may have changed later.
    """
    if event_type == "push":
        return epoch_seconds(repository.get("pushed_at") or received_at)
    told = [
        epoch_seconds(value)
        for name in _SUBJECTS
        for value in (object_of(payload, name).get("updated_at"),)
        if value is not None
    ]
    submitted = object_of(payload, "review").get("submitted_at")
    told += [] if submitted is None else [epoch_seconds(submitted)]
    if event_type == "repository":
        told += [epoch_seconds(repository.get("updated_at") or received_at)]
    return max(told, default=received_at)


def _owner(full_name: str, account: JsonObject) -> Owner:
    owner = owner_of(full_name)
    if owner is None:
        raise MalformedError("repository.full_name is not owner/name")
    if (name_of(account, "login") or owner).lower() != owner.lower():
        return Owner(owner)
    is_user = text_of(account, "type") == "User" if "type" in account else None
    return Owner(owner, id_of(account), is_user, name_of(account, "avatar_url", 2048))
