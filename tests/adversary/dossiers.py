"""Two dossiers that touch each other wherever they can, and who may see which part of them.

Each step of the history says its audience. Whoever may not see an audience must not be able to tell a server that holds
it from one that never did: such a server is made by leaving those steps out. All text of a resource carries a mark of
its own, `mrk-<id>`, so that it is recognised wherever it turns up.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.gateway.tokens import Terms
from tests.adversary.comparing import Pair
from tests.adversary.surface import Change

A, B = "resident-a", "resident-b"
VITAL = {"category": [{"coding": [{"system": "http://test/category", "code": "vital-signs"}]}]}
PRIVACY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
SOCIAL = {"category": [{"coding": [{"system": "http://test/category", "code": "social"}]}]}


def mark(id: str) -> str:
    return f"mrk-{id}"


def ref(text: str) -> dict[str, Any]:
    return {"reference": text}


def coded(code: str, id: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://test/codes", "code": code, "display": mark(id)}], "text": mark(id)}


def resource(type: str, id: str, /, **elements: Any) -> dict[str, Any]:
    """With a narrative, a tag and, where the type has it, a business identifier that carry the mark."""
    made = {
        "resourceType": type,
        "id": id,
        "meta": {"tag": [{"system": "http://test/tag", "code": mark(id)}]},
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{mark(id)}</div>'},
        **elements,
    }
    if type in ("Binary", "Bundle"):
        del made["text"]
    if type not in ("Binary", "Bundle", "Provenance", "Subscription", "QuestionnaireResponse"):
        made["identifier"] = [{"system": "http://test/id", "value": mark(id)}]
    return made


def observation(id: str, patient: str, code: str = "weight", **more: Any) -> dict[str, Any]:
    return resource(
        "Observation",
        id,
        status="final",
        code=coded(code, id),
        subject=ref(f"Patient/{patient}"),
        effectiveDateTime="2026-03-0" + str(1 + len(id) % 9),
        valueQuantity={"value": 60 + len(id), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        **more,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A change, and to whom it belongs.

    `moved` is B's, but A's log tells that it once stood in A's dossier: not for a requester who reads A's log.
    """

    audience: str
    change: Change


def _dossier(who: str, other: str, own: str, patient: str, consent: str) -> list[Step]:
    """One dossier, all of it referring to the directory and to the other one."""

    def id(name: str) -> str:
        return f"{who[-1]}-{name}"

    def at(name: str) -> str:
        return f"{other[-1]}-{name}"

    subject = {"subject": ref(f"Patient/{who}")}
    mine = ref(f"Patient/{who}")
    plain = [
        resource("Encounter", id("visit"), status="finished", **{"class": {"code": "AMB"}}, **subject,
                 serviceProvider=ref("Organization/shop"), partOf=ref(f"Encounter/{at('visit')}"),
                 participant=[{"individual": ref("Practitioner/doctor")}], location=[{"location": ref("Location/hall")}]),
        observation(id("note"), who, "note", **SOCIAL, performer=[ref("Practitioner/doctor")], encounter=ref(f"Encounter/{at('visit')}"), focus=[ref("Organization/shop")]),
        resource("Condition", id("illness"), code=coded("illness", id("illness")), **subject, asserter=ref("Practitioner/doctor"),
                 encounter=ref(f"Encounter/{id('visit')}"), evidence=[{"detail": [ref(f"Observation/{at('weight')}")]}]),
        resource("Task", id("errand"), status="requested", intent="order", **{"for": mine}, owner=ref("Organization/shop"),
                 focus=ref(f"Observation/{at('weight')}"), description=mark(id("errand"))),
        resource("List", id("list"), status="current", mode="working", title=mark(id("list")), **subject,
                 entry=[{"item": ref("Organization/shop")}, {"item": ref("Observation/a-weight")}, {"item": ref("Observation/b-weight")}]),
        resource("QuestionnaireResponse", id("answers"), status="completed", questionnaire="http://test/form", **subject,
                 item=[{"linkId": "1", "text": mark(id("answers"))}]),
        resource("Appointment", id("appointment"), status="booked", description=mark(id("appointment")), start="2026-01-01T10:00:00Z", end="2026-01-01T11:00:00Z",
                 slot=[ref("Slot/free")], participant=[{"actor": mine, "status": "accepted"}, {"actor": ref("HealthcareService/walk"), "status": "accepted"}]),
        resource("Group", id("group"), type="person", actual=True, name=mark(id("group")), member=[{"entity": mine}], managingEntity=ref("Organization/shop")),
        resource("Device", id("device"), patient=mine, owner=ref("Organization/shop"), distinctIdentifier=mark(id("device"))),
        resource("Schedule", id("schedule"), actor=[mine, ref("HealthcareService/walk")], comment=mark(id("schedule"))),
        resource("Binary", id("binary"), contentType="text/plain", securityContext=mine, data="bXJrLWItYmluYXJ5"),
        resource("Bundle", id("bundle"), type="collection", entry=[{"fullUrl": f"http://x/Observation/{id('in-bundle')}", "resource": observation(id("in-bundle"), who)}]),
        resource("Provenance", id("provenance"), target=[ref(f"Observation/{id('weight')}")], recorded="2026-01-01T00:00:00Z", agent=[{"who": ref("Organization/shop")}]),
        resource("DocumentReference", id("document"), status="current", **subject, content=[{"attachment": {"url": f"Binary/{at('binary')}", "title": mark(id("document"))}}],
                 context={"related": [ref(f"Observation/{at('note')}")]}, custodian=ref("Organization/shop")),
        resource("CareTeam", id("team"), status="active", name=mark(id("team")), **subject, participant=[{"member": ref("Organization/shop")}, {"member": ref("Practitioner/doctor")}]),
        observation(id("gone"), who),
    ]  # fmt: skip
    return [
        Step(patient, Change(resource("Patient", who, name=[{"family": mark(who)}], gender="other"))),
        Step(patient, Change(resource("Patient", who, name=[{"family": mark(who), "given": ["x"]}], birthDate="1950-01-01",
             generalPractitioner=[ref("Practitioner/doctor")], managingOrganization=ref("Organization/shop"), link=[{"other": ref("RelatedPerson/r-" + other), "type": "seealso"}]))),
        Step("a-vital" if who == A else own, Change(observation(id("weight"), who, **VITAL, performer=[ref("Practitioner/doctor"), ref("Organization/shop")],
             hasMember=[ref(f"Observation/{at('weight')}")], derivedFrom=[ref(f"Observation/{at('note')}")]))),
        *(Step(own, Change(one)) for one in plain),
        Step(own, Change(plain[-1], deleted=True)),
        # Its newest version counts for who may see an older one; and an older one stays what it was.
        Step(own, Change(observation(id("vital-then-social"), who, "turn", **VITAL))),
        Step(own, Change(observation(id("vital-then-social"), who, "turn", **SOCIAL))),
        Step(own, Change(observation(id("social-then-vital"), who, "turn", **SOCIAL))),
        Step("a-vital" if who == A else own, Change(observation(id("social-then-vital"), who, "turn", **VITAL))),
        # It is in force and says nothing.
        Step(consent, Change(resource("Consent", id("consent"), status="active", scope=PRIVACY, category=[coded("c", id("consent"))],
             patient=mine, policy=[{"uri": "http://test/policy"}], organization=[ref("Organization/shop")], performer=[mine]))),
    ]  # fmt: skip


DIRECTORY: list[Step] = [
    Step("organization", Change(resource("Organization", "shop", name="shop"))),
    Step("organization", Change(resource("Organization", "shop", name="Shop", partOf=ref("Organization/mother")))),
    Step("organization", Change(resource("Organization", "mother", name="Mother"))),
    Step("public", Change(resource("Location", "hall", name="hall", managingOrganization=ref("Organization/shop"), position={"longitude": 5.9, "latitude": 50.9}))),
    Step("public", Change(resource("HealthcareService", "walk", name="walk", providedBy=ref("Organization/shop"), location=[ref("Location/hall")]))),
    Step("public", Change(resource("HealthcareService", "eat", name="eat", providedBy=ref("Organization/shop")))),
    Step("public", Change(resource("Questionnaire", "form", status="active", url="http://test/form"))),
    Step("directory", Change(resource("Practitioner", "doctor", name=[{"family": "Open"}]))),
    Step("directory", Change(resource("PractitionerRole", "doctor-here", practitioner=ref("Practitioner/doctor"), organization=ref("Organization/shop")))),
    Step("directory", Change(resource("Schedule", "hours", actor=[ref("Practitioner/doctor")]))),
    Step("directory", Change(resource("Slot", "free", schedule=ref("Schedule/hours"), status="free", start="2026-01-01T10:00:00Z", end="2026-01-01T11:00:00Z"))),
]  # fmt: skip

OTHERS: list[Step] = [
    # About both of them: neither may read it alone.
    Step("both", Change(observation("b-both", A, "both", performer=[ref(f"Patient/{B}")]))),
    Step("both", Change(resource("Provenance", "b-both-provenance", target=[ref("Observation/a-weight"), ref("Observation/b-weight")], recorded="2026-01-01T00:00:00Z", agent=[{"who": ref("Organization/shop")}]))),
    # Filed under the wrong person and set right: what was wrong is shown to neither.
    Step("moved", Change(observation("b-moved", A, "moved"))),
    Step("moved", Change(observation("b-moved", B, "moved"))),
    Step("b", Change(observation("a-moved", B, "moved"))),
    Step("a", Change(observation("a-moved", A, "moved"))),
    # About nobody that is known here.
    Step("nobody", Change(observation("n-elsewhere", "x", "weight") | {"subject": ref("http://elsewhere.test/Patient/1")})),
    Step("nobody", Change(observation("n-nobody", "x", "weight") | {"subject": ref("Location/hall")})),
    Step("nobody", Change(resource("Subscription", "n-subscription", status="off", reason=mark("n-subscription"), criteria="Observation?", channel={"type": "rest-hook"}))),
    Step("nobody", Change(resource("Basic", "n-basic", code=coded("basic", "n-basic"), author=ref("Organization/shop")))),
]  # fmt: skip

STEPS: list[Step] = [
    *DIRECTORY,
    *_dossier(A, B, "a", "a-patient", "a-consent"),
    *_dossier(B, A, "b", "b", "b-consent"),
    *OTHERS,
]

_A = {"a", "a-patient", "a-vital", "a-consent"}
_OPEN = {"organization", "public", "directory"}
_WRITES = "cruds"


@dataclass(frozen=True, slots=True)
class Kind:
    """A requester: the terms of the token (None: no token), the base policy, and the audiences that are theirs."""

    sees: Collection[str]
    terms: Terms | None
    base_policy: str = "deny"


def _terms(user: str, scope: str, patient: str = "") -> Terms:
    return Terms(user=user, client="app", scope=scope, patient=patient)


KINDS: Mapping[str, Kind] = {
    "the resident": Kind(_OPEN | _A, _terms(f"Patient/{A}", "patient/*.cruds")),
    "the resident with user scopes": Kind(_OPEN | _A, _terms(f"Patient/{A}", "user/*.cruds")),
    "an app for vital signs": Kind(
        {"organization", "a-patient", "a-vital"},
        _terms(f"Patient/{A}", "patient/Patient.rs patient/Observation.rs?category=vital-signs user/Organization.rs"),
    ),
    "an app that writes vital signs": Kind(
        {"organization", "a-patient", "a-vital"},
        _terms(
            f"Patient/{A}",
            "patient/Patient.rs patient/Observation.cruds?category=vital-signs user/Organization.rs",
        ),
    ),
    "nobody known": Kind({"organization", "public"}, None),
    "a practitioner": Kind(_OPEN, _terms("Practitioner/nurse", "user/*.rs")),
    "a practitioner launched on the resident": Kind(
        _OPEN | _A - {"a-consent"}, _terms("Practitioner/doctor", "patient/*.cruds", A), "permit"
    ),
    "a practitioner where all is open": Kind(
        {step.audience for step in STEPS} - {"a-consent", "b-consent"},
        _terms("Practitioner/doctor", "user/*.cruds"),
        "permit",
    ),
}

# Their version numbers say what happened to them before: ids, versions and times are not compared.
RENUMBERED = ("a-moved", "a-social-then-vital")
PLACES = tuple(dict.fromkeys((step.change.resource["resourceType"], step.change.resource["id"]) for step in STEPS))


def hidden_marks(kind: Kind) -> tuple[str, ...]:
    """The marks of what no step shows to the requester."""
    shown = {step.change.resource["id"] for step in STEPS if step.audience in kind.sees}
    return tuple(mark(id) for _, id in PLACES if id not in shown) + (
        ("bXJrLWItYmluYXJ5",) if "b-binary" not in shown and "a-binary" not in shown else ()
    )


def pair(kind: Kind, steps: Sequence[Step] = STEPS) -> Pair:
    """The two servers for a requester: one that holds all of the steps, one that never had what they may not see."""
    return Pair(
        full=[[step.change] for step in steps],
        bare=[[step.change] if step.audience in kind.sees else [] for step in steps],
        terms=kind.terms,
        base_policy=kind.base_policy,
        marks=hidden_marks(kind),
        renumbered=RENUMBERED,
    )
