"""A good request for every method: what its rules demand is filled in from its descriptor."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from protovalidate import Validator

from laurel_common.rpc.policy import MethodRule

_HEX = "0123456789abcdef" * 4
# Fields whose rules say more than a descriptor shows, by name.
_NUMBERS = {"synthetic_user_id": -(2**62) - 1}
_TEXTS = {
    "session_id": _HEX,
    "token": _HEX,
    "code": "c0de",
    "event": "installation",
    "request_id": "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
}


def _span(request: Any) -> None:
    request.range.start_time.seconds, request.range.end_time.seconds = 1, 100


def _candidate(request: Any) -> None:
    request.candidate_preset_id = 1


def _distinct(request: Any) -> None:
    request.from_installation_id, request.into_installation_id = 1, 2


# Rules over several fields at once.
_MENDS: dict[str, Callable[[Any], None]] = {
    "adopt_installation.distinct": _distinct,
    "range_board.end_time": _span,
    "preview_rules.candidate": _candidate,
}
_validator = Validator()


def request_for(rule: MethodRule, installation_id: int) -> Message:
    """A request that passes validation and names the installation where it can."""
    assert rule.request_type is not None
    request = rule.request_type()
    if rule.installation_paths:
        holder: Any = request
        *outer, field = rule.installation_paths[0]
        for name in outer:
            holder = getattr(holder, name)
        setattr(holder, field, installation_id)
    for _ in range(20):
        violations = _validator.collect_violations(request)
        if not violations:
            return request
        for violation in violations:
            _mend(request, violation.proto)
    raise AssertionError(f"{rule.name}: {[str(each.proto) for each in violations]}")


def _mend(request: Message, violation: Any) -> None:
    """Fills in what a violation names, or what its message may hold at all."""
    if violation.rule_id in _MENDS:
        _MENDS[violation.rule_id](request)
        return
    holder: Any = request
    elements = list(violation.field.elements)
    for element in elements[:-1]:
        found = getattr(holder, element.field_name)
        holder = found[element.subscript.value] if element.subscript is not None else found
    names = [elements[-1].field_name] if elements else [holder.DESCRIPTOR.fields[0].name]
    field = holder.DESCRIPTOR.fields_by_name.get(names[0])
    if field is None:  # a oneof: its first member
        field = holder.DESCRIPTOR.oneofs_by_name[names[0]].fields[0]
    if field.is_repeated:
        value = _value(field)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(holder, field.name).add()
        else:
            getattr(holder, field.name).append(value)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        _mend_message(getattr(holder, field.name), violation)
    else:
        setattr(holder, field.name, _value(field))


def _mend_message(message: Any, violation: Any) -> None:
    message.SetInParent()
    if violation.rule_id == "board.scope_id":
        message.scope_id = 1


def _value(field: FieldDescriptor) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _TEXTS.get(field.name, "abc")
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b'{"action": "created", "installation": {"id": 1}}'
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    return _NUMBERS.get(field.name, 1)
