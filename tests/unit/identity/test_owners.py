"""Which account an imported owner is."""

import pytest

from laurel_identity.domain.names import synthetic_account_id
from laurel_identity.domain.owners import (
    AccountInstallation,
    AccountType,
    ImportedOwner,
    KnownAccounts,
    OwnerAccount,
    resolve_owners,
)

S = synthetic_account_id("acme")
ORGANIZATION, USER = AccountType.ORGANIZATION, AccountType.USER
BY_LOGIN, BY_ID = ImportedOwner(0, "Acme"), ImportedOwner(10, "Acme")


def resolved(owner: ImportedOwner, **known: object) -> OwnerAccount:
    (account,) = resolve_owners([owner], KnownAccounts(**known))  # type: ignore[arg-type]  # builder
    return account


@pytest.mark.parametrize(
    ("owner", "known", "account_id", "kind", "twin"),
    [
        pytest.param(BY_ID, {}, 10, ORGANIZATION, None, id="an id stands for itself"),
        pytest.param(BY_LOGIN, {}, S, ORGANIZATION, None, id="nothing known: synthetic"),
        pytest.param(
            BY_LOGIN, {"organizations": {"acme": 10}}, 10, ORGANIZATION, None, id="an account"
        ),
        pytest.param(BY_LOGIN, {"users": {"acme": 1}, "user_ids": {1}}, 1, USER, None, id="a user"),
        pytest.param(
            BY_LOGIN,
            {"organizations": {"acme": 10}, "users": {"acme": 1}},
            10,
            ORGANIZATION,
            None,
            id="an account before a user",
        ),
        pytest.param(
            BY_LOGIN,
            {"organizations": {"acme": S}, "users": {"acme": 1}, "user_ids": {1}, "synthetic": {S}},
            1,
            USER,
            S,
            id="a numbered user before a synthetic account",
        ),
        pytest.param(
            BY_ID,
            {"organizations": {"acme": S}, "synthetic": {S}},
            10,
            ORGANIZATION,
            S,
            id="a real id finds its synthetic twin",
        ),
        pytest.param(
            BY_ID,
            {"synthetic": {S}, "installations": {S: AccountInstallation(-S, 0, USER)}},
            10,
            USER,
            S,
            id="the twin's type is kept",
        ),
        pytest.param(BY_ID, {"user_ids": {10}}, 10, USER, None, id="the id of a user"),
        pytest.param(
            ImportedOwner(10, "Acme", ORGANIZATION),
            {"user_ids": {10}},
            10,
            ORGANIZATION,
            None,
            id="what the source tells comes first",
        ),
    ],
)
def test_an_owner_is_resolved(
    owner: ImportedOwner,
    known: dict[str, object],
    account_id: int,
    kind: AccountType,
    twin: int | None,
) -> None:
    account = resolved(owner, **known)
    assert (account.account_id, account.account_type) == (account_id, kind)
    assert account.synthetic_twin == twin
    assert account.is_named


@pytest.mark.parametrize("owner", [BY_LOGIN, ImportedOwner(S, "acme")])
def test_a_merged_synthetic_id_leads_on_and_tells_no_login(owner: ImportedOwner) -> None:
    account = resolved(owner, merged={S: 10})
    assert (account.account_id, account.is_named, account.synthetic_twin) == (10, False, None)


def test_an_id_in_the_same_batch_counts_for_the_others() -> None:
    accounts = resolve_owners([BY_LOGIN, ImportedOwner(10, "ACME")], KnownAccounts())
    assert [account.account_id for account in accounts] == [10, 10]
