"""Driver errors made into typed ones: SQLSTATE and the constraint's name decide, never the text."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from laurel_common.errors import (
    ConcurrentChange,
    DatabaseUnavailable,
    DeadlineExceeded,
    LaurelError,
    Overloaded,
)

# A constraint's name → what to raise when it is violated: an error class, or anything that makes
# an error when called.
Constraints = Mapping[str, Callable[[], LaurelError]]

_QUERY_CANCELED = "57014"
_CONFLICTS = {"40001", "40P01", "55P03"}
# Connection exceptions, insufficient resources, operator intervention; a standby that is no
# longer (or not yet) the primary.
_UNAVAILABLE_CLASSES = ("08", "53", "57P")
_UNAVAILABLE = {"25006"}


def translate(error: BaseException, constraints: Constraints) -> LaurelError | None:
    """The typed form of a driver's or SQLAlchemy's error; None where there is none."""
    if isinstance(error, PoolTimeout):
        return Overloaded("all database connections are in use")
    driver = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(driver, psycopg.Error):
        return None
    return _from_state(driver, driver.sqlstate, constraints)


def _from_state(
    error: psycopg.Error, state: str | None, constraints: Constraints
) -> LaurelError | None:
    if state is None:
        return DatabaseUnavailable() if isinstance(error, psycopg.OperationalError) else None
    if state == _QUERY_CANCELED:
        return DeadlineExceeded()
    if state in _CONFLICTS:
        return ConcurrentChange()
    if state in _UNAVAILABLE or state.startswith(_UNAVAILABLE_CLASSES):
        return DatabaseUnavailable()
    make = constraints.get(error.diag.constraint_name or "")
    return make() if make is not None else None


@contextmanager
def typed_errors(constraints: Constraints | None = None) -> Iterator[None]:
    """Raises the typed form of what the database refuses inside; the rest passes as it is."""
    try:
        yield
    except (psycopg.Error, DBAPIError, PoolTimeout) as error:
        typed = translate(error, constraints or {})
        if typed is None:
            raise
        raise typed from error
