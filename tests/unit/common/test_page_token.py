"""Page tokens open for what they were sealed for, and for nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_common.errors import InvalidPageToken
from laurel_common.page_token import PageTokens

TOKENS = PageTokens(b"k" * 32)
VALUES = st.one_of(st.integers(-(2**63), 2**63), st.text(), st.booleans(), st.none())


@given(payload=st.dictionaries(st.text(), VALUES), kind=st.text(), binding=st.text())
def test_a_token_opens_to_what_was_sealed(
    payload: dict[str, object], kind: str, binding: str
) -> None:
    # Lone surrogates are no text that a request can carry.
    for text in (kind, binding):
        if text.encode(errors="ignore").decode() != text:
            return
    sealed = TOKENS.seal(kind, payload, binding=binding)
    assert TOKENS.open(kind, sealed, binding=binding) == payload
    assert sealed.isascii()


@given(position=st.integers(0, 200), bit=st.integers(0, 5))
def test_a_token_with_one_changed_character_is_refused(position: int, bit: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sealed = TOKENS.seal("board", {"rank": 50, "id": 7, "more": "abc"})
    place = position % (len(sealed) - 1)
    other = alphabet[alphabet.index(sealed[place]) ^ (1 << bit)]
    with pytest.raises(InvalidPageToken):
        TOKENS.open("board", sealed[:place] + other + sealed[place + 1 :])


def test_a_token_in_another_alphabet_is_refused() -> None:
    """Python's decoder takes + and / for - and _, and thereby two texts for one token."""
    tokens = PageTokens(b"k" * 32)
    told = 0
    for number in range(20):
        token = tokens.seal("kind", {"number": number})
        for own, other in (("-", "+"), ("_", "/")):
            if own in token:
                told += 1
                with pytest.raises(InvalidPageToken):
                    tokens.open("kind", token.replace(own, other, 1))
    assert told > 10


@pytest.mark.parametrize(
    ("tokens", "kind", "binding"),
    [
        pytest.param(TOKENS, "signals", "org=1", id="another-list"),
        pytest.param(TOKENS, "board", "org=2", id="another-filter"),
        pytest.param(TOKENS, "boardo", "rg=1", id="parts-moved"),
        pytest.param(PageTokens(b"o" * 32), "board", "org=1", id="another-key"),
    ],
)
def test_a_token_of_another_request_is_refused(tokens: PageTokens, kind: str, binding: str) -> None:
    sealed = TOKENS.seal("board", {"rank": 50}, binding="org=1")
    with pytest.raises(InvalidPageToken) as caught:
        tokens.open(kind, sealed, binding=binding)
    assert caught.value.reason == "INVALID_PAGE_TOKEN"
    assert [each.field for each in caught.value.violations] == ["page_token"]


def test_a_position_is_not_to_be_read_from_its_token() -> None:
    sealed = TOKENS.seal("board", {"entity": 123456789})
    assert b"123456789" not in base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))


@pytest.mark.parametrize("token", ["", "x", "=====", "ö", "\x00", "A" * 5000, "é" * 10, "A" * 16])
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(InvalidPageToken):
        TOKENS.open("board", token)


def test_a_short_key_is_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        PageTokens(b"short")
