"""What to ask of a population: people, codes and values that are in it, and search URLs made of them."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from fhir_server.search.rows import IndexRows
from tests.performance.population import Dossiers, copied_id

KINDS: Final = ("string", "date", "token", "quantity", "composite", "reference", "chain", "_has")
UCUM: Final = "http://unitsofmeasure.org"
PAGE: Final = "_count=20"
PEOPLE_MAX: Final = 200
VARIANTS: Final = 60  # different URLs of a kind


class Samples(msgspec.Struct, frozen=True):
    """`people`: (id, family name) of patients that much is known of, over all copies; `codes`: `system|code` of
    Observations by how often; `measured`: (code, low, high, unit) of Observations with a quantity; `years`: of
    Observations."""

    resources: int
    people: list[tuple[str, str]]
    codes: list[str]
    measured: list[tuple[str, float, float, str]]
    years: list[int]

    def save(self, file: Path) -> None:
        file.write_bytes(msgspec.json.encode(self))


def load(file: Path) -> Samples:
    return msgspec.json.decode(file.read_bytes(), type=Samples)


def take(dossiers: Dossiers, copies: int) -> Samples:
    """Samples of a population of that many copies."""
    chance = random.Random(4)
    about: Counter[str] = Counter()
    families: dict[str, str] = {}
    codes: Counter[str] = Counter()
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    years: set[int] = set()
    for resource, template, rows in zip(dossiers.resources, dossiers.templates, dossiers.rows, strict=True):
        if template.type == "Patient":
            families[template.id] = next((row.normal for row in rows.strings if row.param == "family"), "")
        if template.type == "Observation" and template.owners:
            about.update(template.owners)
            found = _codes(rows)
            codes.update(found)
            for row in rows.quantities:
                if row.param == "value-quantity" and found:
                    values[found[0], row.code].append(row.low)
            years.update([int(text[:4])] if (text := resource.get("effectiveDateTime")) else [])
    busiest = [id for id, _ in about.most_common() if families.get(id)][:PEOPLE_MAX]
    people = [(copied_id(id, number), families[id]) for id in busiest for number in range(copies)]
    measured = [(code, *_quartiles(found), unit) for (code, unit), found in values.items() if len(found) >= 4]
    return Samples(
        len(dossiers.templates) * copies,
        chance.sample(people, min(PEOPLE_MAX, len(people))),
        [code for code, _ in codes.most_common(20)],
        measured,
        sorted(years),
    )


def urls(samples: Samples, kind: str, *, of_one_patient: bool) -> list[str]:
    """Searches of one kind, on the dossier of one patient or on everybody's; always the same ones."""
    chance = random.Random(f"{kind} {of_one_patient}")
    return [f"/fhir/{_url(samples, kind, of_one_patient, chance)}&{PAGE}" for _ in range(VARIANTS)]


def _url(samples: Samples, kind: str, of_one_patient: bool, chance: random.Random) -> str:
    person, family = chance.choice(samples.people)
    code = _quoted(chance.choice(samples.codes))
    measured, low, high, unit = chance.choice(samples.measured)
    year = chance.choice(samples.years)
    about = f"patient={person}&" if of_one_patient else ""
    match kind:
        case "string":
            name = _quoted(family[:4])
            return f"Patient?_id={person}&family={name}" if of_one_patient else f"Patient?family={name}"
        case "date":
            return f"Observation?{about}date=ge{year}-01-01&date=lt{year + 1}-03"
        case "token":
            return f"Observation?{about}code={code}"
        case "quantity":
            value = f"gt{chance.uniform(low, high):.1f}|{UCUM}|{_quoted(unit)}"
            return f"Observation?{about}value-quantity={value}"
        case "composite":
            value = f"{_quoted(measured)}$gt{chance.uniform(low, high):.1f}"
            return f"Observation?{about}code-value-quantity={value}"
        case "reference":
            return f"{chance.choice(('Observation', 'Condition', 'Encounter'))}?patient={person}"
        case "chain":
            return f"Observation?{about}patient.family={_quoted(family)}"
        case "_has":
            only = f"_id={person}&" if of_one_patient else ""
            return f"Patient?{only}_has:Observation:patient:code={code}"
    raise ValueError(kind)


def _codes(rows: IndexRows) -> list[str]:
    return [f"{row.system}|{row.code}" for row in rows.tokens if row.param == "code"]


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]


def _quoted(text: str) -> str:
    return quote(text, safe="|:/.-")
