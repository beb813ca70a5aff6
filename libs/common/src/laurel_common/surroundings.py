"""What a running task knows of the call that it serves: one context variable for all of it.

Setting a context variable is the dearest thing that the chain does to a call, so it is set once.
"""

from contextvars import ContextVar, Token

from laurel_common.auth.access import Access
from laurel_common.auth.principal import Principal, PrincipalKind
from laurel_common.errors import Unauthenticated
from laurel_common.tracing import Trace


class Surroundings:
    """The call's ids, its caller, what that may see, and its deadline by the monotonic clock.

    The chain fills the one of its call; everybody else replaces it by a changed copy, because
    tasks that were started on the way share it.
    """

    __slots__ = ("access", "deadline", "principal", "trace")

    def __init__(
        self,
        trace: Trace | None = None,
        principal: Principal | None = None,
        deadline: float | None = None,
        access: Access | None = None,
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


def current_trace() -> Trace | None:
    """The running task's trace; None outside of calls and jobs."""
    return current().trace


def current_principal() -> Principal:
    """The running call's caller; raises Unauthenticated where there is none."""
    principal = current().principal
    if principal is None:
        raise Unauthenticated
    return principal


def current_access() -> Access:
    """What the running call's caller may see of the installation that the request names: all,
    unless a user calls.
    """
    now = current()
    if now.access is not None:
        return now.access
    if now.principal is not None and now.principal.kind is PrincipalKind.USER:
        return Access.none()
    return Access.full()


def with_deadline(deadline: float | None) -> Token[Surroundings]:
    """Replaces the deadline, by the monotonic clock; `leave` puts the former one back."""
    now = current()
    return enter(Surroundings(now.trace, now.principal, deadline, now.access))
