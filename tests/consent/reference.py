"""A slow and obvious interpreter of the consent rules, written from their text, to hold the engine against.

It reads the Consents as JSON and shares nothing with `consent` but the values of a question (AccessRequest,
ResourceFacts); what is above or below a code it asks of the code systems itself. Nothing is prepared or laid flat: each
question walks the tree anew.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from consent.model import AccessRequest, Category, Party, ResourceFacts
from profiles.registry import load

Json = dict[str, Any]
NO, UNKNOWN, YES = 0, 1, 2

THO = "http://terminology.hl7.org/CodeSystem/"
ZONE = ZoneInfo("Europe/Amsterdam")
HOUR = 3600 * 10**6
PERMIT, LIFT, DENY = "permit", "lift", "deny"  # to lift is to permit by the emergency button alone


@dataclass
class Case:
    """Everything one decision about one patient depends on."""

    patient: str
    consents: list[Json]
    proxies: set[str]
    request: AccessRequest
    facts: ResourceFacts
    world: Any
    directory: frozenset[str]
    base: str
    combiner: str


@dataclass
class Outcome:
    consent: int
    type: str
    specificity: tuple[int, int, int, int]
    denies_emergency_by_name: bool


@cache
def above(system: str, code: str) -> frozenset[str]:
    """The code and all above it; empty if the system has no such code."""
    found = load().codesystem(THO + system)
    assert found is not None
    return found.ancestors(code) if code in found.codes else frozenset()


def answer(cases: list[Case]) -> str:
    """A resource about several patients needs a permit from every one of them."""
    each = [decide(case) for case in cases]
    return DENY if DENY in each else LIFT if LIFT in each else PERMIT


def decide(case: Case) -> str:
    request, facts = case.request, case.facts
    # The patient, and a verified proxy within its period, always read the patient's own dossier and access log.
    if f"Patient/{case.patient}" in request.closure.individuals or case.patient in request.represents:
        return PERMIT
    # Consent and AuditEvent about a patient: patient and proxy only; so too what the server noted of who wrote what.
    if facts.type in ("Consent", "AuditEvent") or facts.personal:
        return DENY
    outcomes = []
    for number, consent in enumerate(case.consents):
        outcomes += outcomes_of(case, number, consent)
    if case.combiner == "deny-overrides":
        standing = outcomes
    else:
        standing = [one for one in outcomes if not any(beats(other, one) for other in outcomes)]
    if any(one.type == "deny" for one in standing):
        open_ = False
    elif standing:
        open_ = True
    elif request.action.value in ("access", "use", "disclose") and request.closure.individuals & facts.authors:
        open_ = True  # who authored a resource may read it back, unless a deny matches
    else:
        open_ = case.base == "permit"
    if not open_ and emergency(request):
        named = any(one.type == "deny" and one.denies_emergency_by_name for one in standing)
        if facts.confidentiality <= 4 and not facts.labels_unclear and not named:
            return LIFT
    return PERMIT if open_ else DENY


def beats(a: Outcome, b: Outcome) -> bool:
    pairs = list(zip(a.specificity, b.specificity))
    return all(x >= y for x, y in pairs) and any(x > y for x, y in pairs)


def emergency(request: AccessRequest) -> bool:
    e = request.emergency
    if e is None or request.purpose != "BTG" or request.action.value not in ("access", "use", "disclose"):
        return False
    if not (request.closure.professional and e.allowed and e.reason.strip() != ""):
        return False
    return e.opened <= request.instant < e.closes and e.closes - e.opened <= HOUR


# --- Which Consents count ----------------------------------------------------------------------------------------


def outcomes_of(case: Case, number: int, consent: Json) -> list[Outcome]:
    if consent.get("status") != "active":
        return []
    scopes = {c["code"] for c in consent["scope"]["coding"]}
    permits_count = enforceable(consent, case)
    if "patient-privacy" in scopes:
        pass
    elif "research" in scopes:
        covered = purpose_covers("HRESCH", case.request.purpose)
        if covered == NO:
            return []
        if covered == UNKNOWN:
            permits_count = False
    elif scopes & {"treatment", "adr"}:
        return []
    performers = [p.get("reference", "") for p in consent.get("performer", [])]
    verified = any(v["verified"] for v in consent.get("verification", []))
    own = {f"Patient/{case.patient}"} | case.proxies
    if performers and not verified and not own & set(performers):
        permits_count = False
    for performer in performers:
        professional = performer.split("/")[0] in ("Practitioner", "PractitionerRole", "Organization")
        if professional and performer in case.request.closure.individuals | case.request.closure.organisations:
            permits_count = False
    root = consent.get("provision", {})
    policy = consent.get("policyRule", {"coding": [{"code": ""}]})["coding"][0]["code"]
    root_type = root.get("type") or {"OPTIN": "permit", "OPTOUT": "deny", "EMRGONLY": "deny"}.get(policy)
    if root_type not in ("permit", "deny", None):
        root_type = "deny"  # what can't be read is taken for a deny
    children = list(root.get("provision", []))
    if policy == "EMRGONLY" and "type" not in root:
        children.append({"type": "permit", "purpose": [{"system": THO + "v3-ActReason", "code": "ETREAT"}]})
    winners = speak(case, {**root, "provision": children}, {}, root_type, permits_count, number)
    # Where branches disagree, deny wins.
    denies = [one for one in winners if one.type == "deny"]
    return denies or winners


def enforceable(consent: Json, case: Case) -> bool:
    """Whether all of it can be enforced: the generator knows six ways to break a Consent."""
    if "modifierExtension" in consent:
        return False
    if "policyRule" in consent and consent["policyRule"]["coding"][0]["code"] not in ("OPTIN", "OPTOUT", "EMRGONLY"):
        return False
    if not {c["code"] for c in consent["scope"]["coding"]} <= {"patient-privacy", "research", "treatment", "adr"}:
        return False
    todo = [consent.get("provision", {})]
    while todo:
        provision = todo.pop()
        if "modifierExtension" in provision or provision.get("type", "deny") not in ("permit", "deny"):
            return False
        for actor in provision.get("actor", []):
            if actor_of(actor) is None:
                return False
        for item in provision.get("data", []):
            reference = item["reference"].get("reference", "")
            if not reference or (item["meaning"] != "authoredby" and case.world.references(reference) is None):
                return False
        for concept in provision.get("code", []):
            if "coding" not in concept:
                return False
        for purpose in provision.get("purpose", []):
            if not above("v3-ActReason", purpose["code"]):
                return False
        todo += provision.get("provision", [])
    return True


# --- One Consent: the tree ---------------------------------------------------------------------------------------

ELEMENTS = ("period", "actor", "action", "purpose", "securityLabel", "class", "code", "dataPeriod", "data")


def speak(
    case: Case, provision: Json, inherited: Json, type_: str | None, permits_count: bool, number: int
) -> list[Outcome]:
    """What a provision and all below it have to say: the deepest that match, or this one, or nothing."""
    effective = {**inherited, **{name: provision[name] for name in ELEMENTS if name in provision}}
    # A label means what it meant where it was stated: "nobody sees R, but my GP does" is about R and above, twice.
    if "securityLabel" in effective and ("securityLabel" in provision or effective.get("direction") is None):
        effective["direction"] = type_
    deeper: list[Outcome] = []
    for child in provision.get("provision", []):
        opposite = {"permit": "deny", "deny": "permit", None: None}[type_]
        child_type = child.get("type", opposite)
        if child_type not in ("permit", "deny", None):
            child_type = "deny"
        deeper += speak(case, child, effective, child_type, permits_count, number)
    if deeper:
        return deeper
    if type_ is None or (type_ == "permit" and not permits_count):
        return []
    match = matches(case, effective, type_)
    if (type_ == "permit" and match != YES) or (type_ == "deny" and match == NO):
        return []
    specificity = (
        holder(effective, type_),
        user(case, effective),
        context(effective, type_),
        resource(effective, type_),
    )
    if type_ == "permit" and needs_relation(case, specificity[1]):
        return []
    by_name = any(purpose["code"] in ("BTG", "ETREAT") for purpose in effective.get("purpose", []))
    return [Outcome(number, type_, specificity, by_name)]


def needs_relation(case: Case, user_axis: int) -> bool:
    """By category, or naming nobody: a professional acting for TREAT must also have a treatment relation."""
    request = case.request
    if user_axis >= 2 or not request.closure.professional or case.patient in request.treats:
        return False
    if request.purpose == "BTG":
        return True
    return purpose_covers("TREAT", request.purpose) != NO


# --- One provision: YES / NO / UNKNOWN ---------------------------------------------------------------------------


def matches(case: Case, effective: Json, type_: str) -> int:
    answers = [YES]
    request = case.request
    if "period" in effective:
        low, high = period(effective["period"])
        answers.append(YES if low <= request.instant < high else NO)
    if "actor" in effective:
        answers += actors(case, effective["actor"])
    if "action" in effective:
        stated = {c["code"] for concept in effective["action"] for c in concept["coding"]}
        reads = {"access", "use", "disclose"}
        asked = reads if request.action.value in reads else {request.action.value}
        answers.append(YES if stated & asked else NO)
    if "purpose" in effective:
        answers.append(max(purpose(case, p["code"], type_) for p in effective["purpose"]))
    if "securityLabel" in effective:
        answers.append(max(label(case, c, effective["direction"]) for c in effective["securityLabel"]))
    if "class" in effective:
        answers.append(max(class_(case, c, type_) for c in effective["class"]))
    if "code" in effective:
        answers.append(max(code(case, c, type_) for c in effective["code"]))
    if "dataPeriod" in effective:
        answers.append(data_period(case, effective["dataPeriod"], type_))
    if "data" in effective:
        answers.append(max(data(case, item, type_) for item in effective["data"]))
    return min(answers)


def actor_of(actor: Json) -> Party | Category | None:
    reference = actor["reference"]
    if "reference" in reference:
        return Party(reference["reference"])
    if "identifier" in reference:
        return Category(reference["type"], reference["identifier"]["system"], reference["identifier"]["value"])
    return None  # a display alone


def kind(actor: Json) -> str:
    return {"CST": "custodian", "AUT": "author"}.get(actor["role"]["coding"][0]["code"], "recipient")


def actors(case: Case, several: list[Json]) -> list[int]:
    """Any recipient, any custodian, any author; and all kinds that are asked must hold."""
    answers = []
    for asked in sorted({kind(a) for a in several}):
        each = []
        for actor in several:
            if kind(actor) != asked:
                continue
            who = actor_of(actor)
            if who is None:
                each.append(UNKNOWN)
            elif asked == "recipient":
                each.append(YES if axis_of(case, who) > 0 else NO)
            else:
                stated, unclear = (
                    (case.facts.authors, case.facts.authors_unclear)
                    if asked == "author"
                    else (case.facts.custodians, case.facts.custodians_unclear)
                )
                members = case.world.within(who)
                if members is None:
                    each.append(UNKNOWN)
                else:
                    each.append(YES if members & stated else UNKNOWN if unclear else NO)
        answers.append(max(each))
    return answers


def axis_of(case: Case, who: Party | Category) -> int:
    """individual 4 > team 3 > organisation 2 > role 1; 0 if it is not the requester."""
    closure = case.request.closure
    if isinstance(who, Category):
        return 1 if who in closure.categories else 0
    if who.reference in closure.individuals | closure.devices:
        return 4
    if who.reference in closure.teams:
        return 3
    return 2 if who.reference in closure.organisations else 0


def purpose_covers(stated: str, asked: str) -> int:
    if not above("v3-ActReason", asked):
        return UNKNOWN
    if asked == "BTG":
        return YES if stated == "BTG" else NO
    return YES if stated in above("v3-ActReason", asked) else NO


def purpose(case: Case, stated: str, type_: str) -> int:
    if type_ == "deny" and stated == "ETREAT" and case.request.purpose == "BTG":
        return YES
    if not above("v3-ActReason", stated):
        return UNKNOWN
    return purpose_covers(stated, case.request.purpose)


def label(case: Case, coding: Json, type_: str) -> int:
    facts = case.facts
    if coding["system"] == THO + "v3-Confidentiality":
        level = "ULMNRV".index(coding["code"])
        if type_ == "deny":
            return YES if facts.confidentiality >= level else UNKNOWN if facts.labels_unclear else NO
        return UNKNOWN if facts.labels_unclear else YES if facts.confidentiality <= level else NO
    for system, found in facts.labels:
        if system == coding["system"]:
            covering = above("v3-ActCode", found) if system == THO + "v3-ActCode" else {found}
            if coding["code"] in covering:
                return YES
    return UNKNOWN if facts.labels_unclear else NO


def class_(case: Case, coding: Json, type_: str) -> int:
    facts = case.facts
    if coding["system"] == "http://hl7.org/fhir/resource-types":
        if coding["code"] == facts.type or (type_ == "deny" and coding["code"] in facts.types_within):
            return YES
        return NO
    if (coding["system"], coding["code"]) in facts.documents:
        return YES
    return UNKNOWN if facts.documents_unclear else NO


def code(case: Case, concept: Json, type_: str) -> int:
    if "coding" not in concept:
        return UNKNOWN
    facts = case.facts
    there = facts.codes | (facts.contained_codes if type_ == "deny" else frozenset())
    if any((c["system"], c["code"]) in there for c in concept["coding"]):
        return YES
    unclear = facts.codes_unclear or (type_ == "deny" and facts.contained_codes_unclear)
    return UNKNOWN if unclear else NO


def data_period(case: Case, value: Json, type_: str) -> int:
    if case.facts.interval is None:
        return UNKNOWN
    low, high = period(value)
    begin, end = case.facts.interval
    if type_ == "deny":
        return YES if max(low, begin) < min(high, end) else NO
    return YES if low <= begin and end <= high else NO


def data(case: Case, item: Json, type_: str) -> int:
    target = item["reference"].get("reference")
    if target is None:
        return UNKNOWN
    facts, meaning = case.facts, item["meaning"]
    me = f"{facts.type}/{facts.id}"
    if meaning == "authoredby":
        authors = case.world.within(Party(target))
        if authors is None:
            return UNKNOWN
        return YES if authors & facts.authors else UNKNOWN if facts.authors_unclear else NO
    if me == target:
        return YES
    if meaning == "instance":
        return NO
    nobody = facts.type != "Patient" and facts.type not in case.directory
    refers_to_it = target in facts.references
    it_refers_to = me in (case.world.references(target) or ()) and nobody
    if meaning == "dependents":
        hit = refers_to_it or (type_ == "deny" and it_refers_to)
    elif type_ == "deny":
        hit = (refers_to_it and nobody) or it_refers_to
    elif target.split("/")[0] in ("Encounter", "EpisodeOfCare", "CarePlan"):
        hit = refers_to_it and nobody
    else:
        hit = it_refers_to
    return YES if hit else NO


# --- Specificity -------------------------------------------------------------------------------------------------


def weakest(values: list[int], type_: str) -> int:
    return max(values) if type_ == "deny" else min(values)


def holder(effective: Json, type_: str) -> int:
    keepers = [actor_of(a) for a in effective.get("actor", []) if kind(a) == "custodian"]
    if not keepers:
        return 0
    return weakest([1 if isinstance(k, Category) else 2 for k in keepers], type_)


def user(case: Case, effective: Json) -> int:
    recipients = [actor_of(a) for a in effective.get("actor", []) if kind(a) == "recipient"]
    return max([4 if who is None else axis_of(case, who) for who in recipients], default=0)


def context(effective: Json, type_: str) -> int:
    values = []
    for item in effective.get("data", []):
        reference = item["reference"].get("reference")
        if reference is None:
            values.append(2)
        else:
            around = reference.split("/")[0] in ("Encounter", "EpisodeOfCare") and item["meaning"] in (
                "related",
                "dependents",
            )
            values.append(2 if around else 0)
    found = weakest(values, type_) if values else 0
    return 1 if found == 0 and type_ == "deny" and "purpose" in effective else found


def resource(effective: Json, type_: str) -> int:
    part = any(name in effective for name in ("code", "class", "securityLabel", "dataPeriod", "data"))
    part = part or any(kind(a) == "author" for a in effective.get("actor", []))
    found = 1 if part else 0
    if "data" in effective:
        each = [
            1 if item["meaning"] == "authoredby" and item["reference"].get("reference") else 2
            for item in effective["data"]
        ]
        found = max(found, weakest(each, type_))
    return found


# --- Periods: inclusive at the precision stated, in Europe/Amsterdam ---------------------------------------------


def period(value: Json) -> tuple[float, float]:
    low = begin(value["start"]) if "start" in value else float("-inf")
    high = after(value["end"]) if "end" in value else float("inf")
    return low, high


def begin(text: str) -> int:
    if "T" in text:
        return micros(datetime.fromisoformat(text))
    year, month, day = ([int(part) for part in text.split("-")] + [1, 1])[:3]
    return midnight(date(year, month, day))


def after(text: str) -> int:
    if "T" in text:
        return begin(text) + 10**6  # the generator writes whole seconds
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return midnight(date(parts[0] + 1, 1, 1))
    if len(parts) == 2:
        return midnight(date(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1))
    return midnight(date(*parts) + timedelta(days=1))


def midnight(day: date) -> int:
    return micros(datetime(day.year, day.month, day.day, tzinfo=ZONE))


def micros(moment: datetime) -> int:
    return round((moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6
