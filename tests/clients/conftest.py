"""The example wijk on a live server, for clients that know nothing of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import bundle_paths
from tests.clients.people import give_accounts
from tests.live import SYSTEM, Live, live, load, token


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Base policy `permit`: what is tried here is clients, not access."""
    data: Path = tmp_path_factory.mktemp("clients") / "data"
    load(data, bundle_paths())
    with live(data, "--base-policy", "permit") as served:
        yield served


@pytest.fixture(scope="package")
def town(server: Live) -> Live:
    """The same server, with people who can log in to it."""
    give_accounts(server.data)
    return server


@pytest.fixture(scope="package")
def bearer(server: Live) -> str:
    """The Authorization header of a system that may do everything."""
    return f"Bearer {token(server.data, 'system', SYSTEM)}"


@pytest.fixture(scope="package")
def resident(server: Live) -> str:
    """The Authorization header of the resident `bewoner-01`."""
    return f"Bearer {token(server.data, 'Patient/bewoner-01', 'patient/*.cruds')}"
