"""How a contract gets its store."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fhir_server.store.protocol import ResourceStore
from tests.fhir_server.store.contracts.material import Clock


class Backend(ABC):
    """Subclasses say how their store is opened; the data lives in `directory` (or is named after it)."""

    @abstractmethod
    async def open(self, directory: Path, clock: Callable[[], int]) -> ResourceStore: ...

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    async def store(self, tmp_path: Path, clock: Clock) -> AsyncIterator[ResourceStore]:
        opened = await self.open(tmp_path / "data", clock)
        yield opened
        await opened.close()

    pytestmark = pytest.mark.anyio
