"""Places for costly reads: one tenant's haste takes nothing from another."""

from contextlib import ExitStack

import pytest

from laurel_common.errors import InstallationBusy, Overloaded
from laurel_common.tenant_places import TenantPlaces


def test_an_installation_takes_its_places_and_no_more() -> None:
    places = TenantPlaces(each=2, together=3)
    with ExitStack() as running:
        for installation_id in (1, 1, 2):
            running.enter_context(places.place(installation_id))
        with pytest.raises(InstallationBusy), places.place(1):
            pass
        with pytest.raises(Overloaded), places.place(2):
            pass
    with places.place(1), places.place(1), places.place(3):
        pass


def test_a_place_is_free_again_however_its_read_ended() -> None:
    places = TenantPlaces(each=1, together=1)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="broken"), places.place(1):
            raise RuntimeError("broken")
    with places.place(1):
        pass
