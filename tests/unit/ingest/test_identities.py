"""Who an address or a login stands for."""

import pytest

from laurel_ingest.domain.content_hash import content_hash
from laurel_ingest.domain.identities import (
    claimed_synthetic_ids,
    hashed_email,
    is_synthetic,
    synthetic_id_of_email,
    synthetic_id_of_login,
)
from laurel_ingest.domain.people import GHOST, Person, person_of, person_of_email

# SHA-1 of "foo"
FOO = "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"


@pytest.mark.parametrize(
    ("line", "digest"),
    [
        (
            ("commit", 28067809, "dbd68d30ee1f7b60d404553fc1c6226ebb374c8e"),
            "307a2b27383e5e29795b8e569c624ce4a072984dbb76ccae3b65bc77019d0a47",
        ),
        (
            ("pr_merge", 17165658, "3842"),
            "d3c2143e6e91a994340801eb416fc630687971e9ed285277cf13150f24b147e0",
        ),
        (
            ("comment", 27114957, "68477208"),
            "521d2c726bf751eb6b400b53244c4d2fbdb11e7c64503de033d8d5b76f82d687",
        ),
        (
            ("spam", 27114957, "comment:68477208"),
            "88a6c8d4a2cab93a1e1ff4383e6e02b2d960d5cae530f4bf3832398543aa65b8",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_content_hashes_are_those_that_are_documented(
    line: tuple[str, int, str], digest: str
) -> None:
    assert content_hash(*line) == digest


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        pytest.param("foo@Example.COM", f"{FOO}@Example.COM", id="the domain stays as it is"),
        pytest.param(f"{FOO}@b.c", f"{FOO}@b.c", id="hashed already"),
        pytest.param(f"{FOO.upper()}@b.c", f"{FOO}@b.c", id="hashed already, in capitals"),
        pytest.param("foo", FOO, id="no domain"),
        pytest.param(" foo@b.c ", f"{FOO}@b.c", id="blanks around it"),
    ],
)
def test_addresses_are_hashed_as_gh_archive_does(email: str, expected: str) -> None:
    assert hashed_email(email) == expected


def test_an_author_meets_himself_hashed_and_plain() -> None:
    plain, hashed = person_of_email("foo@b.c", "Foo"), person_of_email(f"{FOO}@b.c", "Foo")
    assert plain == hashed
    assert plain is not None
    assert is_synthetic(plain.user_id)
    assert plain.login is None


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        pytest.param(
            "42+Octo-Cat@users.noreply.github.com", Person(42, None, "N"), id="the id, and no login"
        ),
        pytest.param(
            "41898282+github-actions[bot]@users.noreply.github.com",
            Person(41898282, None, "N", None, True),
            id="a bot",
        ),
        pytest.param(
            "octo@USERS.noreply.github.com",
            Person(synthetic_id_of_email("octo@USERS.noreply.github.com"), "octo", "N"),
            id="the older form, in another case",
        ),
        pytest.param(
            "0+octo@users.noreply.github.com",
            Person(synthetic_id_of_email("0+octo@users.noreply.github.com"), None, "N"),
            id="a number that nobody has",
        ),
        pytest.param(
            "٤٢+octo@users.noreply.github.com",
            Person(synthetic_id_of_email("٤٢+octo@users.noreply.github.com"), None, "N"),
            id="digits that GitHub does not write",
        ),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_private_addresses_tell_who_it_is(email: str | None, expected: Person | None) -> None:
    assert person_of_email(email, "N") == expected


@pytest.mark.parametrize(
    "email",
    [
        "7+Carol@users.noreply.github.com",
        "7+carol@users.noreply.github.com",
        "Carol@users.noreply.github.com",
        "carol@users.noreply.github.com",
    ],
)
def test_a_known_person_claims_every_form_of_the_private_address(email: str) -> None:
    assert synthetic_id_of_email(hashed_email(email)) in claimed_synthetic_ids(7, "Carol")


def test_a_known_person_claims_the_login_without_an_id_and_no_other_address() -> None:
    claims = claimed_synthetic_ids(7, "Carol")
    assert synthetic_id_of_login("cAROL") in claims
    assert synthetic_id_of_email("carol@example.com") not in claims


def test_synthetic_ids_and_their_negatives_fit_64_bits() -> None:
    ids = [synthetic_id_of_login(str(each)) for each in range(2_000)]
    assert all(-(2**63) < each < -(2**62) for each in ids)
    assert len(set(ids)) == 2_000


@pytest.mark.parametrize(
    ("account", "login", "bot"),
    [
        pytest.param({"id": 1, "login": "x", "type": "Bot"}, "x", True, id="type Bot"),
        pytest.param({"id": 1, "login": "X[BOT]"}, "X[BOT]", True, id="the suffix in any case"),
        pytest.param({"login": "x", "__typename": "Bot"}, "x[bot]", True, id="GraphQL's Bot"),
        pytest.param({"login": "x", "__typename": "User"}, "x", False, id="GraphQL's User"),
        pytest.param(
            {"id": 1, "login": "x", "avatar_url": "https://a.example/in/5?v=4"},
            "x",
            True,
            id="an app's avatar",
        ),
        pytest.param({"id": 1, "login": "botany", "type": "User"}, "botany", False, id="a human"),
    ],
)
def test_bots_are_known_by_any_of_their_marks(
    account: dict[str, object], login: str, bot: bool
) -> None:
    person = person_of(account)
    assert person is not None
    assert (person.login, person.is_bot) == (login, bot)


def test_a_bare_ghost_is_the_ghost() -> None:
    assert person_of({"login": "Ghost"}) == Person(GHOST.user_id, "Ghost")
