"""Ruben Willems, 37: hiv, well treated; decides who knows, and that is not everybody."""

from examples.author.consents import actor, consent, provision, research, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, THO, Json, coding
from examples.author.labels import HIV, RESTRICTED, SEX
from examples.author.measurements import blood_pressure, lab, medication, positive_health, vital
from examples.author.plans import NURSING, care_plan, goal, task

SENSITIVE = (HIV, RESTRICTED)


def dossier() -> list[Json]:
    d = Dossier(3, "huisarts-el-amrani")
    d.patient(
        "Ruben Jacob",
        "Willems",
        call="Ruben",
        gender="male",
        born="1989-02-09",
        marital="S",
        street="Mijnlamppad",
        number="31",
        postcode="6432 WA",
        practice="gp-mijnlamp",
        summary="Leraar, woont samen",
    )
    partner = d.related(
        "partner", "Daan", "Theunissen", "partner", "eerste-contact", gender="male", since="2021-06-01", line=504
    )
    d.coverage()
    hiv = d.condition(
        "hiv",
        "Hiv-infectie, onder behandeling",
        (SNOMED, "86406008"),
        (ICPC, "B90"),
        since="2018-05",
        by="PractitionerRole/internist-okafor",
        security=SENSITIVE,
    )
    d.condition("hooikoorts", "Hooikoorts", (SNOMED, "21719001"), (ICPC, "R97"), since="2003")
    for at, cells in (
        ("2025-11-06T08:30:00+01:00", "640"),
        ("2026-05-07T08:30:00+02:00", "655"),
        ("2026-11-05T08:30:00+01:00", "672"),
    ):
        lab(d, "hiv-rna", "<20", at, SENSITIVE)
        lab(d, "cd4", cells, at, SENSITIVE)
    lab(d, "ldl", "2.9", "2026-11-05T08:30:00+01:00")
    lab(d, "kreatinine", "84", "2026-11-05T08:30:00+01:00")
    medication(
        d,
        "bictegravir",
        "Bictegravir, emtricitabine en tenofoviralafenamide tablet",
        "J05AR20",
        "1 tablet per dag",
        since="2019-10-01",
        reason=hiv,
        by="PractitionerRole/internist-okafor",
        per_day=1,
        security=SENSITIVE,
    )
    medication(d, "cetirizine", "Cetirizine tablet 10 mg", "R06AE07", "Zo nodig 1 tablet per dag", since="2015-05-01")
    blood_pressure(d, 122, 76, "2026-05-07T09:00:00+02:00", "huisarts-el-amrani")
    vital(d, "gewicht", "76.2", "2026-05-07T09:01:00+02:00", "huisarts-el-amrani")
    d.immunization(
        "hepatitis-b-1", "Vaccinatie hepatitis B", (SNOMED, "836374004"), on="2018-07-02", dose=1, lot="VB-HB-18"
    )
    d.immunization(
        "hepatitis-b-2", "Vaccinatie hepatitis B", (SNOMED, "836374004"), on="2018-08-06", dose=2, lot="VB-HB-18"
    )
    d.encounter(
        "poli-internist",
        "Halfjaarcontrole",
        at="2026-11-12T14:00:00+01:00",
        until="2026-11-12T14:20:00+01:00",
        who="internist-okafor",
        organization="ziekenhuis-parkdal",
        reason=hiv,
        security=SENSITIVE,
    )
    d.encounter(
        "soa-spreekuur",
        "Spreekuur seksuele gezondheid",
        at="2026-06-08T16:20:00+02:00",
        until="2026-06-08T16:40:00+02:00",
        who="huisarts-el-amrani",
        organization="ggd-parkdal",
        location="mfa-spreekkamer-2",
        security=(SEX, RESTRICTED),
    )
    d.document(
        "polibrief",
        "Brief internist",
        "Virus niet aantoonbaar. Medicatie ongewijzigd. Controle over een half jaar.",
        on="2026-11-12T16:00:00+01:00",
        author="PractitionerRole/internist-okafor",
        code=(LOINC, "11488-4"),
        security=SENSITIVE,
    )
    d.flag(
        "bloedgift",
        "Geen bloeddonor",
        category="clinical",
        since="2018-05-20",
        author="PractitionerRole/internist-okafor",
        security=SENSITIVE,
    )
    d.episode(
        "hiv-behandeling",
        hiv,
        since="2018-05-20",
        organization="ziekenhuis-parkdal",
        manager="internist-okafor",
        security=SENSITIVE,
    )
    positive_health(d, "2026-08-22", (8, 7, 8, 8, 7, 9))
    stay = goal(
        d,
        "doel-onder-controle",
        "Ik blijf gezond en neem elke dag mijn pil.",
        addresses=hiv,
        start="2019-10-01",
        security=SENSITIVE,
    )
    pills = task(
        d,
        "taak-herhaalrecept",
        "Herhaalrecept klaarleggen",
        owner="PractitionerRole/apotheker-de-wit",
        status="in-progress",
        authored="2026-10-01T10:00:00+02:00",
        security=SENSITIVE,
    )
    care_plan(
        d,
        "plan",
        "Gezond blijven",
        category=NURSING,
        since="2019-10-01",
        author="PractitionerRole/internist-okafor",
        goals=(stay,),
        tasks=(pills,),
    )
    _consents(d, partner)
    return d.resources


def _consents(d: Dossier, partner: str) -> None:
    consent(
        d,
        "behandelaars",
        "Wie mij behandelt mag mijn dossier zien, behalve alles over hiv en seks. Dat ziet alleen de internist.",
        provision(
            "permit",
            provision(
                "deny",
                provision("permit", actor=[actor("PractitionerRole/internist-okafor")]),
                securityLabel=[HIV, SEX],
            ),
            actor=[
                actor("Organization/gp-mijnlamp"),
                actor("Organization/apotheek-de-gaper"),
                actor("PractitionerRole/internist-okafor"),
            ],
            purpose=("TREAT",),
        ),
        on="2024-01-15T19:00:00+01:00",
    )
    consent(
        d,
        "waarnemer",
        "De waarnemer in De Esdoorn mag in noodgevallen alles zien wat niet strenger is dan normaal.",
        provision(
            "permit",
            actor=[actor("PractitionerRole/waarnemer-el-amrani")],
            purpose=("ETREAT",),
            securityLabel=[coding(f"{THO}/v3-Confidentiality", "N", "normal")],
        ),
        on="2024-01-15T19:05:00+01:00",
    )
    consent(
        d,
        "partner",
        "Daan mag alles zien, net als ik.",
        provision("permit", actor=[actor(partner)], purpose=("FAMRQT",)),
        on="2024-01-15T19:10:00+01:00",
    )
    consent(
        d,
        "ook-niet-in-nood",
        "Alles over hiv en seks blijft dicht, ook in nood en ook met de noodknop.",
        provision("deny", purpose=("ETREAT", "BTG"), securityLabel=[HIV, SEX]),
        on="2024-01-15T19:25:00+01:00",
        policy="OPTOUT",
    )
    research(
        d,
        "onderzoek",
        "Onderzoekers van het Leerhuis mogen mijn metingen van 2024 tot en met 2026 gebruiken, maar niets over hiv.",
        provision(
            "permit",
            provision("deny", securityLabel=[HIV, SEX]),
            actor=[actor("PractitionerRole/onderzoeker-lindeman")],
            purpose=("HRESCH",),
            class_=resource_class("Observation"),
            dataPeriod={"start": "2024-01-01", "end": "2026-12-31"},
        ),
        on="2024-01-20T12:00:00+01:00",
    )
    consent(
        d,
        "brieven-internist",
        "Wat de internist schrijft is niet voor de apotheek.",
        provision(
            "deny",
            actor=[actor("Organization/apotheek-de-gaper"), actor("PractitionerRole/internist-okafor", "AUT")],
            class_=resource_class("DocumentReference", "Encounter"),
        ),
        on="2024-01-15T19:20:00+01:00",
        policy="OPTOUT",
    )
