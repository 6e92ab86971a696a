"""Tomasz Wiśniewski, 43: came for work, stayed for his daughter, stopped drinking with help of people who know."""

from examples.author.consents import actor, consent, data, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, THO, Json, coding
from examples.author.labels import RESTRICTED, SUD
from examples.author.measurements import blood_pressure, drink_units, lab, medication, positive_health
from examples.author.plans import SUPPORT, care_plan, goal, referral, task

SENSITIVE = (SUD, RESTRICTED)
BUDDY = "PractitionerRole/ervaringsdeskundige-gorissen"


def dossier() -> list[Json]:
    d = Dossier(9, "huisarts-wetzels")
    d.patient(
        "Tomasz",
        "Wiśniewski",
        gender="male",
        born="1983-10-02",
        marital="L",
        street="Bermpad",
        number="18",
        postcode="6433 WQ",
        practice="gp-lindehof",
        language="pl",
        summary="Stukadoor, spreekt Pools en steeds meer Nederlands",
    )
    d.related("dochter", "Zofia", "Wiśniewska", "dochter", gender="female", since="2012-02-20", line=512)
    d.coverage()
    alcohol = d.condition(
        "alcohol", "Alcoholverslaving, gestopt", (SNOMED, "66590003"), (ICPC, "P15"), since="2021", security=SENSITIVE
    )
    d.condition("leververvetting", "Leververvetting", (SNOMED, "197321007"), (ICPC, "D97"), since="2025-02")
    d.condition("taal", "Taalachterstand Nederlands", (ICPC, "Z10"), since="2019")
    d.allergy(
        "latex",
        "Latex",
        (SNOMED, "1003755004"),
        category="environment",
        criticality="low",
        reaction=("271807003", "Huiduitslag", "mild"),
    )
    medication(
        d,
        "acamprosaat",
        "Acamprosaat tablet 333 mg",
        "N07BB03",
        "3 keer per dag 2 tabletten",
        since="2025-03-10",
        until="2026-03-10",
        reason=alcohol,
        by="PractitionerRole/verslavingsarts-heijnen",
        per_day=3,
        security=SENSITIVE,
    )
    drink_units(d, "56", "2025-02-20", SENSITIVE)
    drink_units(d, "0", "2026-10-12", SENSITIVE)
    for at, value in (
        ("2025-02-21T08:00:00+01:00", "212"),
        ("2025-08-20T08:00:00+02:00", "71"),
        ("2026-10-12T08:00:00+02:00", "34"),
    ):
        lab(d, "ggt", value, at, SENSITIVE)
    blood_pressure(d, 132, 84, "2026-10-12T09:00:00+02:00", "huisarts-wetzels")
    d.encounter(
        "opname-detox",
        "Opname ontgifting",
        at="2025-03-03T10:00:00+01:00",
        until="2025-03-10T11:00:00+01:00",
        who="verslavingsarts-heijnen",
        organization="verslavingszorg-de-wending",
        kind="IMP",
        reason=alcohol,
        security=SENSITIVE,
    )
    d.document(
        "ontslagbrief-detox",
        "Ontslagbrief ontgifting",
        "Zeven dagen opgenomen, zonder complicaties. Nazorg in de wijk.",
        on="2025-03-10T12:00:00+01:00",
        author="PractitionerRole/verslavingsarts-heijnen",
        code=(LOINC, "18842-5"),
        security=SENSITIVE,
    )
    episode = d.episode(
        "nazorg",
        alcohol,
        since="2025-03-10",
        organization="verslavingszorg-de-wending",
        manager="verslavingsarts-heijnen",
        security=SENSITIVE,
    )
    for slug, at, until in (
        ("nazorg-voorjaar", "2026-04-14T10:00:00+02:00", "2026-04-14T10:30:00+02:00"),
        ("nazorg-najaar", "2026-10-12T10:00:00+02:00", "2026-10-12T10:30:00+02:00"),
    ):
        d.encounter(
            slug,
            "Nazorggesprek",
            at=at,
            until=until,
            who="verslavingsarts-heijnen",
            organization="verslavingszorg-de-wending",
            location="inloop-de-wending",
            reason=alcohol,
            episode=episode,
            security=SENSITIVE,
        )
    positive_health(d, "2025-06-01", (5, 5, 6, 5, 3, 5), "Nederlands leren.")
    positive_health(d, "2026-09-15", (7, 7, 8, 7, 7, 7), "Anderen helpen.")
    sober = goal(d, "doel-nuchter", "Elke dag een dag.", addresses=alcohol, start="2025-03-10", security=SENSITIVE)
    speak = goal(d, "doel-taal", "Een gesprek op school voeren zonder tolk.", start="2025-06-01", due="2026-12-31")
    group = referral(
        d,
        "verwijzing-zelfhulp",
        "Zelfhulpgroep Zonder drank, donderdagavond.",
        theme=("zelfhulp", "Zelfhulp"),
        service="zelfhulp-drank",
        performer="ervaringsdeskundige-gorissen",
        authored="2025-03-10T12:30:00+01:00",
        requester="PractitionerRole/verslavingsarts-heijnen",
        status="completed",
        security=SENSITIVE,
    )
    joined = task(
        d,
        "taak-zelfhulp",
        "Naar de zelfhulpgroep",
        owner=BUDDY,
        status="completed",
        authored="2025-03-10T12:30:00+01:00",
        modified="2026-03-12T21:30:00+01:00",
        based_on=group,
        focus=group,
        requester="PractitionerRole/verslavingsarts-heijnen",
        output="Een jaar lang elke week geweest. Wordt zelf maatje.",
        security=SENSITIVE,
    )
    language = task(
        d,
        "taak-taalcafe",
        "Taalcafé op woensdag en zaterdag",
        owner="Organization/bibliotheek-hoensbroek",
        status="in-progress",
        authored="2025-06-04T13:30:00+02:00",
        requester=d.me,
    )
    team = d.team(
        "Nuchter team",
        [
            (d.me, "Ikzelf", ""),
            (BUDDY, "Maatje met ervaring", ""),
            ("PractitionerRole/verslavingsarts-heijnen", "Verslavingsarts", ""),
            (d.gp, "Huisarts", ""),
        ],
        since="2025-03-10",
    )
    care_plan(
        d,
        "plan",
        "Nuchter verder",
        category=SUPPORT,
        since="2025-03-10",
        author=d.me,
        team=team,
        goals=(sober, speak),
        tasks=(joined, language),
    )
    _consents(d, episode)
    return d.resources


def _consents(d: Dossier, episode: str) -> None:
    consent(
        d,
        "nazorg",
        "Mijn team mag zien wat bij de nazorg hoort, zolang die duurt.",
        provision(
            "permit", actor=[actor(f"CareTeam/{d.id}-team")], data=[data("related", episode)], purpose=("TREAT",)
        ),
        on="2025-03-10T13:00:00+01:00",
    )
    consent(
        d,
        "maatje",
        "Ron, mijn maatje, ziet mijn plan en mijn doelen. Geen uitslagen.",
        provision(
            "permit",
            provision(
                "deny",
                class_=resource_class("Observation", "DiagnosticReport", "MedicationRequest", "MedicationStatement"),
            ),
            actor=[actor(BUDDY)],
            data=[
                data("instance", f"CarePlan/{d.id}-plan"),
                data("instance", f"Goal/{d.id}-doel-nuchter"),
                data("instance", f"Goal/{d.id}-doel-taal"),
            ],
        ),
        on="2025-03-20T13:00:00+01:00",
    )
    consent(
        d,
        "huisarts",
        "De Lindehof mag alles zien tot en met vertrouwelijk.",
        provision(
            "permit",
            actor=[actor("Organization/gp-lindehof")],
            purpose=("TREAT",),
            securityLabel=[coding(f"{THO}/v3-Confidentiality", "R", "restricted")],
        ),
        on="2025-03-10T13:05:00+01:00",
    )
    consent(
        d,
        "geschreven-door-de-wending",
        "Wat De Wending schreef, mag De Wending blijven lezen.",
        provision(
            "permit",
            actor=[actor("Organization/verslavingszorg-de-wending")],
            data=[data("authoredby", "Organization/verslavingszorg-de-wending")],
        ),
        on="2025-03-10T13:10:00+01:00",
    )
