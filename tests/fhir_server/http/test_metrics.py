"""What Prometheus gets: interactions and statuses, nothing about anybody.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import re

import httpx
import pytest

from fhir_server.http.metrics import Metrics
from tests.fhir_server.inprocess import House, patient

pytestmark = pytest.mark.anyio


async def test_requests_are_counted_by_interaction_and_status(
    client: httpx.AsyncClient, metrics: Metrics, house: House
) -> None:
    await house.given(patient("p"))
    for path in ("/Patient/p", "/Patient/p", "/Patient/nobody", "/Patient?family=x", "/Patient/p/$everything"):
        await client.get(path)
    await client.get("/nothing/like/this/here")
    text = metrics.exposition()[0].decode()
    assert 'wijkdossier_requests_total{interaction="read",status="200"} 2.0' in text
    assert 'wijkdossier_requests_total{interaction="read",status="404"} 1.0' in text
    assert 'wijkdossier_requests_total{interaction="search-type",status="200"} 1.0' in text
    assert 'wijkdossier_requests_total{interaction="operation",status="200"} 1.0' in text
    assert 'wijkdossier_requests_total{interaction="unknown",status="404"} 1.0' in text
    assert 'wijkdossier_request_seconds_count{interaction="read"} 3.0' in text


async def test_no_label_holds_anything_that_was_asked(
    client: httpx.AsyncClient, metrics: Metrics, house: House
) -> None:
    await house.given(patient("jansen-1942"))
    paths = (
        "/Patient/jansen-1942",
        "/Patient?family=Jansen&birthdate=1942-03-14",
        "/Jansen/jansen-1942",
        "/Patient/jansen-1942/$jansen",
        "/jansen/1942/jansen/1942/jansen",
    )
    for path in paths:
        await client.get(path)
    await client.request("JANSEN", "/Patient/jansen-1942")
    await client.get("/Patient", headers={"Authorization": "Bearer jansen"})
    text = metrics.exposition()[0].decode().lower()
    assert "jansen" not in text
    assert "1942" not in text
    assert set(re.findall(r'(\w+)="', text)) == {"interaction", "status", "le"}
