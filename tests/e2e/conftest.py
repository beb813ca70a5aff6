"""A running Laurel for the tests of the whole way."""

from tests.support.stack_fixtures import laurel

__all__ = ["laurel"]
