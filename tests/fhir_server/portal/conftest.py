"""The portal, open for one test."""

from collections.abc import AsyncIterator

import pytest

from tests.fhir_server.portal.wijk import WijkSite, wijk_site


@pytest.fixture
async def wijk() -> AsyncIterator[WijkSite]:
    async with wijk_site() as site:
        yield site
