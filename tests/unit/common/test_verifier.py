"""Tokens that no client of ours would send."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from laurel_common.auth import PrincipalKind, TrustDirectory, TrustedKey
from laurel_common.auth.keys import public_pem
from laurel_common.auth.tokens import mint
from laurel_common.auth.trust import format_trust_file
from laurel_common.auth.verifier import TokenVerifier
from laurel_common.errors import LaurelError, Unauthenticated
from laurel_common.testing.clock import FakeClock

KEY = Ed25519PrivateKey.generate()
CLOCK = FakeClock()
NOW = int(CLOCK.now().timestamp())
GOOD: dict[str, Any] = {"iss": "ingest", "aud": "test", "iat": NOW, "exp": NOW + 60, "jti": "1"}


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> TokenVerifier:
    path: Path = tmp_path_factory.mktemp("trust") / "trust.toml"
    entry = TrustedKey("ingest", PrincipalKind.SERVICE, KEY.public_key(), ("*",), None)
    path.write_text(format_trust_file([entry]))
    return TokenVerifier(TrustDirectory(path), audience="test", clock=CLOCK)


def signed(**changes: Any) -> str:
    claims = {name: value for name, value in (GOOD | changes).items() if value is not None}
    # As bytes: the library would not sign claims that it knows to be wrong.
    return jwt.api_jws.encode(json.dumps(claims).encode(), KEY, algorithm="EdDSA")


def test_a_good_token_names_its_holder(verifier: TokenVerifier) -> None:
    principal = verifier.verify(signed())
    assert (principal.kind, principal.name, principal.token_id) == ("service", "ingest", "1")


def unsigned(payload: bytes, algorithm: str = "none") -> str:
    header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    parts = (base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in (header, payload))
    return ".".join([*parts, ""])


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned(json.dumps(GOOD).encode()), id="unsigned"),
        pytest.param(
            jwt.encode(GOOD, public_pem(KEY)[30:80], algorithm="HS256"), id="signed-symmetrically"
        ),
        pytest.param(unsigned(b"[" * 2500, "EdDSA"), id="deeply-nested"),
        pytest.param(unsigned(b"[]", "EdDSA"), id="no-claims"),
        pytest.param(signed(jti=None), id="without-jti"),
        pytest.param(signed(jti=""), id="empty-jti"),
        pytest.param(signed(aud=None), id="without-audience"),
        pytest.param(signed(aud=["other"]), id="other-audiences"),
        pytest.param(signed(aud={"test": 1}), id="audience-of-another-type"),
        pytest.param(signed(exp=None), id="without-end"),
        pytest.param(signed(iat=None), id="without-beginning"),
        pytest.param(signed(exp=str(NOW + 60)), id="end-as-text"),
        pytest.param(signed(exp=10**400), id="end-of-time"),
        pytest.param(signed(exp=NOW), id="no-life"),
        pytest.param(signed(exp=True, iat=False), id="booleans"),
        pytest.param(signed(iss=["ingest"]), id="issuer-of-another-type"),
        pytest.param(signed() + "x" * 5000, id="long"),
        pytest.param("", id="empty"),
    ],
)
def test_a_forged_or_malformed_token_is_nobodys(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        verifier.verify(token)
    assert caught.value.message == Unauthenticated.default_message


@given(token=st.text(max_size=200))
def test_any_text_is_refused_in_a_typed_way(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(LaurelError):
        verifier.verify(token)


@given(position=st.integers(0, 400))
def test_a_changed_character_breaks_a_token(verifier: TokenVerifier, position: int) -> None:
    token = mint(KEY, issuer="ingest", audience="test", lifetime=timedelta(seconds=60), clock=CLOCK)
    # The last character of a part carries bits that decoding drops.
    place = position % (len(token) - 1)
    if "." in token[place : place + 2]:
        return
    other = "A" if token[place] != "A" else "B"
    with pytest.raises(LaurelError):
        verifier.verify(token[:place] + other + token[place + 1 :])
