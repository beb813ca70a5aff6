"""Metadata fits by PostgreSQL's own measure."""

import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from laurel_ingest.domain.metadata import fitted_titles, json_octets
from tests.support.database import Database

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")


@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    title=st.text(CHARACTERS, max_size=600),
    object_id=st.text(CHARACTERS, max_size=64),
)
@example(title="\x01" * 400, object_id="\x1f" * 64)
@example(title='"' * 1_200, object_id="\\" * 64)
@example(title="é" * 1_000, object_id="")
def test_what_is_kept_fits_and_is_measured_as_the_database_does(
    database: Database, title: str, object_id: str
) -> None:
    titles, ids = pa.chunked_array([[title]]), pa.chunked_array([[object_id]])
    kept = fitted_titles(titles, ids).to_pylist()[0]
    with database.connect() as connection:
        row = connection.execute(
            "SELECT octet_length(signal_metadata(63, 2::smallint, 2147483647, 2147483647,"
            " 9223372036854775807, %s, %s)::text), octet_length(to_jsonb(%s::text)::text)",
            [kept, object_id, title],
        ).fetchone()
    assert row is not None
    assert row[0] <= 2_048
    assert row[1] == json_octets(titles).to_pylist()[0] + 2
