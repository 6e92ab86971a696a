"""A small wijk to test the consent rules in: its directory, its words, and short ways to write Consents and requests."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from consent import vocabulary
from consent.bind import bind
from consent.compile import Combiner, Policy, Rules, compile_consent, compile_policy
from consent.decide import decide
from consent.model import (
    AccessRequest,
    Action,
    Actor,
    Category,
    Closure,
    Decision,
    Effect,
    Emergency,
    Party,
    ResourceFacts,
)
from consent.parse import parse
from consent.predicate import evaluate, for_type
from consent.residual import residual
from profiles.registry import load

Json = dict[str, Any]

THO = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
ZONE = ZoneInfo("Europe/Amsterdam")
DIRECTORY = frozenset(
    {"HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole", "Medication"}
)
GP_ROLE = Category("PractitionerRole", "http://fhir.nl/fhir/NamingSystem/uzi-rolcode", "01.015")
GP_PRACTICE = Category("Organization", "http://nictiz.nl/fhir/NamingSystem/organization-type", "Z3")


def at(text: str) -> int:
    """Microseconds of an ISO date and time; without an offset it is in Amsterdam."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
    return round(moment.timestamp() * 1_000_000)


NOW = at("2026-11-22T10:00:00")


@cache
def words() -> vocabulary.Vocabulary:
    registry = load()
    return vocabulary.build(registry.codesystem, registry.resource_types)


def rules(base: Effect = Effect.DENY, combiner: Combiner = Combiner.NL_GF) -> Rules:
    return Rules(vocabulary=words(), directory=DIRECTORY, base=base, combiner=combiner)


class Wijk:
    """Practice o1 is part of care group o2; role r1 is p1's at o1, r2 is p2's at o2. Resources refer as `refers` says."""

    _WITHIN: Mapping[str, set[str]] = {
        "Organization/o1": {"Organization/o1", "PractitionerRole/r1", "Practitioner/p1"},
        "Organization/o2": {
            "Organization/o2",
            "PractitionerRole/r2",
            "Practitioner/p2",
            "Organization/o1",
            "PractitionerRole/r1",
            "Practitioner/p1",
        },
    }

    def __init__(self, refers: Mapping[str, frozenset[str]] | None = None) -> None:
        self._refers = refers or {}

    def within(self, actor: Actor) -> frozenset[str] | None:
        if isinstance(actor, Category):
            return frozenset({"PractitionerRole/r1", "Practitioner/p1"}) if actor == GP_ROLE else None
        return frozenset(self._WITHIN.get(actor.reference, {actor.reference}))

    def references(self, reference: str) -> frozenset[str] | None:
        return None if reference.endswith("/never") else self._refers.get(reference, frozenset())


WIJK = Wijk()

# --- Who asks ----------------------------------------------------------------------------------------------------

GP = Closure(
    individuals=frozenset({"PractitionerRole/r1", "Practitioner/p1"}),
    teams=frozenset({"CareTeam/t1"}),
    organisations=frozenset({"Organization/o1", "Organization/o2"}),
    categories=frozenset({GP_ROLE, GP_PRACTICE}),
    professional=True,
)
COLLEAGUE = Closure(
    individuals=frozenset({"PractitionerRole/r2", "Practitioner/p2"}),
    organisations=frozenset({"Organization/o2"}),
    professional=True,
)
NEIGHBOUR = Closure(individuals=frozenset({"RelatedPerson/x1"}))
PATIENT = Closure(individuals=frozenset({"Patient/1"}))


def request(
    closure: Closure = GP,
    purpose: str = "TREAT",
    action: Action = Action.ACCESS,
    instant: int = NOW,
    treats: bool = True,
    represents: bool = False,
    emergency: Emergency | None = None,
) -> AccessRequest:
    one = frozenset({"1"})
    return AccessRequest(
        closure=closure,
        purpose=purpose,
        action=action,
        instant=instant,
        represents=one if represents else frozenset(),
        treats=one if treats else frozenset(),
        emergency=emergency,
    )


def observation(**other: Any) -> ResourceFacts:
    """An Observation about patient 1 of 5 November 2026, by somebody else, with LOINC 85354-9, unlabelled."""
    given: dict[str, Any] = {
        "type": "Observation",
        "id": "a",
        "patients": ("1",),
        "codes": frozenset({(LOINC, "85354-9")}),
        "interval": (at("2026-11-05T00:00:00"), at("2026-11-06T00:00:00")),
        "authors": frozenset({"Practitioner/p9"}),
        "authors_unclear": False,
        "custodians": frozenset({"Organization/o9"}),
        "custodians_unclear": False,
        "references": frozenset({"Patient/1"}),
    }
    return ResourceFacts(**(given | other))


# --- What a Consent says -----------------------------------------------------------------------------------------


def coding(system: str, code: str) -> Json:
    return {"system": system if ":" in system else THO + system, "code": code}


def concept(system: str, code: str) -> Json:
    return {"coding": [coding(system, code)]}


def actor(who: str | Category, role: str = "PRCP") -> Json:
    """Somebody by reference, or a category, in a v3 role."""
    reference = (
        {"reference": who}
        if isinstance(who, str)
        else {"type": who.type, "identifier": {"system": who.system, "value": who.code}}
    )
    return {"role": concept("v3-ParticipationType", role), "reference": reference}


def confidentiality(code: str) -> Json:
    return coding("v3-Confidentiality", code)


def sensitivity(code: str) -> Json:
    return coding("v3-ActCode", code)


def data(meaning: str, reference: str) -> Json:
    return {"meaning": meaning, "reference": {"reference": reference}}


def resource_type(name: str) -> Json:
    return coding("http://hl7.org/fhir/resource-types", name)


def provision(kind: str = "", *children: Json, **elements: Any) -> Json:
    """`purpose` and `action` are lists of codes, `class_` is class; the other elements as they are in R4."""
    result: Json = {"type": kind} if kind else {}
    if "purpose" in elements:
        result["purpose"] = [coding("v3-ActReason", code) for code in elements.pop("purpose")]
    if "action" in elements:
        result["action"] = [concept("consentaction", code) for code in elements.pop("action")]
    if "class_" in elements:
        result["class"] = elements.pop("class_")
    result |= elements
    if children:
        result["provision"] = list(children)
    return result


def permit(*children: Json, **elements: Any) -> Json:
    return provision("permit", *children, **elements)


def deny(*children: Json, **elements: Any) -> Json:
    return provision("deny", *children, **elements)


def consent(
    root: Json | None = None, *, id: str = "c1", policy: str = "", scope: str = "patient-privacy", **other: Any
) -> Json:
    result: Json = {
        "resourceType": "Consent",
        "id": id,
        "meta": {"versionId": "1"},
        "status": "active",
        "scope": concept("consentscope", scope),
        "category": [concept("http://loinc.org", "59284-0")],
        "patient": {"reference": "Patient/1"},
        "performer": [{"reference": "Patient/1"}],
    }
    if policy:
        result["policyRule"] = concept("v3-ActCode", policy)
    if root is not None:
        result["provision"] = root
    return result | other


# --- Asking ------------------------------------------------------------------------------------------------------


def policy_of(
    *consents: Json, chosen: Rules | None = None, world: Wijk = WIJK, proxies: frozenset[str] = frozenset()
) -> Policy:
    chosen = chosen or rules()
    compiled = [compile_consent(parse(each, chosen.vocabulary, ZONE), world, chosen) for each in consents]
    return compile_policy("1", compiled, proxies)


def decision(
    *consents: Json,
    asked: AccessRequest | None = None,
    facts: ResourceFacts | None = None,
    chosen: Rules | None = None,
    world: Wijk = WIJK,
    proxies: frozenset[str] = frozenset(),
) -> Decision:
    """What is decided for the GP (or `asked`) about the observation (or `facts`) under these Consents of patient 1.

    A rule holds for whoever decides, so the quick decision and the residual predicate have to say the same.
    """
    chosen, asked, facts = chosen or rules(), asked or request(), facts or observation()
    policy = policy_of(*consents, chosen=chosen, world=world, proxies=proxies)
    found = decide(asked, facts, {"1": policy}, chosen)
    if facts.patients == ("1",):
        bound = bind(policy, asked, chosen)
        left = residual(bound)
        assert bound.decide(facts).effect is found.effect
        assert evaluate(left, facts) is found.permitted
        assert evaluate(for_type(left, facts.type), facts) is found.permitted
    return found


def allowed(*consents: Json, **how: Any) -> bool:
    return decision(*consents, **how).permitted


def party(reference: str) -> Party:
    return Party(reference)
