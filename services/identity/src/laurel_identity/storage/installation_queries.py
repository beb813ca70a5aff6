"""Which account an installation is of, and which installation an account's repositories are in."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from laurel_identity.storage.columns import any_id
from laurel_identity.storage.tables import github_installations as installations

account_of: ColumnElement[int] = func.coalesce(
    installations.c.organization_id, installations.c.user_account_id
)


def is_of(accounts: Collection[int]) -> ColumnElement[bool]:
    """Whether an installation is of one of the accounts; each side has an index."""
    return or_(
        any_id(installations.c.organization_id, accounts),
        any_id(installations.c.user_account_id, accounts),
    )


def primary_installations(where: ColumnElement[bool]) -> Select[Any]:
    """(account_id, installation_id, app_id, account_type, repository_selection) of each account's
    installation; of several, the App's own before an imported one, active before suspended.
    """
    account = account_of.label("account_id")
    return (
        select(
            account,
            installations.c.installation_id,
            installations.c.app_id,
            installations.c.account_type,
            installations.c.repository_selection,
        )
        .where(where)
        .ext(distinct_on(account))
        .order_by(
            account,
            (installations.c.app_id == 0),
            installations.c.suspended_at.is_not(None),
            installations.c.installation_id.desc(),
        )
    )
