"""Who calls: verifying tokens against a directory of public keys, and minting one's own."""

from laurel_common.auth.access import Access, AccessResolver
from laurel_common.auth.principal import Principal, PrincipalKind
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
]
