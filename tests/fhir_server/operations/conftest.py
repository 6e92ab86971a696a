"""Open servers for the tests of operations."""

from collections.abc import AsyncIterator

import pytest

from tests.fhir_server.inprocess import Caller, House, opened


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Base policy permit: what these tests are about is not who may see what."""
    async with opened(base_policy="permit") as house:
        yield house


@pytest.fixture
async def operator(house: House) -> Caller:
    return await house.caller()
