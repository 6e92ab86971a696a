"""Leaks that the random worlds found, each as small as it could be made; a second server never had what is denied."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fhir_server.gateway.tokens import Terms
from tests.adversary.comparing import Pair, Template
from tests.adversary.dossiers import PRIVACY, A, observation, ref, resource
from tests.adversary.surface import Ask, Change
from tests.consent.wijk import actor, confidentiality, data, permit

GP = Terms(user="Practitioner/doctor", client="app", scope="user/*.cruds", purpose="TREAT")
HIDDEN = "Observation/a-note"


def consent(id: str, status: str, **provision: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "id": id,
        "status": status,
        "scope": PRIVACY,
        "category": [{"text": "c"}],
        "patient": ref(f"Patient/{A}"),
        "policy": [{"uri": "http://test/policy"}],
        "provision": permit(**provision),
    }


def labelled(made: dict[str, Any], code: str) -> Change:
    return Change({**made, "meta": {**made["meta"], "security": [confidentiality(code)]}})


def provenance(*targets: str) -> dict[str, Any]:
    agent = [{"who": ref("Practitioner/doctor")}]
    return {"resourceType": "Provenance", "target": [ref(one) for one in targets], "recorded": "2026-01-01T00:00:00Z", "agent": agent}  # fmt: skip


OPEN = [
    Change(resource("Practitioner", "doctor")),
    Change(resource("Patient", A, generalPractitioner=[ref("Practitioner/doctor")])),
    Change(observation("a-weight", A)),
    # All that is not restricted is open to the GP, to read and to add to.
    Change(consent("open", "active", actor=[actor("Practitioner/doctor")], securityLabel=[confidentiality("N")])),
]
DENIED = [labelled(observation("a-note", A), "R")]


def differs(folder: Path, ask: Ask, base_policy: str = "deny", first: list[Change] | None = None) -> str | None:
    denied = DENIED if first is None else first
    pair = Pair([denied, OPEN], [[], OPEN], GP, base_policy, ["mrk-a-note"])
    return Template(folder, pair).difference([ask])


@pytest.mark.parametrize(
    "body",
    [
        provenance(HIDDEN),
        provenance("Observation/a-weight", HIDDEN),
        {"resourceType": "Binary", "contentType": "text/plain", "securityContext": ref(HIDDEN), "data": "eA=="},
        {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1", "resource": provenance(HIDDEN)}]},
    ],
    ids=["Provenance", "Provenance of two", "Binary", "Bundle"],
)  # fmt: skip
def test_nobody_borrows_the_patient_of_what_is_hidden(body: dict[str, Any], tmp_path: Path) -> None:
    assert differs(tmp_path, Ask("POST", f"/{body['resourceType']}", body)) is None


@pytest.mark.parametrize(("method", "target"), [("POST", "/Consent"), ("PUT", "/Consent/new"), ("POST", "/Consent/$validate")])  # fmt: skip
@pytest.mark.parametrize("status", ["proposed", "active"])
def test_a_consent_tells_a_professional_not_what_is_there(
    method: str, target: str, status: str, tmp_path: Path
) -> None:
    body = consent("new", status, data=[data("related", HIDDEN)])
    assert differs(tmp_path, Ask(method, target, body)) is None


def test_types_come_in_an_order_that_tells_nothing(tmp_path: Path) -> None:
    """Flag was here first, in what is hidden; then a Basic and a Flag that are nobody's, and open to all."""
    code = {"text": "x"}
    flag = resource("Flag", "a-flag", status="active", code=code, subject=ref(f"Patient/{A}"))
    open_to_all = [
        Change(resource("Basic", "n-basic", code=code)),
        Change(resource("Flag", "n-flag", status="active", code=code, subject=ref("Location/hall"))),
    ]
    pair = Pair([[labelled(flag, "R")], [*OPEN, *open_to_all]], [[], [*OPEN, *open_to_all]], GP, "permit")
    ask = Ask("GET", "/?_type=Basic,Flag&_tag=mrk-n-basic,mrk-n-flag")
    assert Template(tmp_path, pair).difference([ask]) is None


def test_the_servers_own_provenance_of_the_directory_is_not_counted(tmp_path: Path) -> None:
    template = Template(tmp_path, Pair([OPEN], [OPEN], GP, "permit"))
    assert asyncio.run(template.compare([Ask("GET", "/Provenance?_total=accurate&_count=50")])) == [("GET", 200)]
