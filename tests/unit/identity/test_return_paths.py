"""Where nobody is led after signing in."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_identity.domain.return_paths import is_safe_return_path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/boards?period=month#top",
        "/boards/acme/site",
        "/b%C3%B8rds/%20x",
        "/search?next=//evil.example&q=a\x7e%5c",
        "/#//evil.example",
        "/a/../b",
        "/@evil.example",
        "/100%25",
    ],
)
def test_a_path_of_the_gateways_own_is_taken(path: str) -> None:
    assert is_safe_return_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "boards",
        "https://evil.example",
        "javascript:alert(1)",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a b",
        "/\x00",
        "/\x85",
        "/%2fevil.example",
        "/%2F%2Fevil.example",
        "/%5cevil.example",
        "/%255cevil.example",
        "/%25252fevil.example",
        "/%09/evil.example",
        "/%0d%0aSet-Cookie:%20a=b",
        "/.//evil.example",
        "/..//evil.example",
        "/a/..%2f/evil.example",
        "/a//b",
        "/\uff0fevil.example",
        "/\u012fevil.example",
        "/\u010d\u010aSet-Cookie: a=b",
        "/\u2028",
        "/\u202eelpmaxe.live",
        "/ø",
    ],
)
def test_what_leads_elsewhere_or_might_is_refused(path: str) -> None:
    assert not is_safe_return_path(path)


@given(text=st.text(alphabet="/\\.%25cCfF09a?#:@\t\n", max_size=14))
def test_what_is_taken_stays_on_the_host(text: str) -> None:
    if not is_safe_return_path(f"/{text}"):
        return
    # As a browser reads it: backslashes are slashes, tabs and line ends are nothing.
    read = f"/{text}".replace("\\", "/").replace("\t", "").replace("\n", "")
    assert urlsplit(urljoin("https://gateway.example/", read)).netloc == "gateway.example"
