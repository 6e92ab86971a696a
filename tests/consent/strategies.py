"""Random Consents, requests and resources from a vocabulary so small that they meet.

https://hypothesis.readthedocs.io
"""

from random import Random
from typing import Any

from hypothesis import strategies as st

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

INSTANTS = [at(t) for t in ("2026-03-29T01:30:00", "2026-06-30T23:59:59", "2026-07-01T00:00:00", "2026-11-22T10:00:00")]
DAYS = ["2025", "2026-03", "2026-03-29", "2026-06-30", "2026-07", "2026-11-22", "2026-11-22T09:00:00Z", "2027-01-01"]
TYPES = [
    "Observation",
    "Encounter",
    "DocumentReference",
    "Condition",
    "Patient",
    "Organization",
    "Consent",
    "AuditEvent",
]
INDIVIDUALS = ["Practitioner/p1", "Practitioner/p2", "PractitionerRole/r1", "RelatedPerson/x1", "Device/d1"]
PARTIES = [*INDIVIDUALS, "CareTeam/t1", "Group/g1", "Organization/o1", "Organization/o2"]
CATEGORIES = [GP_ROLE, GP_PRACTICE]
RESOURCES = [f"{kind}/{name}" for kind in TYPES[:6] for name in ("a", "b")] + ["CarePlan/a", "EpisodeOfCare/a"]
PURPOSES = ["TREAT", "ETREAT", "COC", "BTG", "HRESCH", "CLINTRCH", "HMARKT", "PATRQT", "FAMRQT", "PurposeOfUse"]
LABELS = ["MH", "SUD", "ETHUD", "SPI", "HIV"]
CODES = ["85354-9", "29463-7", "62238-1"]
MEANINGS = ["instance", "related", "dependents", "authoredby"]


def some(values: list[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique_by=str)


def any_of(values: list[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(values), min_size=least, max_size=most)


def rarely(n: int) -> st.SearchStrategy[bool]:
    """True once in n + 1 times; shrinks to False."""
    return st.sampled_from([False] * n + [True])


@st.composite
def periods(draw: st.DrawFn) -> Json:
    start, end = sorted((draw(st.integers(0, len(DAYS) - 1)), draw(st.integers(0, len(DAYS) - 1))))
    sides = draw(st.sampled_from(["both", "start", "end"]))
    return {k: v for k, v in (("start", DAYS[start]), ("end", DAYS[end])) if sides in ("both", k)}


actors = st.one_of(
    st.builds(actor, st.sampled_from(PARTIES), st.sampled_from(["PRCP", "IRCP", "PRCP", "CST", "AUT"])),
    st.builds(actor, st.sampled_from(CATEGORIES), st.sampled_from(["PRCP", "PRCP", "CST", "AUT"])),
)
labels = st.one_of(
    st.builds(confidentiality, st.sampled_from("ULMNRV")), st.builds(sensitivity, st.sampled_from(LABELS))
)
classes = st.one_of(
    st.builds(resource_type, st.sampled_from(TYPES)),
    st.builds(lambda code: coding(LOINC, code), st.sampled_from(CODES)),
)
datas = st.builds(data, st.sampled_from(MEANINGS), st.sampled_from([*RESOURCES, "Organization/o1", "Practitioner/p1"]))


def _several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=2)


ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "period": periods(),
    "actor": st.lists(actors, min_size=1, max_size=3),
    "action": some([concept("consentaction", a.value) for a in Action]),
    "purpose": some([coding("v3-ActReason", p) for p in PURPOSES]),
    "securityLabel": _several(labels),
    "class": _several(classes),
    "code": some([concept(LOINC, c) for c in CODES], 2),
    "dataPeriod": periods(),
    "data": _several(datas),
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


@st.composite
def provisions(draw: st.DrawFn, depth: int, flaws: bool) -> Json:
    names = draw(st.lists(st.sampled_from(sorted(ELEMENTS)), max_size=2, unique=True))
    result: Json = {name: draw(ELEMENTS[name]) for name in names}
    kind = draw(st.sampled_from(["permit", "deny", ""]))
    if kind:
        result["type"] = kind
    if flaws and draw(rarely(3)):
        result |= draw(st.sampled_from(FLAWS))
    if depth:
        children = draw(st.lists(provisions(depth - 1, flaws), max_size=2))
        if children:
            result["provision"] = children
    return result


@st.composite
def consents(draw: st.DrawFn) -> list[Json]:
    found = []
    for number in range(draw(st.sampled_from([0, 1, 2, 3, 4]))):
        flaws = draw(rarely(7))
        other: Json = {}
        performer = draw(
            st.sampled_from(["Patient/1", "Patient/1", "", "RelatedPerson/proxy", "Practitioner/p1", "Organization/o2"])
        )
        other["performer"] = [{"reference": performer}] if performer else []
        if draw(st.booleans()):
            other["verification"] = [{"verified": draw(st.booleans())}]
        if draw(rarely(9)):
            other["status"] = draw(st.sampled_from(["inactive", "proposed", "rejected"]))
        scope = draw(st.sampled_from(["patient-privacy"] * 5 + ["research", "treatment", "adr"]))
        policy = draw(st.sampled_from(["", "OPTIN", "OPTOUT", "EMRGONLY"]))
        if flaws:
            what = draw(st.integers(0, 3))
            if what == 0:
                policy = "OPTOUTE"
            elif what == 1:
                scope = "elsewhere"
            elif what == 2:
                other["modifierExtension"] = [{"url": "urn:x", "valueBoolean": True}]
        root = draw(provisions(draw(st.sampled_from([2, 1, 1, 0])), flaws)) if not draw(rarely(9)) else None
        found.append(consent(root, id=f"c{number}", policy=policy, scope=scope, **other))
    return found


# Requests and resources are made from a seed: hundreds of them per example, and it is the Consents that have to shrink.


def _few(random: Random, values: list[Any], most: int) -> frozenset[Any]:
    return frozenset(random.sample(values, random.randint(0, most)))


def _rare(random: Random, n: int) -> bool:
    return random.randint(0, n) == n


def _request(seed: int) -> AccessRequest:
    random = Random(seed)
    instant = random.choice(INSTANTS)
    closure = Closure(
        individuals=_few(random, [*INDIVIDUALS, "Patient/2"], 2)
        | (frozenset({"Patient/1"}) if _rare(random, 29) else frozenset()),
        teams=_few(random, ["CareTeam/t1", "Group/g1"], 2),
        organisations=_few(random, ["Organization/o1", "Organization/o2"], 2),
        categories=_few(random, CATEGORIES, 2),
        devices=_few(random, ["Device/d1"], 1) if _rare(random, 3) else frozenset(),
        professional=random.random() < 0.6,
    )
    emergency = None
    purpose = random.choice(["TREAT", "TREAT", "TREAT", *PURPOSES, "", "NOSUCH"])
    if purpose == "BTG" or _rare(random, 9):
        opened = instant - random.choice([0, 60_000_000, 3_600_000_000])
        emergency = Emergency(
            allowed=not _rare(random, 3),
            reason=random.choice(["bewusteloos gevonden", "bewusteloos gevonden", " "]),
            opened=opened,
            closes=opened + random.choice([3_600_000_000, 3_600_000_000, 3_600_000_001]),
        )
    return AccessRequest(
        closure=closure,
        purpose=purpose,
        action=random.choice([Action.ACCESS, Action.ACCESS, *Action]),
        instant=instant,
        represents=frozenset({"1"}) if _rare(random, 29) else frozenset(),
        treats=_few(random, ["1", "2"], 2),
        emergency=emergency,
    )


def _facts(seed: int) -> ResourceFacts:
    random = Random(seed)
    kind = random.choice(["Observation"] * 4 + TYPES[:6] * 2 + TYPES[6:])
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
    return ResourceFacts(
        type=kind,
        id=random.choice("abc"),
        patients=random.choice([("1",)] * 8 + [("1", "2"), ()]),
        confidentiality=random.randint(0, 5),
        labels=_few(random, [(ACT_CODE, label) for label in LABELS], 2),
        labels_unclear=_rare(random, 7),
        codes=_few(random, codings, 2),
        codes_unclear=_rare(random, 7),
        contained_codes=_few(random, codings, 1),
        contained_codes_unclear=_rare(random, 7),
        documents=_few(random, codings, 1) if kind == "DocumentReference" else frozenset(),
        documents_unclear=kind == "DocumentReference" and _rare(random, 3),
        types_within=_few(random, TYPES, 1) if _rare(random, 7) else frozenset(),
        interval=random.choice([None, (low, high), (low, high), (low, low + 1)]),
        authors=_few(random, parties, 2),
        authors_unclear=_rare(random, 7),
        custodians=_few(random, parties, 2),
        custodians_unclear=_rare(random, 7),
        references=_few(random, ["Patient/1", *RESOURCES], 4),
    )


_seeds = st.integers(0, 2**32 - 1)


def requests(count: int) -> st.SearchStrategy[list[AccessRequest]]:
    return _seeds.map(lambda seed: [_request(seed + n) for n in range(count)])


def resources(count: int) -> st.SearchStrategy[list[ResourceFacts]]:
    return _seeds.map(lambda seed: [_facts(seed + n) for n in range(count)])


worlds = st.builds(Wijk, st.dictionaries(st.sampled_from(RESOURCES), any_of(["Patient/1", *RESOURCES]), max_size=3))
chosen_rules: st.SearchStrategy[Rules] = st.builds(
    rules,
    st.sampled_from([Effect.DENY, Effect.DENY, Effect.PERMIT]),
    st.sampled_from([Combiner.NL_GF, Combiner.NL_GF, Combiner.DENY_OVERRIDES]),
)
