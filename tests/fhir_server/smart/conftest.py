"""An open authorization server for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.fhir_server.smart.house import SmartHouse, smart_house


@pytest.fixture
async def smart() -> AsyncIterator[SmartHouse]:
    async with smart_house() as smart:
        yield smart
