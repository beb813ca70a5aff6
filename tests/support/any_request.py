"""Requests that hypothesis makes of a method's descriptor: right but for a few fields, or anything
that the wire can carry.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from laurel_common.rpc.policy import MethodRule
from tests.support.requests import request_for

F = FieldDescriptor
_DEEPEST = 4
_MOST_KNOWN = 60
_SIGNED = {F.TYPE_INT32: 31, F.TYPE_SINT32: 31, F.TYPE_SFIXED32: 31, F.TYPE_ENUM: 31}
_UNSIGNED = {F.TYPE_UINT32: 32, F.TYPE_FIXED32: 32, F.TYPE_UINT64: 64, F.TYPE_FIXED64: 64}
_EDGES = (0, 1, -1, 2, 100, 1001, 2**31 - 1, -(2**31), 2**32, 2**53, 2**62, 2**63 - 1, -(2**63))
_TEXTS = (
    *("", " ", "\0", "a\0b", "\r\n", "~1", "%s", "{}", "'; --", "\\", "/", "//", "..", "\ufeff"),
    *("🙂" * 80, "İ", "ß", "\u202e", "é" * 255, "x" * 256, "x" * 2_049, "x" * 100_000),
    *("acme", "ACME/Site", "installation", "team", "membership", "repository", "organization"),
    *("0" * 40, "0" * 64, "1e999", "NaN", "2021-02-30T00:00:00Z"),
)
# What a field of this name means something by.
_WORDS = {
    "event": (
        *("installation", "installation_repositories", "installation_target", "organization"),
        *("membership", "member", "team", "team_add", "repository", "github_app_authorization"),
    ),
    "permission": ("pull", "admin"),
    "role": ("member", "admin", "maintainer"),
}
_KEYS = (
    *("action", "installation", "id", "account", "organization", "repository", "team", "member"),
    *("membership", "user", "owner", "sender", "login", "full_name", "changes", "type", "name"),
)
_ACTIONS = ("created", "deleted", "suspend", "added", "removed", "renamed", "revoked", "edited")


@dataclass
class Known:
    """Ids and texts that exist where the requests go: learnt from answers."""

    installations: list[int]
    numbers: list[int] = field(default_factory=lambda: [1])
    texts: list[str] = field(default_factory=lambda: ["acme"])
    # From then on nothing is learnt: the same draws make the same requests.
    is_complete: bool = False

    def learn(self, message: Message) -> None:
        """Notes what an answer holds."""
        if self.is_complete:
            return
        for value in scalars(message):
            kept: Any = self.texts if isinstance(value, str) else self.numbers
            if value and value not in kept and len(kept) < _MOST_KNOWN:
                kept.append(value)


def scalars(message: Message) -> Iterable[int | str]:
    """The numbers and texts of a message, however deep."""
    for described, value in message.ListFields():
        for each in value if described.is_repeated else [value]:
            if isinstance(each, Message):
                yield from scalars(each)
            elif isinstance(each, int | str) and not isinstance(each, bool):
                yield each


@st.composite
def any_requests(draw: st.DrawFn, rule: MethodRule, known: Known) -> bytes:
    """A message of the method's request type as it goes over the wire."""
    assert rule.request_type is not None
    if draw(st.integers(0, 3)):
        request: Any = rule.request_type()
        request.ParseFromString(_good(rule, draw(st.sampled_from(known.installations))))
        for _ in range(draw(st.integers(0, 3))):
            _spoil(draw, request, known)
    else:
        request = _fill(draw, rule.request_type(), known)
    wire: bytes = request.SerializeToString()
    if draw(st.integers(0, 9)):
        return wire
    place = draw(st.integers(0, min(len(wire), 60)))
    return wire[:place] + draw(st.binary(max_size=8)) + wire[place + draw(st.integers(0, 4)) :]


@cache
def _good(rule: MethodRule, installation_id: int) -> bytes:
    wire: bytes = request_for(rule, installation_id).SerializeToString()
    return wire


def _spoil(draw: st.DrawFn, message: Any, known: Known) -> None:
    """Puts something else into one field, or into one of a message below it."""
    if not message.DESCRIPTOR.fields:
        return
    described = draw(st.sampled_from(list(message.DESCRIPTOR.fields)))
    inner = described.type == F.TYPE_MESSAGE and not described.is_repeated
    if inner and message.HasField(described.name) and draw(st.booleans()):
        _spoil(draw, getattr(message, described.name), known)
        return
    message.ClearField(described.name)
    if draw(st.integers(0, 4)):
        _put(draw, message, described, known, depth=1)


def _fill(draw: st.DrawFn, message: Any, known: Known, depth: int = 0) -> Any:
    for described in message.DESCRIPTOR.fields:
        if draw(st.integers(0, 3)):
            _put(draw, message, described, known, depth)
    return message


def _put(draw: st.DrawFn, message: Any, described: Any, known: Known, depth: int) -> None:
    if described.is_repeated and described.message_type and _is_map(described.message_type):
        _put_pairs(draw, message, described, known)
    elif described.is_repeated:
        holder = getattr(message, described.name)
        for _ in range(draw(st.integers(0, 3))):
            if described.type == F.TYPE_MESSAGE:
                _deepen(draw, holder.add(), known, depth)
            else:
                times = draw(st.sampled_from((1, 1, 1, 1, 1, 1_001)))
                holder.extend([draw(_values(described, known))] * times)
    elif described.type == F.TYPE_MESSAGE:
        holder = getattr(message, described.name)
        holder.SetInParent()
        _deepen(draw, holder, known, depth)
    else:
        setattr(message, described.name, draw(_values(described, known)))


def _deepen(draw: st.DrawFn, message: Any, known: Known, depth: int) -> None:
    if depth < _DEEPEST:
        _fill(draw, message, known, depth + 1)


def _is_map(described: Any) -> bool:
    return bool(described.GetOptions().map_entry)


def _put_pairs(draw: st.DrawFn, message: Any, described: Any, known: Known) -> None:
    pairs = getattr(message, described.name)
    key, value = (described.message_type.fields_by_name[each] for each in ("key", "value"))
    for _ in range(draw(st.integers(0, 3))):
        pairs[draw(_values(key, known))] = draw(_values(value, known))


def _values(described: Any, known: Known) -> st.SearchStrategy[Any]:
    """The scalars of a field, existing ones among them."""
    kind = described.type
    if kind == F.TYPE_STRING:
        anything = st.one_of(
            st.sampled_from(known.texts), st.sampled_from(_TEXTS), st.text(max_size=40)
        )
        words = _WORDS.get(described.name)
        return st.one_of(st.sampled_from(words), anything) if words else anything
    if kind == F.TYPE_BYTES:
        return st.one_of(st.binary(max_size=40), _bodies(known))
    if kind == F.TYPE_BOOL:
        return st.booleans()
    if kind in {F.TYPE_DOUBLE, F.TYPE_FLOAT}:
        return st.floats(width=64 if kind == F.TYPE_DOUBLE else 32)
    if kind == F.TYPE_ENUM and described.enum_type is not None:
        defined = [each.number for each in described.enum_type.values]
        return st.sampled_from([*defined, -1, 99, 2**31 - 1])
    if kind in _UNSIGNED:
        lowest, highest = 0, 2 ** _UNSIGNED[kind] - 1
    else:
        bits = _SIGNED.get(kind, 63)
        lowest, highest = -(2**bits), 2**bits - 1
    fitting = [each for each in (*_EDGES, *known.numbers) if lowest <= each <= highest]
    return st.one_of(st.sampled_from(fitting), st.integers(lowest, highest))


def _bodies(known: Known) -> st.SearchStrategy[bytes]:
    """JSON as webhooks carry it, with anything in its places."""
    leaves = st.one_of(
        st.sampled_from(known.numbers),
        st.sampled_from([*_EDGES, 2**70, 1.5, None, True, "", "\0", "acme", *_ACTIONS]),
        st.text(max_size=8),
    )
    things = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5)
        ),
        max_leaves=12,
    )
    whole = st.dictionaries(st.sampled_from(_KEYS), things, min_size=1, max_size=6)
    with_action = st.builds(
        lambda body, action: body | {"action": action}, whole, st.sampled_from(_ACTIONS)
    )
    return with_action.map(lambda body: json.dumps(body).encode("utf-8", "surrogatepass"))


def webhooks(known: Known) -> st.SearchStrategy[tuple[str, bytes]]:
    """An event and a body, which whoever has the secret can sign."""
    names = st.sampled_from([*_WORDS["event"], "push", "pull_request", "issues", "ping", "x"])
    return st.tuples(names, st.one_of(_bodies(known), st.binary(max_size=40)))
