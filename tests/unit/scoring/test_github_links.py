"""Addresses on GitHub: each kind of thing, and nothing where what is known does not lead there."""

import pytest

from laurel_scoring.domain.github_links import Reference, html_url
from laurel_scoring.domain.vocabulary import SignalType

SHA = "dbd68d30ee1f7b60d404553fc1c6226ebb374c8e"


@pytest.mark.parametrize(
    ("kind", "thing", "path"),
    [
        ("COMMIT", Reference(7, SHA), f"commit/{SHA}"),
        ("PR_OPEN", Reference(7), "pull/7"),
        ("PR_MERGE", Reference(7), "pull/7"),
        ("PR_CLOSE_NO_MERGE", Reference(7), "pull/7"),
        ("ISSUE_OPEN", Reference(7), "issues/7"),
        ("ISSUE_CLOSE", Reference(7), "issues/7"),
        ("REVIEW", Reference(7, "12"), "pull/7#pullrequestreview-12"),
        ("REVIEW_COMMENT", Reference(7, "12"), "pull/7#discussion_r12"),
        ("COMMENT", Reference(7, "12"), "issues/7#issuecomment-12"),
        ("SPAM", Reference(7, "12"), "issues/7"),
        ("REVIEW", Reference(7, "no id"), "pull/7"),
        ("COMMENT", Reference(7), "issues/7"),
    ],
)
def test_a_thing_has_its_page(kind: str, thing: Reference, path: str) -> None:
    found = html_url("https://ghe.example/", "acme/tile.server", SignalType[kind], thing)
    assert found == f"https://ghe.example/acme/tile.server/{path}"


@pytest.mark.parametrize(
    ("kind", "full_name", "thing"),
    [
        pytest.param("COMMIT", "acme/a", Reference(7), id="a commit without its SHA"),
        pytest.param("COMMIT", "acme/a", Reference(7, "../x"), id="what is no SHA"),
        pytest.param("PR_OPEN", "acme/a", Reference(), id="no number"),
        pytest.param("COMMENT", "acme/a", Reference(0, "12"), id="a comment on nothing"),
        pytest.param("PR_OPEN", "", Reference(7), id="an unknown repository"),
        pytest.param("PR_OPEN", "acme/a/b", Reference(7), id="what is no full name"),
        pytest.param("PR_OPEN", "acme/a?b", Reference(7), id="what GitHub lets nobody take"),
    ],
)
def test_what_leads_nowhere_has_none(kind: str, full_name: str, thing: Reference) -> None:
    assert not html_url("https://github.com", full_name, SignalType[kind], thing)
