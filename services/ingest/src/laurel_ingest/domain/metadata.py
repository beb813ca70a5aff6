"""What of a signal's metadata fits into 2,048 bytes of PostgreSQL's jsonb text."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

MAX_OCTETS: Final = 2048

# Everything but title and object_id at its longest, as jsonb writes it with its spaces: what rules
# read is never dropped, and a flag that another source sets later must still fit.
_RESERVED: Final = len(
    '{"is_bot": true, "is_self_review": true, "is_self_merge": true, "is_in_merged_pr": true, '
    '"has_linked_issue": true, "has_linked_pr": true, "review_state": "changes_requested", '
    '"additions": 2147483647, "deletions": 2147483647, "number": 9223372036854775807, '
    '"title": "", "object_id": ""}'
)
_SHORT_ESCAPES: Final = r'["\\\x08\x0c\n\r\t]'
_LONG_ESCAPES: Final = r"[\x00-\x07\x0b\x0e-\x1f]"


def fitted_titles(titles: pa.ChunkedArray, object_ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The titles, without those that would not fit beside the rest.

    Dropped whole, never cut: that is the order in which metadata gives way, titles first. Nothing
    else can grow so long, an object id having at most 64 characters.
    """
    octets = pc.add(json_octets(titles), json_octets(object_ids))
    fits = pc.less_equal(octets, MAX_OCTETS - _RESERVED)
    return pc.if_else(fits, titles, pa.scalar(None, pa.string()))


def json_octets(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """How many bytes jsonb's text form needs for each text, quotes left out; 0 for null."""
    octets = pc.cast(pc.binary_length(texts), pa.int64())
    short = pc.cast(pc.count_substring_regex(texts, _SHORT_ESCAPES), pa.int64())
    long = pc.multiply(pc.cast(pc.count_substring_regex(texts, _LONG_ESCAPES), pa.int64()), 5)
    return pc.fill_null(pc.add(octets, pc.add(short, long)), 0)
