"""What a running task knows of the call that it serves: one context variable for all of it.

Setting a context variable is the dearest thing that the chain does to a call, so it is set once.
Read and changed through tracing.py, deadline.py, auth/principal.py and auth/access.py, which own
the fields.
"""

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laurel_common.auth.access import Access
    from laurel_common.auth.principal import Principal
    from laurel_common.tracing import Trace


class Surroundings:
    """The call's ids, its caller, what that may see, and its deadline by the monotonic clock.

    The chain fills the one of its call; everybody else replaces it by a changed copy, because
    tasks that were started on the way share it.
    """

    __slots__ = ("access", "deadline", "principal", "trace")

    def __init__(
        self,
        trace: "Trace | None" = None,
        principal: "Principal | None" = None,
        deadline: float | None = None,
        access: "Access | None" = None,
    ) -> None:
        self.trace = trace
        self.principal = principal
        self.deadline = deadline
        self.access = access


_NONE = Surroundings()
_current: ContextVar[Surroundings] = ContextVar("laurel_surroundings", default=_NONE)

current = _current.get


def enter(surroundings: Surroundings) -> Token[Surroundings]:
    """Makes them the running task's; `leave` takes them back."""
    return _current.set(surroundings)


def leave(token: Token[Surroundings]) -> None:
    """Gives the task what it had before `enter`."""
    _current.reset(token)


def with_trace(trace: "Trace | None") -> Token[Surroundings]:
    """Replaces the ids."""
    now = current()
    return enter(Surroundings(trace, now.principal, now.deadline, now.access))


def with_principal(principal: "Principal | None") -> Token[Surroundings]:
    """Replaces the caller; what it may see is not known yet."""
    now = current()
    return enter(Surroundings(now.trace, principal, now.deadline))


def with_deadline(deadline: float | None) -> Token[Surroundings]:
    """Replaces the deadline."""
    now = current()
    return enter(Surroundings(now.trace, now.principal, deadline, now.access))
