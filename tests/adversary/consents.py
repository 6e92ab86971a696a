"""Random Consents about what is in a world: every element, exceptions within exceptions, and periods that have ended."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

from consent.model import Category
from tests.adversary.dossiers import PRIVACY, coded, ref
from tests.consent.wijk import (
    GP_PRACTICE,
    GP_ROLE,
    actor,
    coding,
    concept,
    confidentiality,
    data,
    resource_type,
    sensitivity,
)

Json = dict[str, Any]
PARTIES: Final = (
    "Practitioner/doctor", "Practitioner/doctor", "PractitionerRole/gp", "Practitioner/nurse", "PractitionerRole/nurse-here",
    "Organization/practice", "Organization/ward", "Organization/mother", 
    "RelatedPerson/a-neighbour", "RelatedPerson/a-daughter", "Device/n-app", "Practitioner/stranger",
)  # fmt: skip
PURPOSES: Final = ("TREAT", "ETREAT", "COC", "BTG", "HRESCH", "HMARKT", "PATRQT", "PWATRNY", "PurposeOfUse")
TYPES: Final = ("Observation", "Observation", "Condition", "Encounter", "DocumentReference", "Patient", "Task", "List", "Communication")  # fmt: skip
CODES: Final = ("weight", "note", "illness", "turn", "both", "new")
PERIODS: Final[list[Json]] = [
    {"start": "2026-01-01"},
    {"end": "2030-01-01"},
    {"start": "2020", "end": "2021"},
    {"start": "2031"},
    {"start": "2026-11", "end": "2026-12"},
]
DATES: Final[list[Json]] = [{"start": "2026-03"}, {"end": "2025"}, {"start": "2026-02", "end": "2026-03-04"}]


def _actor(random: Random, mine: list[str]) -> Json:
    # A Consent names no team that another patient may let people into.
    teams = [one for one in mine if one.startswith(("CareTeam/", "Group/n-"))]
    named: list[str | Category] = [*PARTIES, *teams, GP_ROLE, GP_ROLE, GP_PRACTICE, GP_PRACTICE]
    return actor(random.choice(named), random.choice(["PRCP"] * 6 + ["IRCP", "CST", "AUT"]))


def _label(random: Random) -> Json:
    return random.choice(
        [confidentiality("R"), confidentiality("N"), confidentiality("V"), confidentiality("L"), sensitivity("MH"), coding("urn:wijk:labels", "wijk")]
    )  # fmt: skip


def _several(make: Callable[[Random], Json]) -> Callable[[Random, list[str]], list[Json]]:
    return lambda random, mine: [make(random) for _ in range(random.choice([1, 1, 2]))]


def _data(random: Random, mine: list[str]) -> list[Json]:
    named = [*(one for one in mine if not one.startswith("Group/")), "Organization/ward", "Practitioner/doctor"]
    kept = [one for one in mine if one.partition("/")[0] in ("Encounter", "EpisodeOfCare", "List", "Observation")]
    return [
        data(random.choice(["instance", "related", "dependents"]), random.choice(kept or named))
        if random.randrange(3)
        else data("authoredby", random.choice(["Practitioner/doctor", "Organization/ward", "Organization/practice"]))
        for _ in range(random.choice([1, 1, 2]))
    ]


ELEMENTS: Final[dict[str, Callable[[Random, list[str]], Any]]] = {
    "period": lambda random, mine: random.choice(PERIODS),
    "actor": lambda random, mine: [_actor(random, mine) for _ in range(random.choice([1, 1, 2]))],
    "action": lambda random, mine: [concept("consentaction", one) for one in random.sample(["access", "collect", "correct", "use", "disclose"], random.randint(1, 3))],
    "purpose": lambda random, mine: [coding("v3-ActReason", one) for one in random.sample(PURPOSES, random.randint(1, 3))],
    "securityLabel": _several(_label),
    "class": _several(lambda random: resource_type(random.choice(TYPES))),
    "code": lambda random, mine: [concept("http://test/codes", one) for one in random.sample(CODES, random.randint(1, 3))],
    "dataPeriod": lambda random, mine: random.choice(DATES),
    "data": _data,
}  # fmt: skip


def provision(random: Random, mine: list[str], depth: int) -> Json:
    """A provision with those below it; `mine` are the resources of the dossier."""
    names = random.sample(sorted(ELEMENTS), random.choice([0, 1, 1, 1, 2, 2, 3]))
    made: Json = {name: ELEMENTS[name](random, mine) for name in names}
    kind = random.choice(["permit", "permit", "permit", "deny", "deny", ""])
    if kind or not made:
        made["type"] = kind or "permit"
    below = [provision(random, mine, depth - 1) for _ in range(random.choice([0, 0, 1, 1, 2]))] if depth else []
    return made | ({"provision": below} if below else {})


def app_consent(random: Random, id: str, patient: str, app: str) -> Json:
    """A Consent in force that lets in an app: some classes, perhaps labelled ones, perhaps the Consents themselves."""
    below = []
    for _ in range(random.choice([1, 1, 2, 3])):
        opened: Json = {"type": "permit"}
        for name in random.sample(
            ["class", "securityLabel", "code", "dataPeriod", "action"], random.choice([0, 1, 1, 2])
        ):
            opened[name] = ELEMENTS[name](random, [])
        below.append(opened)
        if random.randrange(3) == 0:
            opened["provision"] = [{"type": "deny", "securityLabel": [_label(random)]}]
    if random.randrange(3) == 0:
        below.append({"type": "permit", "class": [resource_type("Consent")]})
    return {
        "resourceType": "Consent",
        "id": id,
        "meta": {"tag": [{"system": "http://test/tag", "code": f"mrk-{id}"}]},
        "status": "active",
        "scope": PRIVACY,
        "category": [coded("c", id)],
        "patient": ref(f"Patient/{patient}"),
        "performer": [ref(f"Patient/{patient}")],
        "policyRule": concept("v3-ActCode", "OPTOUT"),
        "provision": {
            "type": "deny",
            "actor": [actor(app)],
            "purpose": [coding("v3-ActReason", "PATRQT")],
            "provision": below,
        },
    }


def random_consent(random: Random, id: str, patient: str, mine: list[str]) -> Json:
    """A Consent of a patient that can be enforced."""
    letter = patient[-1]
    performer = random.choice(
        [f"Patient/{patient}"] * 6 + ["", f"RelatedPerson/{letter}-daughter", f"RelatedPerson/{letter}-son", "Practitioner/doctor"]
    )  # fmt: skip
    made: Json = {
        "resourceType": "Consent",
        "id": id,
        "meta": {"tag": [{"system": "http://test/tag", "code": f"mrk-{id}"}]},
        "status": random.choice(["active"] * 8 + ["draft", "proposed", "inactive"]),
        "scope": random.choice([PRIVACY] * 8 + [concept("consentscope", "research")]),
        "category": [coded("c", id)],
        "patient": ref(f"Patient/{patient}"),
        "dateTime": "2026-01-01",
    }
    if performer:
        made["performer"] = [ref(performer)]
    if random.randrange(4) == 0:
        made["verification"] = [{"verified": random.choice([True, False])}]
    policy = random.choice(["", "", "", "OPTIN", "OPTOUT", "EMRGONLY"])
    if policy:
        made["policyRule"] = concept("v3-ActCode", policy)
    else:
        made["policy"] = [{"uri": "http://test/policy"}]
    if not policy or random.randrange(3):
        made["provision"] = provision(random, mine, random.choice([0, 1, 1, 2]))
    return made
