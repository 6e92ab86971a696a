"""Jaimy Cremers, 19: adhd, too much weed, and a youth worker who is trusted."""

from examples.author.consents import actor, consent, data, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json
from examples.author.labels import PSY, RESTRICTED, SUD
from examples.author.measurements import medication, positive_health, vital
from examples.author.plans import SUPPORT, care_plan, goal, referral, task

YOUTH_WORKER = "PractitionerRole/jongerenwerker-de-jong"
PSYCHOLOGIST = "PractitionerRole/psycholoog-ubachs"


def dossier() -> list[Json]:
    d = Dossier(6, "huisarts-el-amrani")
    d.patient(
        "Jaimy",
        "Cremers",
        gender="other",
        born="2007-08-11",
        marital="S",
        street="Liftschachtpad",
        number="14",
        postcode="6432 WN",
        practice="gp-mijnlamp",
        summary="Zit tussen school en werk in, maakt muziek",
    )
    mother = d.related(
        "moeder", "Sandra", "Cremers", "moeder", gender="female", since="2007-08-11", until="2025-08-10", line=508
    )
    d.coverage()
    adhd = d.condition(
        "adhd", "ADHD", (SNOMED, "406506008"), (ICPC, "P21"), since="2016-02", security=(PSY, RESTRICTED)
    )
    weed = d.condition(
        "cannabis",
        "Problematisch cannabisgebruik",
        (SNOMED, "85005007"),
        (ICPC, "P19"),
        since="2025-01",
        security=(SUD, RESTRICTED),
    )
    d.condition(
        "gebroken-pols", "Gebroken pols", (SNOMED, "263102004"), (ICPC, "L72"), since="2021-07-03", until="2021-09-01"
    )
    medication(
        d,
        "methylfenidaat",
        "Methylfenidaat tablet met gereguleerde afgifte 36 mg",
        "N06BA04",
        "1 tablet in de ochtend",
        since="2018-03-01",
        until="2025-06-30",
        reason=adhd,
        per_day=1,
        security=(PSY, RESTRICTED),
    )
    vital(d, "gewicht", "63.0", "2026-02-11T10:00:00+01:00", "huisarts-el-amrani")
    d.encounter(
        "inloop-wending",
        "Inloopgesprek",
        at="2026-05-12T15:00:00+02:00",
        until="2026-05-12T15:40:00+02:00",
        who="verslavingsarts-heijnen",
        organization="verslavingszorg-de-wending",
        location="inloop-de-wending",
        reason=weed,
        security=(SUD, RESTRICTED),
    )
    d.encounter(
        "gesprek-psycholoog",
        "Gesprek bij de psycholoog",
        at="2026-09-15T14:00:00+02:00",
        until="2026-09-15T14:45:00+02:00",
        who="psycholoog-ubachs",
        organization="ggz-de-brug-wijkteam",
        location="ggz-de-brug",
        reason=adhd,
        security=(PSY, RESTRICTED),
    )
    d.document(
        "verslag-psycholoog",
        "Verslag psycholoog",
        "Piekert minder. Oefent met kleine stappen en met muziek. Volgende afspraak in december.",
        on="2026-09-15T17:00:00+02:00",
        author=PSYCHOLOGIST,
        code=(LOINC, "34117-2"),
        security=(PSY, RESTRICTED),
    )
    d.document(
        "schoolverslag",
        "Verslag jeugdteam",
        "Concentratie moeilijk, sociaal sterk. Advies: kleine stappen, muziek als ingang.",
        on="2023-11-01T12:00:00+01:00",
        author="Organization/gemeente-sociaal-wijkteam",
        code=(LOINC, "34117-2"),
        security=(PSY, RESTRICTED),
    )
    positive_health(d, "2026-06-01", (7, 4, 5, 5, 4, 4), "Muziek maken en geld verdienen.")
    positive_health(d, "2026-11-01", (7, 6, 6, 6, 6, 5), "Een eigen plek.")
    less = goal(
        d,
        "doel-minderen",
        "Door de week niet blowen.",
        addresses=weed,
        start="2026-05-12",
        due="2027-02-28",
        security=(SUD, RESTRICTED),
    )
    studio = goal(d, "doel-muziek", "Ik geef een optreden in De Lift.", start="2026-06-01", due="2027-05-05")
    work = referral(
        d,
        "verwijzing-leerwerkplek",
        "Proefweek op de leerwerkplek.",
        theme=("werk", "Naar werk"),
        service="leerwerkplek",
        performer="jongerenwerker-de-jong",
        authored="2026-08-24T10:00:00+02:00",
        requester=YOUTH_WORKER,
    )
    trial = task(
        d,
        "taak-proefweek",
        "Proefweek op de leerwerkplek",
        owner="Organization/leerhuis-wijkzorg",
        status="completed",
        authored="2026-08-24T10:00:00+02:00",
        modified="2026-09-25T16:00:00+02:00",
        based_on=work,
        focus=work,
        requester=YOUTH_WORKER,
        output="Ging goed, start 1 oktober voor drie dagen per week.",
    )
    buddy = task(
        d,
        "taak-maatje",
        "Elke week een uur met een maatje met ervaring",
        owner="PractitionerRole/ervaringsdeskundige-gorissen",
        status="in-progress",
        authored="2026-05-20T12:00:00+02:00",
        requester=YOUTH_WORKER,
        security=(SUD, RESTRICTED),
    )
    team = d.team(
        "Team Jaimy",
        [
            (d.me, "Ikzelf", ""),
            (YOUTH_WORKER, "Jongerenwerker", ""),
            ("PractitionerRole/ervaringsdeskundige-gorissen", "Maatje met ervaring", "2027-02-28"),
            ("PractitionerRole/verslavingsarts-heijnen", "Verslavingsarts", ""),
        ],
        since="2026-05-20",
    )
    care_plan(
        d,
        "plan",
        "Stap voor stap",
        category=SUPPORT,
        since="2026-06-01",
        author=d.me,
        team=team,
        goals=(less, studio),
        tasks=(trial, buddy),
    )
    _consents(d, mother)
    return d.resources


def _consents(d: Dossier, mother: str) -> None:
    consent(
        d,
        "jongerenwerker",
        "Kevin van De Lift ziet mijn plan, doelen en taken, tot eind 2027.",
        provision(
            "permit",
            actor=[actor(YOUTH_WORKER)],
            class_=resource_class("CarePlan", "Goal", "Task", "ServiceRequest", "CareTeam"),
            period={"start": "2026-05-20", "end": "2027-12-31"},
        ),
        on="2026-05-20T16:00:00+02:00",
    )
    consent(
        d,
        "niet-van-vroeger",
        "Wat van voor mijn achttiende is blijft dicht, ook voor wie mij nu behandelt.",
        provision("deny", dataPeriod={"end": "2025-08-10"}),
        on="2025-08-11T12:00:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "schoolverslag",
        "Het oude verslag over school blijft helemaal dicht.",
        provision(
            "deny",
            data=[
                data("instance", f"DocumentReference/{d.id}-schoolverslag"),
                data("instance", f"Binary/{d.id}-schoolverslag-tekst"),
            ],
        ),
        on="2025-08-11T12:05:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "behandelaars",
        "Wie mij behandelt mag nieuwe gegevens zien. Wat de psycholoog opschrijft ziet alleen de psycholoog.",
        provision(
            "permit",
            provision("deny", provision("permit", actor=[actor(PSYCHOLOGIST)]), securityLabel=[PSY]),
            actor=[
                actor("Organization/gp-mijnlamp"),
                actor("Organization/verslavingszorg-de-wending"),
                actor(PSYCHOLOGIST),
            ],
            purpose=("TREAT",),
            dataPeriod={"start": "2025-08-11"},
        ),
        on="2026-05-12T15:05:00+02:00",
    )
    consent(
        d,
        "moeder",
        "Mijn moeder keek mee tot mijn achttiende. Deze toestemming is ingetrokken.",
        provision("permit", actor=[actor(mother)], purpose=("FAMRQT",)),
        on="2023-08-11T12:00:00+02:00",
        status="inactive",
    )
