"""Names, tombstones and synthetic ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel_identity.domain.names import (
    folded,
    is_synthetic,
    is_tombstone,
    private_address_ids,
    synthetic_account_id,
    tombstone,
)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        pytest.param("Ada", "ada", id="letters"),
        pytest.param("dependabot[BOT]", "dependabot[bot]", id="a bot"),
        pytest.param("ÀÉ", "ÀÉ", id="letters outside ASCII stay"),
        pytest.param("İ", "İ", id="no letter grows"),
    ],
)
def test_names_fold_their_ascii_letters(name: str, same: str) -> None:
    assert folded(name) == same


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_tombstone_is_known_as_one(entity_id: int) -> None:
    assert is_tombstone(tombstone(entity_id))


@pytest.mark.parametrize("name", ["ada", "~", "~ada", "a~1", "~1a", ""])
def test_other_names_are_no_tombstones(name: str) -> None:
    assert not is_tombstone(name)


@given(st.text(min_size=1))
def test_a_synthetic_id_and_its_negative_fit_64_bits(login: str) -> None:
    account_id = synthetic_account_id(login)
    assert -(2**63) < account_id < -(2**62)
    assert is_synthetic(account_id)
    assert account_id == synthetic_account_id(folded(login))


def test_synthetic_ids_stay_what_they_were() -> None:
    # Published in the proto: ingest computes the same.
    assert synthetic_account_id("Octocat") == -5_735_146_974_077_300_817


def test_private_addresses_keep_their_synthetic_ids() -> None:
    # Published in the proto: ingest computes the same.
    assert private_address_ids(583231, "Octocat") == {
        -7_903_084_559_023_351_258,
        -7_642_030_049_531_405_893,
        -7_042_855_122_878_309_829,
        -5_087_014_539_803_970_853,
    }


@pytest.mark.parametrize("entity_id", [1, 0, -1, -(2**62)])
def test_other_ids_are_not_synthetic(entity_id: int) -> None:
    assert not is_synthetic(entity_id)
