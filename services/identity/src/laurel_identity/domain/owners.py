"""Which account an imported owner is: pure, from what the source tells and what is known.

docs/adr/0051 gives the reasons for the rules.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from laurel_identity.domain.names import folded, is_synthetic, synthetic_account_id


class AccountType(StrEnum):
    """GitHub's two kinds of account, as the database names them."""

    ORGANIZATION = "organization"
    USER = "user"


@dataclass(frozen=True, slots=True)
class ImportedOwner:
    """An owner as a source names it: `account_id` 0 and `account_type` None where untold."""

    account_id: int
    login: str
    account_type: AccountType | None = None
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class AccountInstallation:
    """The installation of an account; `app_id` is 0 where it was only imported."""

    installation_id: int
    app_id: int
    account_type: AccountType


@dataclass(frozen=True, slots=True)
class KnownAccounts:
    """What the directory knows about the owners in question. Logins are folded.

    `merged`: synthetic accounts that turned out to be others, and which. `synthetic`: those that
    stand for themselves. `installations`: by account.
    """

    organizations: Mapping[str, int] = field(default_factory=dict)
    users: Mapping[str, int] = field(default_factory=dict)
    user_ids: Collection[int] = frozenset()
    merged: Mapping[int, int] = field(default_factory=dict)
    synthetic: Collection[int] = frozenset()
    installations: Mapping[int, AccountInstallation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnerAccount:
    """The account behind an imported owner.

    `is_named`: whether the source's word shows that the account has this login now; it does not
    where a synthetic id, merged since, led to it.
    `synthetic_twin` is the synthetic account that was made of the same login while the id was not
    known, None where none was: what it has is this account's.
    """

    account_id: int
    login: str
    account_type: AccountType
    avatar_url: str
    is_named: bool
    synthetic_twin: int | None


def resolve_owners(owners: Collection[ImportedOwner], known: KnownAccounts) -> list[OwnerAccount]:
    """The accounts of `owners`, in their order."""
    told = {folded(owner.login): owner.account_id for owner in owners if owner.account_id}
    return [_resolve(owner, told, known) for owner in owners]


def _resolve(owner: ImportedOwner, told: Mapping[str, int], known: KnownAccounts) -> OwnerAccount:
    login, twin = folded(owner.login), synthetic_account_id(owner.login)
    account_id = owner.account_id or _holder(login, told, known) or twin
    if account_id in known.merged:
        account_id = known.merged[account_id]
        kind = _standing_type(account_id, known)
        return OwnerAccount(account_id, owner.login, kind, owner.avatar_url, False, None)
    has_twin = twin in known.synthetic and not is_synthetic(account_id)
    kind = owner.account_type or _standing_type(account_id, known, twin if has_twin else None)
    return OwnerAccount(
        account_id, owner.login, kind, owner.avatar_url, True, twin if has_twin else None
    )


def _holder(login: str, told: Mapping[str, int], known: KnownAccounts) -> int | None:
    """The numbered account that a login means, as far as anybody told."""
    named = (told.get(login), known.organizations.get(login), known.users.get(login))
    return next((each for each in named if each is not None and not is_synthetic(each)), None)


def _standing_type(account_id: int, known: KnownAccounts, twin: int | None = None) -> AccountType:
    if account_id in known.user_ids and not is_synthetic(account_id):
        return AccountType.USER
    standing = known.installations.get(account_id)
    if standing is None and twin is not None:
        standing = known.installations.get(twin)
    return standing.account_type if standing is not None else AccountType.ORGANIZATION
