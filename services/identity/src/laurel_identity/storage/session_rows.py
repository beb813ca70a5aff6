"""GitHub tokens as they stand in a session's row, encrypted."""

from typing import Any

from laurel_identity.domain.github_tokens import GitHubTokens
from laurel_identity.storage.tables import auth_sessions
from laurel_identity.storage.token_cipher import Sealed, TokenCipher

_ACCESS, _REFRESH = "github_token", "github_refresh_token"

TOKEN_COLUMNS = (
    auth_sessions.c.id,
    auth_sessions.c.github_token_encrypted,
    auth_sessions.c.github_token_iv,
    auth_sessions.c.github_token_tag,
    auth_sessions.c.github_token_type,
    auth_sessions.c.github_token_scope,
    auth_sessions.c.github_refresh_token_encrypted,
    auth_sessions.c.github_refresh_token_iv,
    auth_sessions.c.github_refresh_token_tag,
    auth_sessions.c.github_refresh_token_expires_at,
    auth_sessions.c.github_access_token_expires_at,
)


def columns_of(cipher: TokenCipher, session_id: str, tokens: GitHubTokens) -> dict[str, Any]:
    """The columns that hold the tokens."""
    columns: dict[str, Any] = {
        "github_token_type": tokens.token_type,
        "github_token_scope": tokens.scope,
        "github_access_token_expires_at": tokens.access_expires_at,
        "github_refresh_token_expires_at": tokens.refresh_expires_at,
        "tokens_encrypted": True,
    }
    for prefix, token in ((_ACCESS, tokens.access), (_REFRESH, tokens.refresh)):
        sealed = None if token is None else cipher.seal(session_id, prefix, token)
        for part in ("encrypted", "iv", "tag"):
            columns[f"{prefix}_{part}"] = None if sealed is None else getattr(sealed, part)
    return columns


def tokens_in(cipher: TokenCipher, row: Any) -> tuple[GitHubTokens, bool]:
    """The tokens of a row, and whether the current key encrypted both; raises TokenUnreadable."""
    access, current = cipher.open(
        row.id,
        _ACCESS,
        Sealed(row.github_token_encrypted, row.github_token_iv, row.github_token_tag),
    )
    refresh = None
    if row.github_refresh_token_encrypted is not None:
        sealed = Sealed(
            row.github_refresh_token_encrypted,
            row.github_refresh_token_iv,
            row.github_refresh_token_tag,
        )
        refresh, also_current = cipher.open(row.id, _REFRESH, sealed)
        current = current and also_current
    tokens = GitHubTokens(
        access,
        row.github_token_type,
        row.github_token_scope,
        row.github_access_token_expires_at,
        refresh,
        row.github_refresh_token_expires_at,
    )
    return tokens, current
