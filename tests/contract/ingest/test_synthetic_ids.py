"""Identity and ingest make the same synthetic ids, each on its own."""

from hypothesis import given
from hypothesis import strategies as st

from laurel_identity.domain import names
from laurel_ingest.domain import identities

LOGINS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}(\[bot\])?", fullmatch=True)


@given(st.integers(1, 2**63 - 1), LOGINS)
def test_a_known_person_has_the_same_private_addresses(user_id: int, login: str) -> None:
    claimed = identities.claimed_synthetic_ids(user_id, login)
    by_login = identities.synthetic_id_of_login(login)
    assert claimed == names.private_address_ids(user_id, login) | {by_login}


@given(LOGINS)
def test_an_owner_without_an_id_is_the_same_account(login: str) -> None:
    account_id = names.synthetic_account_id(login)
    assert account_id == identities.synthetic_id_of_login(login)
    assert names.is_synthetic(account_id)
    assert identities.is_synthetic(account_id)
