"""A running Laurel for the tests that break it."""

from tests.support.stack_fixtures import laurel, laurel_of_its_own

__all__ = ["laurel", "laurel_of_its_own"]
