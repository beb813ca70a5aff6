"""Claims on authors, in a line."""

from laurel.identity.v1 import directory_claims_pb2


def claim_line(claim: directory_claims_pb2.IdentityClaim) -> str:
    """Whom an author is or is not, and how many signals have followed."""
    said = "is no longer" if claim.released else "is"
    followed = "have followed" if claim.HasField("finish_time") else "have followed so far"
    count = f"{claim.moved_signal_count:,} signals {followed}"
    return f"{claim.synthetic_user_id} {said} {claim.user_id}: {count}"
