"""Checks every request message against the rules in its proto, naming every fault at once."""

from collections.abc import Iterable
from typing import Any

from protovalidate import Validator

from laurel_common.errors import InvalidRequest, Violation
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.policy import MethodRule

# Requests for a board's first page are few and come by the thousand: those that have passed pass
# again without being looked at. No rule may ask for the time, so equal bytes stay equally good.
_MAX_REMEMBERED = 4096
_MAX_REMEMBERED_BYTES = 256


class ValidationStep(Step):
    """buf.validate rules, compiled before the first call."""

    def __init__(self, rules: Iterable[MethodRule]) -> None:
        self._violations = Validator().collect_violations
        self._passed: set[tuple[str, bytes]] = set()
        for rule in rules:
            if rule.request_type is not None:
                self._violations(rule.request_type())

    def message(self, call: Call, request: Any) -> None:
        """Raises InvalidRequest with all violations."""
        short = len(call.raw) <= _MAX_REMEMBERED_BYTES
        if short and (call.rule.path, call.raw) in self._passed:
            return
        found = self._violations(request)
        if found:
            raise _invalid([_violation(each.proto) for each in found], call)
        if short:
            if len(self._passed) >= _MAX_REMEMBERED:
                self._passed.clear()
            self._passed.add((call.rule.path, call.raw))


def _invalid(violations: list[Violation], call: Call) -> InvalidRequest:
    text = "; ".join(f"{each.field}: {each.description}" for each in violations)
    where = f"message {call.messages + 1}: " if call.streaming else ""
    return InvalidRequest(where + text, violations=violations)


def _violation(found: Any) -> Violation:
    return Violation(field_path(found.field), found.message or found.rule_id)


def field_path(path: Any) -> str:
    """A buf.validate.FieldPath as callers write it, `rules.points[2].key["a"]`."""
    parts = []
    for element in path.elements if path is not None else ():
        subscript = element.subscript
        text = element.field_name
        if subscript is not None:
            value = subscript.value
            text += f'["{value}"]' if isinstance(value, str) else f"[{value}]"
        parts.append(text)
    return ".".join(parts)
