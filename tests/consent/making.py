"""Random Consents, requests, resources and worlds, from a vocabulary so small that they meet.

Each is made from a `Random` alone. How often a thing is made is chosen so that every rule comes into play: the test of the
differential suite that counts them says so.
"""

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from consent.compile import Combiner, Rules
from consent.model import AccessRequest, Action, Closure, Effect, Emergency, ResourceFacts
from consent.vocabulary import ACT_CODE
from tests.consent.wijk import (
    GP_PRACTICE,
    GP_ROLE,
    LOINC,
    Wijk,
    actor,
    at,
    coding,
    concept,
    confidentiality,
    consent,
    data,
    resource_type,
    rules,
    sensitivity,
)

Json = dict[str, Any]
T = TypeVar("T")

INSTANTS = [at(t) for t in ("2026-03-29T01:30:00", "2026-06-30T23:59:59", "2026-07-01T00:00:00", "2026-11-22T10:00:00")]
DAYS = ["2025", "2026-03", "2026-03-29", "2026-06-30", "2026-07", "2026-11-22", "2026-11-22T09:00:00Z", "2027-01-01"]
HOUR = 3_600_000_000
PERSONAL = ["Consent", "AuditEvent"]  # and a Provenance that the server made of a write
TYPES = ["Observation", "Encounter", "DocumentReference", "Condition", "Patient", "Organization"]
INDIVIDUALS = ["Practitioner/p1", "Practitioner/p2", "PractitionerRole/r1", "RelatedPerson/x1", "Device/d1"]
PARTIES = [*INDIVIDUALS, "CareTeam/t1", "Group/g1", "Organization/o1", "Organization/o2"]
CATEGORIES = [GP_ROLE, GP_PRACTICE]
RESOURCES = [f"{kind}/{name}" for kind in TYPES for name in ("a", "b")] + ["CarePlan/a", "EpisodeOfCare/a"]
PURPOSES = ["TREAT", "ETREAT", "COC", "BTG", "HRESCH", "CLINTRCH", "HMARKT", "PATRQT", "FAMRQT", "PurposeOfUse"]
LABELS = ["MH", "SUD", "ETHUD", "SPI", "HIV"]
OWN_LABELS = "urn:wijk:labels"  # a system that no table knows, so each label is itself alone
CODES = ["85354-9", "29463-7", "62238-1"]
MEANINGS = ["instance", "related", "dependents", "authoredby"]


def rarely(random: Random, n: int) -> bool:
    """True once in n times."""
    return random.randrange(n) == 0


def some(random: Random, values: list[T], most: int) -> list[T]:
    """At least one of the values, and each at most once."""
    return random.sample(values, random.randint(1, most))


def few(random: Random, values: list[T], most: int) -> frozenset[T]:
    """None of the values, or some."""
    return frozenset(random.sample(values, random.randint(0, most)))


# --- Consents ----------------------------------------------------------------------------------------------------


def period(random: Random) -> Json:
    start, end = sorted((random.randrange(len(DAYS)), random.randrange(len(DAYS))))
    sides = random.choice(["both", "start", "end"])
    return {k: v for k, v in (("start", DAYS[start]), ("end", DAYS[end])) if sides in ("both", k)}


def one_actor(random: Random) -> Json:
    who = random.choice([*PARTIES, *CATEGORIES, *CATEGORIES])
    return actor(who, random.choice(["PRCP", "PRCP", "IRCP", "CST", "AUT"]))


def one_label(random: Random) -> Json:
    return random.choice(
        [
            confidentiality(random.choice("ULMNRV")),
            sensitivity(random.choice(LABELS)),
            coding(OWN_LABELS, "wijk"),
        ]
    )


def one_class(random: Random) -> Json:
    return random.choice([resource_type(random.choice(TYPES + PERSONAL)), coding(LOINC, random.choice(CODES))])


def one_data(random: Random) -> Json:
    return data(random.choice(MEANINGS), random.choice([*RESOURCES, "Organization/o1", "Practitioner/p1"]))


def several(make: Callable[[Random], Json]) -> Callable[[Random], list[Json]]:
    return lambda random: [make(random) for _ in range(random.randint(1, 2))]


ELEMENTS: dict[str, Callable[[Random], Any]] = {
    "period": period,
    "actor": several(one_actor),
    "action": lambda random: some(random, [concept("consentaction", a.value) for a in Action], 3),
    "purpose": lambda random: some(random, [coding("v3-ActReason", p) for p in PURPOSES], 3),
    "securityLabel": several(one_label),
    "class": several(one_class),
    "code": lambda random: some(random, [concept(LOINC, c) for c in CODES], 2),
    "dataPeriod": period,
    "data": several(one_data),
}
# What can't be enforced: the permits of the whole Consent are void, its denies stand.
FLAWS: list[Json] = [
    {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
    {"actor": [{"role": concept("v3-ParticipationType", "PRCP"), "reference": {"display": "de buurvrouw"}}]},
    {"actor": [{"role": concept("v3-ParticipationType", "CST"), "reference": {"display": "het ziekenhuis"}}]},
    {"code": [{"text": "bloeddruk"}]},
    {"purpose": [coding("v3-ActReason", "NOSUCH")]},
    {"data": [{"meaning": "related", "reference": {"display": "die opname"}}]},
    {"data": [data("instance", "Observation/never")]},
    {"type": "perhaps"},
]


def tree(random: Random, depth: int, flaws: bool = False) -> Json:
    """A provision of any kind, with provisions of any kind below it."""
    result: Json = {name: ELEMENTS[name](random) for name in random.sample(sorted(ELEMENTS), random.randint(0, 2))}
    kind = random.choice(["permit", "deny", ""])
    if kind:
        result["type"] = kind
    if flaws and rarely(random, 2):
        result |= random.choice(FLAWS)
    children = [tree(random, depth - 1, flaws) for _ in range(random.randint(0, 2))] if depth else []
    return result | ({"provision": children} if children else {})


# Ways to name the GP of `professional`, from close to far, and parts of the records that many resources are in.
GP: list[list[Json]] = [[actor(who)] for who in ("Practitioner/p1", "CareTeam/t1", "Organization/o1", GP_ROLE)]
OTHERS = [[actor("Organization/o1", "CST")], [actor(GP_ROLE, "CST")], [actor("Organization/o1", "AUT")]]
PARTS: list[Json] = [
    {"class": [resource_type("Observation")]},
    {"class": [coding(LOINC, code) for code in CODES]},
    {"code": [concept(LOINC, code) for code in CODES]},
    {"securityLabel": [confidentiality("N")]},
    {"dataPeriod": {"start": "2026"}},
    {"dataPeriod": {"start": "2026-07"}},
    {"data": [data("authoredby", "Organization/o1")]},
    {"data": [data("related", "Encounter/a")]},
    {"data": [data("dependents", "Encounter/b")]},
    {"data": [data("instance", f"Observation/{name}") for name in "ab"]},
]


def choice(random: Random) -> Json:
    """A plain yes or no, somewhere on each of the four axes, that often meets another."""
    result: Json = {"type": random.choice(["permit", "deny"])}
    people = random.choice([[], *GP]) + random.choice([[], [], [], [], *OTHERS])
    if people:
        result["actor"] = people
    if rarely(random, 4):
        result["purpose"] = [coding("v3-ActReason", random.choice(["TREAT", "PurposeOfUse", "ETREAT", "BTG"]))]
    return result | random.choice([{}, {}, *PARTS])


def exceptions(random: Random) -> Json:
    """A rule with exceptions: branches that disagree, and permits that reach further than their parent."""
    return choice(random) | {"provision": [choice(random) for _ in range(random.randint(1, 3))]}


def one_consent(random: Random, number: int, size: int) -> Json:
    """A Consent of patient 1. Of size 0 a plain choice, of size 1 with exceptions, of size 2 a tree by anybody."""
    if size < 2:
        root = choice(random) if size == 0 else exceptions(random)
        return consent(root, id=f"c{number}")
    flaws = rarely(random, 4)
    other: Json = {}
    performer = random.choice(
        ["Patient/1"] * 6
        + ["", "RelatedPerson/proxy", "RelatedPerson/x1", "Practitioner/p1", "Practitioner/p1", "Organization/o1"]
    )
    other["performer"] = [{"reference": performer}] if performer else []
    if rarely(random, 2):
        other["verification"] = [{"verified": random.choice([True, True, False])}]
    if rarely(random, 10):
        other["status"] = random.choice(["inactive", "proposed", "rejected"])
    scope = random.choice(["patient-privacy"] * 9 + ["research", "research", "treatment", "adr"])
    policy = random.choice(["", "OPTIN", "OPTOUT", "EMRGONLY"])
    if flaws:
        what = random.randrange(5)
        if what == 0:
            policy = "OPTOUTE"
        elif what == 1:
            scope = "elsewhere"
        elif what == 2:
            other["modifierExtension"] = [{"url": "urn:x", "valueBoolean": True}]
    root = random.choice([choice, exceptions, *([lambda random: tree(random, random.randint(0, 2), flaws)] * 4)])(
        random
    )
    return consent(None if rarely(random, 10) else root, id=f"c{number}", policy=policy, scope=scope, **other)


# --- Requests ----------------------------------------------------------------------------------------------------


def professional(random: Random) -> Closure:
    """The GP, with all that they count as."""
    return Closure(
        individuals=frozenset({"Practitioner/p1", "PractitionerRole/r1"}),
        teams=few(random, ["CareTeam/t1", "Group/g1"], 2),
        organisations=frozenset({"Organization/o1"}),
        categories=frozenset({GP_ROLE, GP_PRACTICE}),
        professional=True,
    )


def somebody(random: Random) -> Closure:
    return Closure(
        individuals=few(random, [*INDIVIDUALS, "Patient/2"], 2)
        | (frozenset({"Patient/1"}) if rarely(random, 15) else frozenset()),
        teams=few(random, ["CareTeam/t1", "Group/g1"], 2),
        organisations=few(random, ["Organization/o1", "Organization/o2"], 2),
        categories=few(random, CATEGORIES, 2),
        devices=frozenset({"Device/d1"}) if rarely(random, 6) else frozenset(),
        professional=random.random() < 0.6,
    )


def request(random: Random) -> AccessRequest:
    instant = random.choice(INSTANTS)
    emergency = None
    purpose = random.choice(["TREAT"] * 6 + ["BTG"] * 3 + [*PURPOSES, "", "", "NOSUCH"])
    if purpose == "BTG" or rarely(random, 10):
        opened = instant - random.choice([-1, 0, 60_000_000, 60_000_000, 60_000_000, HOUR])
        emergency = Emergency(
            allowed=not rarely(random, 8),
            reason=" " if rarely(random, 8) else "bewusteloos gevonden",
            opened=opened,
            closes=opened + (HOUR + 1 if rarely(random, 8) else HOUR),
        )
    return AccessRequest(
        closure=random.choice([professional, somebody])(random),
        purpose=purpose,
        action=random.choice([Action.ACCESS] * 4 + [*Action]),
        instant=instant,
        represents=frozenset({"1"}) if rarely(random, 30) else frozenset(),
        treats=few(random, ["1", "2"], 2),
        emergency=emergency,
    )


# --- Resources ---------------------------------------------------------------------------------------------------


def facts(random: Random) -> ResourceFacts:
    kind = random.choice(["Observation"] * 10 + TYPES * 2 + PERSONAL + ["Provenance"])
    low, high = sorted(random.sample(INSTANTS, 2))
    codings = [(LOINC, code) for code in CODES]
    parties = [
        "Practitioner/p1",
        "PractitionerRole/r1",
        "Device/d1",
        "Organization/o1",
        "Organization/o9",
        "RelatedPerson/x1",
    ]
    about = ("1",) if rarely(random, 2) or kind != "Organization" else ()
    return ResourceFacts(
        type=kind,
        id=random.choice("abc"),
        patients=random.choice([about] * 17 + [("1", "2"), ("1", "2"), ()]),
        confidentiality=random.choice([0, 1, 2, 3, 3, 3, 4, 5]),
        labels=few(random, [*((ACT_CODE, label) for label in LABELS), (OWN_LABELS, "wijk")], 2),
        labels_unclear=rarely(random, 8),
        codes=few(random, codings, 2),
        codes_unclear=rarely(random, 8),
        contained_codes=few(random, codings, 1),
        contained_codes_unclear=rarely(random, 8),
        documents=few(random, codings, 1) if kind == "DocumentReference" else frozenset(),
        documents_unclear=kind == "DocumentReference" and rarely(random, 2),
        types_within=few(random, TYPES, 1) if rarely(random, 8) else frozenset(),
        interval=random.choice([None, (low, high), (low, high), (low, low + 1)]),
        authors=few(random, parties, 2),
        authors_unclear=rarely(random, 8),
        custodians=few(random, parties, 2),
        custodians_unclear=rarely(random, 8),
        references=few(random, ["Patient/1", *RESOURCES], 5),
        personal=kind == "Provenance" and rarely(random, 2),
    )


def world(random: Random) -> Wijk:
    """What some of the resources refer to: here and there in a circle, or to themselves."""
    return Wijk({each: few(random, ["Patient/1", *RESOURCES], 4) for each in few(random, RESOURCES, 5)})


def deployment(random: Random) -> Rules:
    return rules(
        random.choice([Effect.DENY, Effect.DENY, Effect.PERMIT]),
        random.choice([Combiner.NL_GF, Combiner.NL_GF, Combiner.DENY_OVERRIDES]),
    )
