"""Notes what has to move when an account gets an installation, or a repository another account."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from laurel_identity.domain.works import Heir

# Imported installations and uninstalled ones of these accounts, or of synthetic accounts that
# turned out to be one of them, where there is one to move into. That is the App's own; or an
# imported one, for what a synthetic account has.
_ADOPT: Final = text(
    """
    INSERT INTO installation_works (account_id, kind, installation_id, requested_by)
    SELECT own.account_id, 'adopt', i.installation_id, 'identity'
    FROM (
        SELECT id AS account_id, id AS holder_id
        FROM unnest(CAST(:accounts AS bigint[])) AS id
        UNION ALL
        SELECT into_account_id, account_id FROM merged_accounts
        WHERE into_account_id = ANY (CAST(:accounts AS bigint[]))
    ) AS own
    JOIN github_installations AS i
        ON i.organization_id = own.holder_id OR i.user_account_id = own.holder_id
    WHERE (i.app_id = 0 OR i.suspended_by = 'uninstalled') AND EXISTS (
        SELECT FROM github_installations AS heir
        WHERE (heir.organization_id = own.account_id OR heir.user_account_id = own.account_id)
            AND heir.installation_id <> i.installation_id
            AND (own.holder_id <> own.account_id
                OR heir.app_id <> 0 AND heir.suspended_by IS DISTINCT FROM 'uninstalled')
    )
    ORDER BY i.installation_id
    ON CONFLICT DO NOTHING
    """
)

# Signals of repositories may have waited for their account's installation.
_AT_ONCE: Final = text(
    """
    UPDATE installation_works SET next_attempt_at = NULL
    WHERE account_id = ANY (CAST(:accounts AS bigint[])) AND finished_at IS NULL
        AND next_attempt_at IS NOT NULL
    """
)

_TRANSFER: Final = text(
    """
    INSERT INTO installation_works
        (account_id, kind, installation_id, repository_id, requested_by)
    SELECT r.organization_id, 'transfer', i.installation_id, r.id, 'identity'
    FROM unnest(CAST(:repositories AS bigint[]), CAST(:accounts AS bigint[]))
        AS moved (repository_id, account_id)
    JOIN repositories AS r ON r.id = moved.repository_id
    JOIN github_installations AS i
        ON i.organization_id = moved.account_id OR i.user_account_id = moved.account_id
    WHERE r.organization_id <> moved.account_id
    ORDER BY i.installation_id, r.id
    ON CONFLICT DO NOTHING
    """
)

_FOLLOWED_AT_ONCE: Final = text(
    """
    UPDATE installation_works SET next_attempt_at = NULL
    WHERE repository_id = ANY (CAST(:repositories AS bigint[])) AND finished_at IS NULL
        AND next_attempt_at IS NOT NULL
    """
)

# An adoption takes along what had been, or was about to be, looked for where it came from.
_FOLLOW_ON: Final = text(
    """
    INSERT INTO installation_works
        (account_id, kind, installation_id, repository_id, requested_by)
    SELECT DISTINCT r.organization_id, 'transfer', CAST(:heir AS bigint), r.id, 'identity'
    FROM installation_works AS w
    JOIN repositories AS r ON r.id = w.repository_id
    WHERE w.installation_id = :former AND w.kind = 'transfer' AND r.organization_id <> :account
    ON CONFLICT DO NOTHING
    """
)


async def note_adoptions(connection: AsyncConnection, accounts: Collection[int]) -> None:
    """Has these accounts' installations adopt what was left behind, if there is anything."""
    if accounts:
        await connection.execute(_ADOPT, {"accounts": sorted(accounts)})
        await connection.execute(_AT_ONCE, {"accounts": sorted(accounts)})


async def note_transfers(connection: AsyncConnection, former: Mapping[int, int]) -> None:
    """Has signals of repositories (by id, with the account that each had) follow them."""
    if former:
        values = {"repositories": list(former), "accounts": list(former.values())}
        await connection.execute(_TRANSFER, values)
        await connection.execute(_FOLLOWED_AT_ONCE, values)


async def follow_on(connection: AsyncConnection, installation_id: int, heir: Heir) -> None:
    """Has signals of repositories that left an installation looked for in the one that adopted it,
    too.
    """
    values = {
        "former": installation_id,
        "heir": heir.installation_id,
        "account": heir.account_id,
    }
    await connection.execute(_FOLLOW_ON, values)
