"""Reading decoded JSON from strangers: a field is what it should be, absent, or a refusal."""

from collections.abc import Mapping
from typing import Any

from laurel_ingest.domain.refusals import MalformedError
from laurel_ingest.domain.texts import clean

MAX_BIGINT = 2**63 - 1

JsonObject = Mapping[str, Any]

EMPTY: JsonObject = {}


def object_of(source: JsonObject, name: str) -> JsonObject:
    """The object under a name; empty where absent or null."""
    value = source.get(name)
    if value is None:
        return EMPTY
    if not isinstance(value, dict):
        raise MalformedError(f"{name} is not an object")
    return value


def list_of(source: JsonObject, name: str) -> list[Any]:
    """The list under a name; empty where absent or null."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"{name} is not a list")
    return value


def text_of(source: JsonObject, name: str) -> str | None:
    """The text under a name, or None where absent or null."""
    value = source.get(name)
    if value is None or isinstance(value, str):
        return value
    raise MalformedError(f"{name} is not a text")


def id_of(source: JsonObject, name: str = "id") -> int | None:
    """The positive 64-bit number under a name, or None where absent, null or 0."""
    value = source.get(name)
    if value is None or value == 0:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_BIGINT:
        return value
    raise MalformedError(f"{name} is not an id")


def count_of(source: JsonObject, name: str) -> int | None:
    """The number of lines or commits under a name, or None where absent or null."""
    value = source.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_BIGINT:
        return value
    raise MalformedError(f"{name} is not a count")


def name_of(source: JsonObject, name: str, longest: int = 255) -> str | None:
    """The name under a name, cleaned; None where absent, null or empty."""
    value = text_of(source, name)
    if not value:
        return None
    if len(value) > longest:
        raise MalformedError(f"{name} is longer than {longest} characters")
    return clean(value)
