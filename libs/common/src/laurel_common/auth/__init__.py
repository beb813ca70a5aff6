"""Who calls: verifying tokens against a directory of public keys, and minting one's own."""

from laurel_common.auth.access import Access, AccessResolver, current_access
from laurel_common.auth.principal import Principal, PrincipalKind, current_principal
from laurel_common.auth.sessions import SessionResolver
from laurel_common.auth.tokens import TokenSource
from laurel_common.auth.trust import TrustDirectory, TrustedKey

__all__ = [
    "Access",
    "AccessResolver",
    "Principal",
    "PrincipalKind",
    "SessionResolver",
    "TokenSource",
    "TrustDirectory",
    "TrustedKey",
    "current_access",
    "current_principal",
]
