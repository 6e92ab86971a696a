"""fhir-kit-client as it comes from npm, in Node: the client that many SMART apps are written with.

The package `fhir-kit-client` of npm.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.clients import node
from tests.clients.people import let_in, register, stop
from tests.live import Live

SCOPE = "launch/patient openid fhirUser patient/Patient.rs patient/Observation.rs"
REDIRECT = "http://localhost:8003/after"


@pytest.fixture(autouse=True)
def packages() -> Path:
    node.require("fhir-kit-client")
    return node.PACKAGES


def test_an_app_finds_where_to_ask_and_reads_until_it_is_stopped(town: Live) -> None:
    site = town.url.removesuffix("/fhir")
    registered = register(town.data, name="Stappenteller", kind="public", scope=SCOPE, redirect_uris=(REDIRECT,))
    told = {"base": town.url, "client": registered.client.id, "redirect": REDIRECT, "scope": SCOPE}
    asked = node.run("fhir_kit_smart.mjs", **told)
    back = parse_qs(urlsplit(let_in(site, asked["url"], "annie")).query)
    assert back["state"] == [asked["state"]]
    assert back["iss"] == [site]
    given = node.run("fhir_kit_smart.mjs", code=back["code"][0], verifier=asked["verifier"], **told)
    assert given["patient"] == "bewoner-01"
    assert given["birthDate"] == "1942-03-14"
    assert given["observations"] > 0
    assert given["neighbour"] == 404
    stop(site, "annie", "Stappenteller")
    assert node.run("fhir_kit_smart.mjs", token=given["token"], **told) == {"read": 401}


def test_an_app_of_a_resident_does_its_work(server: Live, resident: str) -> None:
    found = node.run("fhir_kit_client.mjs", base=server.url, token=resident.removeprefix("Bearer "))
    assert found["fhirVersion"] == "4.0.1"
    assert found["services"] == found["different"] > 70
    assert found["posted"] == ["include", "match"]
    assert found["versions"] == ["1", "2", "3"]
    assert found["statuses"] == ["preliminary", "amended"]
    assert found["history"] == 3
    assert found["deleted"] == 410
    assert found["neighbour"] == 404
    assert [status[:3] for status in found["batch"]] == ["200", "404"]
    assert found["everything"] == ["CarePlan"]
    assert found["compartment"] is True
