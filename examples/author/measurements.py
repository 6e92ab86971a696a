"""What is measured: vital signs, laboratory results, medication, and the six dimensions of positive health.

https://hl7.org/fhir/R4/observation.html, https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from decimal import Decimal

from examples.author.dossier import Dossier
from examples.author.elements import ATC, BASE, LOINC, THEME, THO, UCUM, Json, concept, period, quantity, ref, refs

# key: LOINC code, Dutch text, unit as people read it, UCUM code, reference range low and high (empty: none)
LAB: dict[str, tuple[str, str, str, str, str, str]] = {
    "hba1c": ("59261-8", "HbA1c", "mmol/mol", "mmol/mol", "20", "42"),
    "glucose": ("14749-6", "Glucose", "mmol/L", "mmol/L", "4.0", "7.8"),
    "egfr": ("62238-1", "eGFR (CKD-EPI)", "mL/min/1,73 m²", "mL/min/{1.73_m2}", "90", ""),
    "kreatinine": ("14682-9", "Kreatinine", "µmol/L", "umol/L", "50", "100"),
    "ldl": ("22748-8", "LDL-cholesterol", "mmol/L", "mmol/L", "", "2.6"),
    "kalium": ("2823-3", "Kalium", "mmol/L", "mmol/L", "3.5", "5.0"),
    "hb": ("59260-0", "Hemoglobine", "mmol/L", "mmol/L", "7.5", "10.0"),
    "tsh": ("3016-3", "TSH", "mU/L", "m[IU]/L", "0.4", "4.0"),
    "ferritine": ("2276-4", "Ferritine", "µg/L", "ug/L", "20", "150"),
    "inr": ("6301-6", "INR", "1", "1", "2.0", "3.5"),
    "ggt": ("2324-2", "Gamma-GT", "U/L", "U/L", "", "40"),
    "vitamine-d": ("1989-3", "Vitamine D (25-OH)", "nmol/L", "nmol/L", "50", ""),
    "hiv-rna": ("25836-8", "HIV-1 RNA (virale lading)", "kopieën/mL", "{copies}/mL", "", "50"),
    "cd4": ("24467-3", "CD4-cellen", "cellen/µL", "{cells}/uL", "500", "1500"),
}
VITAL: dict[str, tuple[str, str, str, str]] = {
    "gewicht": ("29463-7", "Gewicht", "kg", "kg"),
    "lengte": ("8302-2", "Lengte", "cm", "cm"),
    "bmi": ("39156-5", "BMI", "kg/m²", "kg/m2"),
    "pols": ("8867-4", "Hartslag", "per minuut", "/min"),
    "temperatuur": ("8310-5", "Temperatuur", "°C", "Cel"),
    "saturatie": ("2708-6", "Zuurstofverzadiging", "%", "%"),
    "ademfrequentie": ("9279-1", "Ademfrequentie", "per minuut", "/min"),
}
DIMENSIONS = {
    "lichaamsfuncties": "Lichaamsfuncties",
    "mentaal-welbevinden": "Mentaal welbevinden",
    "zingeving": "Zingeving",
    "kwaliteit-van-leven": "Kwaliteit van leven",
    "meedoen": "Meedoen",
    "dagelijks-functioneren": "Dagelijks functioneren",
}
_CATEGORY_TEXT = {
    "vital-signs": "Vitale functie",
    "laboratory": "Laboratorium",
    "survey": "Vragenlijst",
    "social-history": "Leefstijl",
}


def category(code: str) -> list[Json]:
    return [concept(f"{THO}/observation-category", code, _CATEGORY_TEXT[code])]


def vital(d: Dossier, key: str, value: str, at: str, who: str = "", encounter: str = "") -> str:
    """One vital sign; measured by the resident themself unless `who` (a PractitionerRole id) says otherwise."""
    code, text, unit, ucum = VITAL[key]
    return d.add(
        "Observation",
        f"{key}-{at[:10]}",
        status="final",
        category=category("vital-signs"),
        code=concept(LOINC, code, text),
        subject=ref(d.me),
        encounter=ref(encounter) if encounter else None,
        effectiveDateTime=at,
        performer=refs(f"PractitionerRole/{who}" if who else d.me),
        valueQuantity=quantity(value, unit, ucum),
    )


def blood_pressure(d: Dossier, systolic: int, diastolic: int, at: str, who: str = "", encounter: str = "") -> str:
    return d.add(
        "Observation",
        f"bloeddruk-{at[:10]}",
        status="final",
        category=category("vital-signs"),
        code=concept(LOINC, "85354-9", "Bloeddruk"),
        subject=ref(d.me),
        encounter=ref(encounter) if encounter else None,
        effectiveDateTime=at,
        performer=refs(f"PractitionerRole/{who}" if who else d.me),
        component=[
            {"code": concept(LOINC, "8480-6", "Bovendruk"), "valueQuantity": quantity(str(systolic), "mmHg", "mm[Hg]")},
            {
                "code": concept(LOINC, "8462-4", "Onderdruk"),
                "valueQuantity": quantity(str(diastolic), "mmHg", "mm[Hg]"),
            },
        ],
    )


def lab(d: Dossier, key: str, value: str, at: str, security: tuple[Json, ...] = ()) -> str:
    """One laboratory result with its reference range; a leading `<` in `value` becomes the comparator."""
    code, text, unit, ucum, low, high = LAB[key]
    measured = quantity(value.lstrip("<"), unit, ucum)
    if value.startswith("<"):
        measured["comparator"] = "<"
    limits = {name: quantity(limit, unit, ucum) for name, limit in (("low", low), ("high", high)) if limit}
    return d.add(
        "Observation",
        f"{key}-{at[:10]}",
        security=security,
        status="final",
        category=category("laboratory"),
        code=concept(LOINC, code, text),
        subject=ref(d.me),
        effectiveDateTime=at,
        issued=f"{at[:10]}T16:30:00+01:00",
        performer=refs("Organization/lab-parkdal"),
        valueQuantity=measured,
        interpretation=_interpretation(measured["value"], low, high),
        referenceRange=[limits],
    )


def _interpretation(value: Decimal, low: str, high: str) -> list[Json]:
    code, text = "N", "Normaal"
    if low and value < Decimal(low):
        code, text = "L", "Te laag"
    if high and value > Decimal(high):
        code, text = "H", "Te hoog"
    return [concept(f"{THO}/v3-ObservationInterpretation", code, text)]


def smoking(d: Dossier, snomed: str, text: str, on: str) -> str:
    return d.add(
        "Observation",
        f"roken-{on}",
        status="final",
        category=category("social-history"),
        code=concept(LOINC, "72166-2", "Rookgedrag"),
        subject=ref(d.me),
        effectiveDateTime=on,
        performer=refs(d.gp),
        valueCodeableConcept=concept("http://snomed.info/sct", snomed, text),
    )


def positive_health(d: Dossier, on: str, scores: tuple[int, int, int, int, int, int], wish: str = "") -> str:
    """The resident's own web: a QuestionnaireResponse and an Observation a dimension, 0 to 10; returns the response."""
    items = [
        {"linkId": f"{key}-cijfer", "text": f"{label}: welk cijfer geef ik?", "answer": [{"valueInteger": score}]}
        for (key, label), score in zip(DIMENSIONS.items(), scores, strict=True)
    ]
    if wish:
        items.append({"linkId": "wens", "text": "Wat wil ik graag anders?", "answer": [{"valueString": wish}]})
    response = d.add(
        "QuestionnaireResponse",
        f"gezondheidsweb-{on}",
        questionnaire=f"{BASE}/Questionnaire/mijn-gezondheidsweb",
        status="completed",
        subject=ref(d.me),
        authored=f"{on}T20:00:00+01:00",
        author=ref(d.me),
        source=ref(d.me),
        item=items,
    )
    for (key, label), score in zip(DIMENSIONS.items(), scores, strict=True):
        d.add(
            "Observation",
            f"{key}-{on}",
            status="final",
            category=category("survey"),
            code=concept(THEME, key, label),
            subject=ref(d.me),
            effectiveDateTime=f"{on}T20:00:00+01:00",
            performer=refs(d.me),
            valueQuantity={"value": score, "unit": "van de 10", "system": UCUM, "code": "{score}"},
            derivedFrom=refs(response),
        )
    return response


def medication(
    d: Dossier,
    slug: str,
    name: str,
    atc: str,
    dosage: str,
    *,
    since: str,
    reason: str = "",
    until: str = "",
    by: str = "",
    per_day: int = 0,
    security: tuple[Json, ...] = (),
) -> str:
    """A prescription and the statement that it is used; returns the MedicationRequest."""
    dose: Json = {"text": dosage}
    if per_day:
        dose["timing"] = {"repeat": {"frequency": per_day, "period": 1, "periodUnit": "d"}}
    request = d.add(
        "MedicationRequest",
        f"recept-{slug}",
        security=security,
        status="completed" if until else "active",
        intent="order",
        medicationCodeableConcept=concept(ATC, atc, name),
        subject=ref(d.me),
        authoredOn=since,
        requester=ref(by or d.gp),
        reasonReference=refs(reason) if reason else None,
        dosageInstruction=[dose],
        dispenseRequest={"performer": ref("Organization/apotheek-de-gaper")},
    )
    d.add(
        "MedicationStatement",
        f"gebruik-{slug}",
        security=security,
        basedOn=refs(request),
        status="completed" if until else "active",
        medicationCodeableConcept=concept(ATC, atc, name),
        subject=ref(d.me),
        effectivePeriod=period(since, until),
        dateAsserted=since,
        informationSource=ref(d.me),
        reasonReference=refs(reason) if reason else None,
        dosage=[dose],
    )
    return request


def drink_units(d: Dossier, per_week: str, on: str, security: tuple[Json, ...]) -> str:
    """Alcohol use in standard glasses a week."""
    return d.add(
        "Observation",
        f"alcohol-{on}",
        security=security,
        status="final",
        category=category("social-history"),
        code=concept(LOINC, "74013-4", "Alcoholgebruik"),
        subject=ref(d.me),
        effectiveDateTime=on,
        performer=refs(d.me),
        valueQuantity=quantity(per_week, "glazen per week", "{glasses}/wk"),
    )
