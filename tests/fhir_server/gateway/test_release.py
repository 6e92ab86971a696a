"""Nothing is released but through `release`, and what is released stays as it is."""

import pytest

from fhir_server.gateway.release import Released, release
from fhir_server.store.protocol import StoredVersion

STORED = StoredVersion("Patient", "1", 2, 3, "update", b'{"secret":1}', ("1",), b"")


def released() -> Released:
    found = release(STORED, lambda stored: True)
    assert found is not None
    return found


def test_what_is_not_permitted_is_not_released() -> None:
    assert release(STORED, lambda stored: False) is None


def test_nobody_makes_one_by_hand() -> None:
    for seal in (None, object(), "seal"):
        with pytest.raises(TypeError):
            Released(STORED, seal)


def test_none_is_altered() -> None:
    for name in ("_stored", "body", "other"):
        with pytest.raises(TypeError):
            setattr(released(), name, b"")


def test_its_text_for_logs_carries_no_content() -> None:
    assert repr(released()) == "Released(Patient/1/_history/2)"
