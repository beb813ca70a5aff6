"""Arrays as text, as PostgreSQL reads them."""

from collections.abc import Sequence

import pytest

from laurel_ingest.storage.arrays import numbers, texts
from tests.support.database import Database


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["", ""],
        ["plain", "NULL", "null", "{}", "{a,b}", "a,b", " a ", "a b", "'", "é\n\t☂"],
        ['"', "\\", '\\"', '{"title": "say \\"hi\\" \\\\"}', '","'],
    ],
    ids=str,
)
def test_texts_come_out_as_they_went_in(database: Database, values: Sequence[str]) -> None:
    with database.connect() as connection:
        assert connection.execute("SELECT %s::text[]", [texts(values)]).fetchone() == (values,)


@pytest.mark.parametrize("values", [[], [0], [-(2**63), 1, 2**63 - 1]], ids=str)
def test_numbers_come_out_as_they_went_in(database: Database, values: Sequence[int]) -> None:
    with database.connect() as connection:
        assert connection.execute("SELECT %s::bigint[]", [numbers(values)]).fetchone() == (values,)
