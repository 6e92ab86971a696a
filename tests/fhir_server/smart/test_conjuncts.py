"""An app gets what its scope, the compartment of its patient and the Consents all three allow: each of them can refuse alone.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html, https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from itertools import product
from typing import Any

import pytest

from tests.fhir_server.gateway.test_consent_policy import THO, action, by, consent, of_type
from tests.fhir_server.inprocess import Caller, observation
from tests.fhir_server.smart.house import SmartHouse

pytestmark = pytest.mark.anyio

EVERYTHING = action("access", "collect", "correct")
# What is not judged here is open in every case: the patients themselves, and diagnoses.
BESIDE = ("Patient", "Condition")
CASES = list(product((True, False), repeat=3))


async def app_of(smart: SmartHouse, *, scope: bool, compartment: bool, consents: bool) -> tuple[Caller, str]:
    """An app of the patient `p`, and the id of the measurement that it asks for: of `p`, or else of `q`."""
    await smart.client()
    for patient in ("p", "q"):
        types = (*BESIDE, "Observation") if consents else BESIDE
        provision = {
            "type": "deny",
            "actor": [by("Device/app-app")],
            "purpose": [{"system": THO + "v3-ActReason", "code": "PATRQT"}],
            "provision": [{"type": "permit", "class": of_type(*types), "action": EVERYTHING}],
        }
        performer = [{"reference": f"Patient/{patient}"}]
        mark = observation(f"mark-{patient}", patient, "mark", valueString=f"marked-{patient}")
        await smart.house.given(consent(f"lets-in-{patient}", provision, patient, performer=performer), mark)
    types = (*BESIDE, "Observation") if scope else BESIDE
    granted = " ".join(["launch/patient", *(f"patient/{type}.cruds" for type in types)])
    told = await smart.issued(await smart.grant(scope=granted, consent="lets-in-p", refresh=""))
    return smart.bearer(told["access_token"]), "mark-p" if compartment else "mark-q"


READING = {
    "read": ("GET", "Observation/{id}"),
    "vread": ("GET", "Observation/{id}/_history/1"),
    "history of the instance": ("GET", "Observation/{id}/_history"),
    "history of the type": ("GET", "Observation/_history"),
    "history of the system": ("GET", "_history"),
    "search": ("GET", "Observation?_id={id}"),
    "search by form": ("POST", "Observation/_search?code=mark"),
    "search of the compartment": ("GET", "Patient/{patient}/Observation?code=mark"),
    "search of the system": ("GET", "?_type=Observation,Condition&_id={id}"),
    "reverse include": ("GET", "Patient?_revinclude=Observation:patient"),
    "everything": ("GET", "Patient/{patient}/$everything"),
}


def entry(method: str, url: str, resource: Any = None) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url}}
    return made if resource is None else {**made, "resource": resource}


@pytest.mark.parametrize("scope, compartment, consents", CASES)
async def test_line_8_every_way_to_read_needs_all_three(
    smart: SmartHouse, scope: bool, compartment: bool, consents: bool
) -> None:
    app, id = await app_of(smart, scope=scope, compartment=compartment, consents=consents)
    seen = {}
    for name, (method, url) in READING.items():
        answer = await app(method, url.format(id=id, patient=id[-1]))
        assert answer.status < 500, name
        seen[name] = f"marked-{id[-1]}".encode() in answer.text
    allowed = scope and compartment and consents
    assert seen == dict.fromkeys(READING, allowed)


@pytest.mark.parametrize("scope, compartment, consents", CASES)
async def test_line_8_so_does_every_entry_of_a_bundle_and_every_page(
    smart: SmartHouse, scope: bool, compartment: bool, consents: bool
) -> None:
    app, id = await app_of(smart, scope=scope, compartment=compartment, consents=consents)
    allowed = scope and compartment and consents
    entries = [
        entry("GET", f"Observation/{id}"),
        entry("GET", "Condition/p-diagnosis"),
        entry("GET", f"Observation?_id={id}"),
    ]
    batch = await app.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    first, beside, search = batch.json["entry"]
    mark = f"marked-{id[-1]}"
    assert (mark in str(first), mark in str(search)) == (allowed, allowed)
    assert beside["response"]["status"].startswith("200"), "what is asked beside it is answered"
    pages, url = [], "?_type=Observation,Condition&_count=1" if scope else "Condition?_count=1"
    while url:
        answer = await app.get(url)
        assert answer.status == 200
        pages.append(mark.encode() in answer.text)
        url = answer.link("next") or ""
    assert any(pages) == allowed
    assert len(pages) > 1 or not allowed


@pytest.mark.parametrize("scope, compartment, consents", CASES)
async def test_line_8_and_so_does_every_write(
    smart: SmartHouse, scope: bool, compartment: bool, consents: bool
) -> None:
    app, id = await app_of(smart, scope=scope, compartment=compartment, consents=consents)
    allowed = scope and compartment and consents
    changed = observation(id, id[-1], "mark", valueString="changed")
    new = {name: value for name, value in changed.items() if name != "id"}
    statuses = {
        "create": (await app.post("Observation", new)).status,
        "update": (await app.put(f"Observation/{id}", changed)).status,
        "patch": (await app("PATCH", f"Observation/{id}", [{"op": "replace", "path": "/valueString", "value": "y"}],
                            content_type="application/json-patch+json")).status,
        "transaction": (await app.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Observation", new)]})).status,
        "delete": (await app.delete(f"Observation/{id}")).status,
    }  # fmt: skip
    assert {name: status < 300 for name, status in statuses.items()} == dict.fromkeys(statuses, allowed), statuses
    owner = await smart.house.caller(f"Patient/{id[-1]}", "patient/*.cruds")
    stored = (await owner.get(f"Observation/{id}")).status
    assert stored == (410 if allowed else 200)
