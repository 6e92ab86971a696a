"""The stock fhirclient of npm in a browser: launch, the question answered, read, refresh, stopped in the portal, refused.

Nothing of the app is ours but two pages that call the library. The package `fhirclient` of npm.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.clients import node, pages
from tests.clients.people import PASSWORD, register, stop_words
from tests.live import Live

NAME = "Gewichtsboekje"
SCOPE = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs"


@pytest.fixture
def app() -> Iterator[str]:
    """The origin that the app is served on."""
    node.require("fhirclient")
    with pages.served() as origin:
        yield origin


def test_line_11_a_resident_lets_the_stock_app_in_and_stops_it(town: Live, app: str) -> None:
    chromium = node.require_browser()
    registered = register(
        town.data,
        name=NAME,
        kind="public",
        scope=SCOPE,
        redirect_uris=(f"{app}/index.html",),
        explanation="Een grafiek",
    )
    launch = urlencode({"iss": town.url, "client_id": registered.client.id, "scope": SCOPE})
    found: dict[str, Any] = node.run(
        "smart_app.mjs",
        120,
        chromium=chromium,
        site=town.url.removesuffix("/fhir"),
        launch=f"{app}/launch.html?{launch}",
        redirect=f"{app}/index.html",
        stop=stop_words(NAME),
        username="annie",
        password=PASSWORD,
    )
    assert found["question"] == f"Mag {NAME} in het dossier?"
    assert found["ticked"] > 0
    assert found["duration"] == "once", "nothing longer than once is chosen beforehand"
    assert found["start"].startswith("start: "), found["start"]
    assert set(SCOPE.split()) >= set(found["start"].removeprefix("start: ").split())
    assert "Huijnen" in found["patient"]
    assert found["read"] == found["again"]
    assert int(found["read"].removeprefix("read: ")) > 0
    assert found["refresh"] == "refresh: another"
    # The next read after it was stopped, with a token that had most of an hour left.
    assert found["after"].startswith("read failed: 401"), found["after"]
    assert found["refreshAfter"].startswith("refresh failed"), found["refreshAfter"]
    assert found["refused"] == [], "what the browser did not do, by our Content-Security-Policy"
    assert sorted(found["origins"]) == sorted([app, town.url.removesuffix("/fhir")]), "nothing comes from elsewhere"


def test_line_6_a_professional_starts_the_stock_app_with_a_patient_in_view(town: Live, app: str) -> None:
    """EHR launch: the portal gives the app a handle, the app gives it back, and nobody is asked whom it is about."""
    chromium = node.require_browser()
    scope = "launch openid fhirUser user/Patient.rs user/Observation.rs"
    query = urlencode({"client_id": "spreekkamer", "scope": scope})
    register(
        town.data,
        id="spreekkamer",
        name="Spreekkamer",
        kind="public",
        scope=scope,
        redirect_uris=(f"{app}/index.html",),
        launch_uri=f"{app}/launch.html?{query}",
    )
    found: dict[str, Any] = node.run(
        "smart_launch.mjs",
        120,
        chromium=chromium,
        site=town.url.removesuffix("/fhir"),
        redirect=f"{app}/index.html",
        app="Spreekkamer",
        patient="Huijnen",
        username="vermeulen",
        password=PASSWORD,
    )
    assert found["start"] == f"start: {scope}"
    assert "Huijnen" in found["patient"]
    assert int(found["read"].removeprefix("read: ")) > 0
    assert found["context"]["patient"] == "bewoner-01"
    assert found["context"]["need_patient_banner"] is True
    assert found["style"]["color_background"].startswith("#")
    assert found["user"] == "PractitionerRole/huisarts-vermeulen"
    assert found["refused"] == []
