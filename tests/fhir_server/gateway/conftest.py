"""Open servers for the tests of the gateway."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fhir_server.inprocess import House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Base policy deny, the default."""
    async with opened(tmp_path) as house:
        yield house


@pytest.fixture
async def permissive(tmp_path: Path) -> AsyncIterator[House]:
    """Base policy permit."""
    async with opened(tmp_path, base_policy="permit") as house:
        yield house
