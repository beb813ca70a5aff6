"""Which webhooks are signed, and that how long it takes to find out tells nothing of a secret."""

import ast
import hashlib
import hmac
import inspect
from typing import Any

import pytest

from laurel_ingest.domain.webhook_signatures import is_signed

BODY = b'{"action":"opened"}'
OLD, NEW, OTHER = b"the-secret-of-before", b"the-secret-from-now-on", b"nobody's secret at all"


def signature(secret: bytes = OLD, body: bytes = BODY) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def test_githubs_own_example_is_signed() -> None:
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed(b"Hello, World!", told, [b"It's a Secret to Everybody"])


@pytest.mark.parametrize(
    ("told", "secrets", "is_good"),
    [
        pytest.param(signature(OLD), [OLD], True, id="one secret"),
        pytest.param(signature(OLD), [OLD, NEW], True, id="the old one while it is replaced"),
        pytest.param(signature(NEW), [OLD, NEW], True, id="the new one while it replaces"),
        pytest.param(signature(OLD), [NEW], False, id="the old one after that"),
        pytest.param(signature(OTHER), [OLD, NEW], False, id="a stranger's"),
        pytest.param(signature(OLD), [], False, id="no secret at all"),
        pytest.param(signature(b""), [], False, id="no secret, and an empty one"),
        pytest.param(signature(OLD, BODY + b" "), [OLD], False, id="of another body"),
        pytest.param(None, [OLD], False, id="none"),
        pytest.param("", [OLD], False, id="an empty one"),
        pytest.param("sha256=", [OLD], False, id="nothing but the prefix"),
        pytest.param(signature()[:-1], [OLD], False, id="a digit too few"),
        pytest.param(signature() + "0", [OLD], False, id="a digit too many"),
        pytest.param(signature() + "\n", [OLD], False, id="a line's end"),
        pytest.param(" " + signature(), [OLD], False, id="a space"),
        pytest.param(signature().upper(), [OLD], False, id="capitals"),
        pytest.param(signature().removeprefix("sha256="), [OLD], False, id="no prefix"),
        pytest.param("sha1=" + signature()[7:], [OLD], False, id="another algorithm's prefix"),
        pytest.param("sha256=" + signature(), [OLD], False, id="twice the prefix"),
        pytest.param(f"{signature(OTHER)},{signature()}", [OLD], False, id="two of them"),
        pytest.param("sha256=" + "\u0661" * 64, [OLD], False, id="digits of another script"),
        pytest.param("sha256=" + "\ud800" * 64, [OLD], False, id="no text"),
        pytest.param("sha256=" + "0" * 1_000_000, [OLD], False, id="a long one"),
    ],
)
def test_a_delivery_is_good_where_any_secret_signs_it(
    told: str | None, secrets: list[bytes], is_good: bool
) -> None:
    assert is_signed(BODY, told, secrets) is is_good


@pytest.mark.parametrize("told", [signature(OLD), signature(NEW), signature(OTHER), "", None])
def test_every_secret_is_tried_in_constant_time_whichever_is_the_right_one(
    monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    compared: list[tuple[Any, Any]] = []
    real = hmac.compare_digest

    def compare(mine: bytes, theirs: bytes) -> bool:
        compared.append((mine, theirs))
        return real(mine, theirs)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    is_signed(BODY, told, [OLD, NEW])
    expected = (told or "").encode()
    assert compared == [(signature(each).encode(), expected) for each in (OLD, NEW)]


def test_nothing_else_compares_a_signature() -> None:
    tree = ast.parse(inspect.getsource(is_signed))
    compares = [node for node in ast.walk(tree) if isinstance(node, ast.Compare | ast.Match)]
    assert compares == [], "== and startswith stop at the first difference"
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert called == {"compare_digest", "new", "hexdigest", "encode"}
