"""Random worlds: up to three dossiers in a neighbourhood, what their Consents say, and somebody who asks.

Ids are always the same, so that the questions of `questions` meet something; which of them are there, how often they
changed, their labels, authors and dates, and what the Consents say about them differ from world to world.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from fhir_server.gateway.tokens import Terms
from tests.adversary import dossiers
from tests.adversary.consents import app_consent, random_consent
from tests.adversary.dossiers import STEPS, A, B, mark, observation, ref, resource
from tests.adversary.surface import AppTerms, Change
from tests.consent.wijk import GP_PRACTICE, GP_ROLE, THO

Json = dict[str, Any]
C: Final = "resident-c"
CLIENT: Final = "app"
ENDED: Final = {"start": "2019-01-01", "end": "2020-01-01"}
_EVERYTHING: Final = "user/*.cruds"


def _type(code: str) -> Json:
    return {"coding": [{"system": GP_PRACTICE.system, "code": code}]}


def _role(code: str) -> Json:
    return {"coding": [{"system": GP_ROLE.system, "code": code}]}


def _kin(code: str) -> list[Json]:
    return [{"coding": [{"system": THO + "v3-RoleCode", "code": code}]}]


PLACES_OF_WORK: Final[list[Json]] = [
    resource("Organization", "practice", name="Practice", type=[_type(GP_PRACTICE.code)], partOf=ref("Organization/mother")),
    resource("Organization", "ward", name="Ward", type=[_type("V4")], partOf=ref("Organization/practice")),
    resource("Practitioner", "nurse", name=[{"family": "Nurse"}]),
    resource("Practitioner", "stranger", name=[{"family": "Stranger"}]),
    resource("PractitionerRole", "gp", practitioner=ref("Practitioner/doctor"), organization=ref("Organization/practice"), code=[_role(GP_ROLE.code)]),
    resource("PractitionerRole", "was-gp", practitioner=ref("Practitioner/stranger"), organization=ref("Organization/practice"), code=[_role(GP_ROLE.code)], period=ENDED),
    resource("PractitionerRole", "nurse-here", practitioner=ref("Practitioner/nurse"), organization=ref("Organization/ward"), code=[_role("30.000")]),
]  # fmt: skip
# About nobody, and so read by nobody; but who is in them counts.
AROUND: Final[list[Json]] = [
    resource("Group", "n-club", type="practitioner", actual=True, name=mark("n-club"), member=[{"entity": ref("Practitioner/nurse")}, {"entity": ref("PractitionerRole/gp"), "period": ENDED}]),
    {**resource("Device", "n-app", distinctIdentifier=mark("n-app")), "identifier": [{"system": "http://test/id", "value": CLIENT}]},
]  # fmt: skip


def _people(patient: str) -> list[Json]:
    """Who stands around a patient, and what makes it so."""
    letter, mine = patient[-1], ref(f"Patient/{patient}")
    return [
        resource("RelatedPerson", f"{letter}-daughter", patient=mine, relationship=_kin("GUARD"), name=[{"text": mark(f"{letter}-daughter")}]),
        resource("RelatedPerson", f"{letter}-son", patient=mine, relationship=_kin("GUARD"), period=ENDED, name=[{"text": mark(f"{letter}-son")}]),
        resource("RelatedPerson", f"{letter}-neighbour", patient=mine, relationship=_kin("NBOR"), name=[{"text": mark(f"{letter}-neighbour")}]),
        {name: value for name, value in resource("VerificationResult", f"n-{letter}-verified", target=[ref(f"RelatedPerson/{letter}-daughter"), ref(f"RelatedPerson/{letter}-son"), ref(f"RelatedPerson/{letter}-neighbour")], status="validated").items() if name != "identifier"},
        resource("Encounter", f"{letter}-stay", status="in-progress", **{"class": {"system": "http://test/class", "code": "IMP"}}, subject=mine, participant=[{"individual": ref("Practitioner/nurse")}], serviceProvider=ref("Organization/ward"), period={"start": "2026-11-01"}),
        resource("EpisodeOfCare", f"{letter}-episode", status="active", patient=mine, team=[ref("CareTeam/a-team")], careManager=ref("Practitioner/doctor")),
        observation(f"{letter}-inside", patient, "weight", encounter=ref(f"Encounter/{letter}-stay"), performer=[ref("Practitioner/nurse")]),
        resource("MedicationRequest", f"{letter}-pills", status="active", intent="order", subject=mine, medicationReference=ref("#pill"), requester=ref("Practitioner/doctor"), authoredOn="2026-02-01", contained=[{"resourceType": "Medication", "id": "pill", "code": {"coding": [{"system": "http://test/codes", "code": "turn"}]}}]),
    ]  # fmt: skip


_THIRD: Final[list[Json]] = [
    resource("Patient", C, name=[{"family": mark(C)}], birthDate="1950-01-01", generalPractitioner=[ref("PractitionerRole/gp")]),
    observation("c-weight", C, hasMember=[ref("Observation/a-weight")]),
    observation("c-note", C, "note"),
]  # fmt: skip
_SHARED: Final[list[Json]] = [
    observation("bc-both", B, "both", performer=[ref(f"Patient/{C}")]),
    resource("Appointment", "abc-walk", status="booked", description=mark("abc-walk"), start="2026-02-01T10:00:00Z", end="2026-02-01T11:00:00Z", participant=[{"actor": ref(f"Patient/{one}"), "status": "accepted"} for one in (A, B, C)]),
]  # fmt: skip

_LEFT_OUT: Final = (
    "a-moved",
    "b-moved",
    "a-consent",
    "b-consent",
)  # who moves tells both logs; Consents come at random
_OWNERS: Final[Mapping[str, tuple[str, ...]]] = {
    A: (A,), B: (B,), C: (C,), "b-both": (A, B), "b-both-provenance": (A, B), "bc-both": (B, C), "abc-walk": (A, B, C),
}  # fmt: skip


def _bodies() -> Iterator[Json]:
    for step in STEPS:
        if not step.change.deleted and step.change.resource["id"] not in _LEFT_OUT:
            yield dict(step.change.resource)
    yield from (*PLACES_OF_WORK, *AROUND, *_people(A), *_people(B), *_THIRD, *_SHARED)


UNIVERSE: Final[Mapping[tuple[str, str], Json]] = {(one["resourceType"], one["id"]): one for one in _bodies()}
"""The newest form of everything that a world may hold, Consents apart."""
CONSENT_IDS: Final = tuple(f"{letter}-consent-{number}" for letter in "abc" for number in range(4))
PLACES: Final = tuple(dict.fromkeys([*dossiers.PLACES, *UNIVERSE, *(("Consent", id) for id in CONSENT_IDS)]))
TYPES: Final = tuple(sorted({type for type, _ in PLACES} | {"AuditEvent", "Communication"}))
DIRECTORY: Final = frozenset(
    kind for kind, id in UNIVERSE if id[:2] not in ("a-", "b-", "c-", "n-") and kind not in ("Patient",)
) - {"Observation", "Appointment", "Provenance"}
LABELS: Final = ("R", "V", "L", "MH", "wijk", "?")


def owners(id: str) -> tuple[str, ...]:
    """Whom a resource of a world is about."""
    if id in _OWNERS:
        return _OWNERS[id]
    return {"a-": (A,), "b-": (B,), "c-": (C,)}.get(id[:2], ())


@dataclass(frozen=True, slots=True)
class World:
    """What befell a store, in batches that are each written at once; who asks, None if they have no token."""

    batches: tuple[tuple[Change, ...], ...]
    terms: Terms | None
    base_policy: str

    def newest(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The last content of everything, also of what was deleted."""
        changes = (change for batch in self.batches for change in batch if not change.deleted)
        return {change.place: change.resource for change in changes}

    def current(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What is there now."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for change in (change for batch in self.batches for change in batch):
            if change.deleted:
                found.pop(change.place, None)
            else:
                found[change.place] = change.resource
        return found


def label(name: str) -> Json:
    if name == "?":
        return {"display": "a label in words"}
    if name == "wijk":
        return {"system": "urn:wijk:labels", "code": name}
    return {"system": THO + ("v3-Confidentiality" if len(name) == 1 else "v3-ActCode"), "code": name}


_AUTHORS: Final = {"Observation": "performer", "Condition": "asserter", "MedicationRequest": "requester", "QuestionnaireResponse": "author"}  # fmt: skip
_AUTHOR: Final = (
    "Practitioner/doctor",
    "PractitionerRole/gp",
    "Practitioner/nurse",
    "Practitioner/stranger",
    "Organization/ward",
    "",
)


def _varied(random: Random, original: Json) -> Json:
    """Another form of a resource about a patient: labels, author, date, what is contained."""
    made = deepcopy(original)
    kind = made["resourceType"]
    labels = random.sample(LABELS, random.choice([0, 0, 0, 1, 1, 2]))
    if labels:
        made["meta"]["security"] = [label(one) for one in labels]
    element = _AUTHORS.get(kind)
    if element and not made["id"].endswith("-both"):
        author = random.choice(_AUTHOR)
        made.pop(element, None)
        if author:
            made[element] = [ref(author)] if element == "performer" else ref(author)
        if kind in ("QuestionnaireResponse", "Condition") and author.startswith("Organization/"):
            del made[element]
    if kind == "Observation":
        date = random.choice(["2025-06-01", "2026-02", "2026-03-04", "2026", ""])
        made.pop("effectiveDateTime", None)
        if date:
            made["effectiveDateTime"] = date
        if random.randrange(5) == 0:
            made["contained"] = [{"resourceType": "Condition", "id": "in", "subject": made["subject"], "code": {"coding": [{"system": "http://test/codes", "code": random.choice(["weight", "illness", "turn"])}]}}]  # fmt: skip
            made["focus"] = [ref("#in")]
    return made


def possible(changes: Sequence[Change]) -> list[Change]:
    """The changes without the Provenances of what is not there: whom those are about nobody can tell."""
    there = {"/".join(change.place) for change in changes}
    return [one for one in changes if all(target["reference"] in there for target in one.resource.get("target", ()))]


def random_world(seed: int, kinds: tuple[str, ...] | None = None) -> World:
    """The world that comes of a seed; `kinds` are the REQUESTERS that may ask."""
    random = Random(seed)
    patients = random.choice([(A,), (A, B), (A, B), (A, B), (A, B, C)])
    first: list[Change] = []
    later: list[list[Change]] = [[], []]
    for (kind, id), original in UNIVERSE.items():
        about = owners(id)
        if not about:
            # Of what is about nobody, the directory is always there.
            if id[:2] != "n-" or random.randrange(3):
                first.append(Change(original))
            continue
        if kind == "Patient" and set(about) <= set(patients):
            first.append(Change(original if random.randrange(3) else _without(original, "generalPractitioner")))
        elif set(about) <= set(patients) and random.randrange(4):
            first.append(Change(_varied(random, original)))
            for turn in later:
                if random.randrange(4) == 0 and kind not in ("Provenance", "Binary", "Bundle"):
                    if turn is later[-1] and random.randrange(3) == 0:
                        turn.append(Change(original, deleted=True))
                    else:
                        turn.append(Change(_varied(random, original)))
    first = possible(first)
    base = random.choice(["deny", "deny", "deny", "permit"])
    there = sorted(f"{change.resource['resourceType']}/{change.resource['id']}" for change in first)
    consents = [
        Change(random_consent(random, f"{patient[-1]}-consent-{number}", patient, [one for one in there if owners(one.partition("/")[2]) == (patient,) or one == "Group/n-club"]))
        for patient in patients
        for number in range(random.choice([0, 1, 1, 2, 2, 3]))
    ]  # fmt: skip
    ended = [
        Change({**change.resource, "status": random.choice(["inactive", "active"])})
        for change in consents
        if random.randrange(6) == 0
    ]
    terms = REQUESTERS[random.choice(kinds or tuple(REQUESTERS))]
    if isinstance(terms, AppTerms):
        consents.append(Change(app_consent(random, terms.consent, A, terms.app)))
    batches = (tuple(first), *map(tuple, later), tuple(consents), tuple(ended))
    return World(batches, terms, base)


def _without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def _terms(user: str, scope: str = _EVERYTHING, patient: str = "", purpose: str = "", reason: str = "") -> Terms:
    return Terms(user=user, client=CLIENT, scope=scope, patient=patient, purpose=purpose, reason=reason)


# Without AuditEvent and Provenance: what the server makes of the log tells the operator of everything.
_OPERATOR: Final = " ".join(f"system/{kind}.cruds" for kind in ("Observation", "Patient", "Organization", "Consent", "Task"))  # fmt: skip
REQUESTERS: Final[Mapping[str, Terms | None]] = {
    "the patient": _terms(f"Patient/{A}", "patient/*.cruds"),
    "the proxy": _terms("RelatedPerson/a-daughter"),
    "somebody who was the proxy": _terms("RelatedPerson/a-son"),
    "the neighbour": _terms("RelatedPerson/a-neighbour"),
    "an app of the patient": AppTerms(f"Patient/{A}", CLIENT, "patient/*.cruds", A, app="Device/n-app", consent="a-consent-3"),
    "an app of the proxy": AppTerms("RelatedPerson/a-daughter", CLIENT, _EVERYTHING, A, "FAMRQT", app="Device/n-app", consent="a-consent-3"),
    "the GP": _terms("Practitioner/doctor", purpose="TREAT"),
    "the GP by role": _terms("PractitionerRole/gp", purpose="TREAT"),
    "the GP for research": _terms("Practitioner/doctor", purpose="HRESCH"),
    "the GP launched on a patient": _terms("Practitioner/doctor", "patient/*.cruds", patient=A, purpose="TREAT"),
    "the GP in an emergency": _terms("Practitioner/doctor", purpose="BTG", reason="unconscious"),
    "the GP with few scopes": _terms("Practitioner/doctor", "user/Observation.rs user/Patient.rs user/Organization.rs user/Encounter.r", purpose="TREAT"),
    "the nurse": _terms("Practitioner/nurse", purpose="COC"),
    "the nurse to no end": _terms("Practitioner/nurse"),
    "a stranger": _terms("Practitioner/stranger", purpose="TREAT"),
    "an organization": _terms("Organization/ward", "user/*.rs", purpose="TREAT"),
    "nobody": None,
    "the operator": _terms("system", _OPERATOR),
}  # fmt: skip
