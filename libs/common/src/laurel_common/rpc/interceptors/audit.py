"""Writes down what operators change, and what they tried to."""

import structlog

from laurel_common.auth.principal import PrincipalKind
from laurel_common.rpc.call import Call, Step
from laurel_common.rpc.policy import MethodRule

log = structlog.get_logger("laurel.audit")


class AuditStep(Step):
    """One line for each call of an operator's to a method that changes something."""

    def concerns(self, rule: MethodRule, *, streaming: bool) -> bool:  # noqa: ARG002 - of either kind
        """Mutations alone."""
        return rule.mutation

    def leave(self, call: Call) -> None:
        """Says who called what, and how it ended."""
        principal = call.principal
        if principal is None or principal.kind is not PrincipalKind.OPERATOR:
            return
        log.info(
            "audit",
            operator=principal.name,
            token_id=principal.token_id,
            method=call.rule.name,
            outcome="failed" if call.error is not None else "done",
            error=type(call.error).__name__ if call.error is not None else None,
            request_id=call.trace.request_id,
            trace_id=call.trace.trace_id,
            peer=call.context.peer(),
        )
