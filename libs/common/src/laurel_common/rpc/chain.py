"""The steps of every call in their order, and the one handler that runs them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import Message

from laurel_common.rpc.call import Step
from laurel_common.rpc.interceptors.access import AccessStep, AccessWatchStep
from laurel_common.rpc.interceptors.access_log import AccessLogStep
from laurel_common.rpc.interceptors.admission import AdmissionStep
from laurel_common.rpc.interceptors.audit import AuditStep
from laurel_common.rpc.interceptors.auth import AuthStep
from laurel_common.rpc.interceptors.deadline import DeadlineStep
from laurel_common.rpc.interceptors.endless import EndlessStep
from laurel_common.rpc.interceptors.errors import ErrorsStep
from laurel_common.rpc.interceptors.request_id import RequestIdStep
from laurel_common.rpc.interceptors.validation import ValidationStep
from laurel_common.rpc.method import Method
from laurel_common.rpc.policy import MethodRule
from laurel_common.rpc.serving import KINDS

M = TypeVar("M", bound=Message)


def steps_in_order(
    *,
    access_log: AccessLogStep,
    admission: AdmissionStep,
    endless: EndlessStep,
    auth: AuthStep,
    validation: ValidationStep,
    access: AccessStep,
    watch: AccessWatchStep,
) -> tuple[Step, ...]:
    """From the wire to the servicer; the way back is the reverse."""
    return (
        # Everything below logs and answers under this id.
        RequestIdStep(),
        # Sees every call, and on the way out the status that the errors step has settled.
        access_log,
        # Outside of all that may raise: nothing below reaches the caller but through it.
        ErrorsStep(),
        # Before anything that costs: an overloaded service refuses cheaply.
        admission,
        # Before auth: resolving a session is a call that the deadline limits.
        DeadlineStep(),
        # Beside the deadline: it ends the calls that have none.
        endless,
        # Before validation: a stranger learns nothing of what a good request looks like.
        auth,
        # Beside auth: it tells what a known operator tried, also what the steps below refuse.
        AuditStep(),
        # The servicer sees valid messages only.
        validation,
        # After validation: it takes the installation from the message, and may ask identity.
        access,
        # Beside access: it asks the same again.
        watch,
    )


def ready_made(_response_type: type[M], data: bytes) -> M:
    """Lets a servicer return bytes that were serialized before, where its signature says M.

    The chain sends bytes as they are: a cached page costs no parsing and no serializing.
    """
    return cast(M, data)


class Chain(grpc.GenericRpcHandler):
    """The methods of a server, each with the same steps around it: eight nested interceptors would
    cost 12 to 16 % of the rate of calls, this costs nothing measurable.

    A path without a rule of its own is refused to everybody.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        rules: Mapping[str, MethodRule],
        handlers: Mapping[str, Any],
        *,
        max_message_bytes: int,
    ) -> None:
        self._methods = {
            path: (
                KINDS[handler.request_streaming, handler.response_streaming],
                Method(
                    rules.get(path) or MethodRule(path=path),
                    handler,
                    steps,
                    max_message_bytes=max_message_bytes,
                ),
            )
            for path, handler in handlers.items()
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of the call that has come; None where there is no such method."""
        found = self._methods.get(handler_call_details.method)
        if found is None:
            return None
        kind, method = found
        return kind(method, handler_call_details.invocation_metadata)
