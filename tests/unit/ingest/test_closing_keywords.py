"""Issues that a body closes, as GitHub reads it."""

import pytest

from laurel_ingest.domain.closing_keywords import closed_issues, squashed_pull


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("Fixes #1", {1}),
        ("closes #1, resolves #2 and FIXED: #3", {1, 2, 3}),
        ("Resolved acme/Rocket#4", {4}),
        ("close https://github.com/ACME/rocket/issues/5", {5}),
        ("closes other/thing#6", set()),
        ("closes https://github.com/other/thing/issues/6", set()),
        ("prefixes #7", set()),
        ("fixes 8", set()),
        ("see #9", set()),
        ("`fixes #1`", set()),
        ("```\nfixes #1\n```\nfixes #2", {2}),
        ("<!-- fixes #1 -->", set()),
        ("fixes #1\n<!-- fixes #2", {1}),
        ("fixes #1a", set()),
        ("fixes #0, fixes #٣, fixes #012", set()),
        (" ".join(f"fixes #{each}" for each in range(1, 5_000)), set(range(1, 101))),
        (None, set()),
    ],
)
def test_closing_keywords(body: str | None, numbers: set[int]) -> None:
    assert closed_issues(body, "acme/rocket") == numbers


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Add (#1)", 1),
        ('Revert "Add (#1)" (#2)', 2),
        ("Add (#1)\n\nmore (#3)", 1),
        ("Add #1", None),
        ("Add (#0)", None),
        ("Add (#٣)", None),
    ],
)
def test_squashes(message: str, number: int | None) -> None:
    assert squashed_pull(message) == number
