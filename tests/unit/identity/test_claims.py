"""When a word on a synthetic user is news, and when it can't be said."""

from datetime import UTC, datetime

import pytest

from laurel_common.errors import LaurelError
from laurel_identity.domain.claims import Claim, Wanted, is_said_already
from laurel_identity.domain.errors import ClaimNotFound, IdentityClaimed

KIM, ADA, BOB = -(2**62) - 1, 1, 2


def last(user_id: int = ADA, *, is_release: bool = False) -> Claim:
    return Claim(7, KIM, user_id, is_release, "operator", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("before", "user_id", "said"),
    [
        pytest.param(None, ADA, False, id="first"),
        pytest.param(None, None, ClaimNotFound, id="nothing-to-release"),
        pytest.param(last(), ADA, True, id="again"),
        pytest.param(last(), BOB, IdentityClaimed, id="another-one"),
        pytest.param(last(), None, False, id="release"),
        pytest.param(last(is_release=True), None, True, id="released-again"),
        pytest.param(last(is_release=True), ADA, False, id="claimed-again"),
        pytest.param(last(is_release=True), BOB, False, id="another-one-after-release"),
    ],
)
def test_a_user_is_one_persons_until_released(
    before: Claim | None, user_id: int | None, said: bool | type[LaurelError]
) -> None:
    if isinstance(said, bool):
        assert is_said_already(before, Wanted(KIM, user_id)) is said
    else:
        with pytest.raises(said):
            is_said_already(before, Wanted(KIM, user_id))
