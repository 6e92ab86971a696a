"""Open servers for the tests of the gateway."""

from collections.abc import AsyncIterator

import pytest

from tests.fhir_server.inprocess import House, opened


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Base policy deny, the default."""
    async with opened() as house:
        yield house


@pytest.fixture
async def permissive() -> AsyncIterator[House]:
    """Base policy permit."""
    async with opened(base_policy="permit") as house:
        yield house
