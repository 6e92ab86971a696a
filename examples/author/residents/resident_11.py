"""Gerda Reijnders, 76: carer of Leo (bewoner-08), tired, and now somebody takes care of her."""

from examples.author.consents import actor, category_actor, consent, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json, concept
from examples.author.labels import PSY, RESTRICTED
from examples.author.measurements import blood_pressure, lab, medication, positive_health, vital
from examples.author.plans import SUPPORT, care_plan, goal, referral, task


def dossier() -> list[Json]:
    d = Dossier(11, "huisarts-el-amrani")
    d.patient(
        "Gerarda Wilhelmina",
        "Reijnders",
        call="Gerda",
        gender="female",
        born="1950-08-29",
        marital="M",
        street="Kompelhof",
        number="61",
        postcode="6432 WH",
        practice="gp-mijnlamp",
        links=("RelatedPerson/bewoner-08-partner",),
        summary="Zorgt dag en nacht voor haar man",
    )
    son = d.related("zoon", "Mark", "Reijnders", "zoon", "eerste-contact", gender="male", since="1976-03-01", line=514)
    neighbour = d.related("buurvrouw", "Fatma", "Yıldız", "buur", gender="female", since="2024-01-01", line=515)
    d.coverage()
    overload = d.condition(
        "overbelasting",
        "Overbelaste mantelzorger",
        (SNOMED, "432521006"),
        (ICPC, "Z14"),
        since="2025-11",
        security=(PSY, RESTRICTED),
    )
    pressure = d.condition("hypertensie", "Hoge bloeddruk", (SNOMED, "38341003"), (ICPC, "K86"), since="2010-04")
    d.condition("artrose-knie", "Artrose van de knie", (SNOMED, "239873007"), (ICPC, "L90"), since="2016")
    medication(
        d,
        "lisinopril",
        "Lisinopril tablet 10 mg",
        "C09AA03",
        "1 tablet per dag",
        since="2010-05-01",
        reason=pressure,
        per_day=1,
    )
    medication(
        d,
        "temazepam",
        "Temazepam capsule 10 mg",
        "N05CD07",
        "Zo nodig 1 voor het slapen, hooguit twee per week",
        since="2026-01-12",
        until="2026-03-01",
        reason=overload,
        security=(PSY, RESTRICTED),
    )
    for at, systolic, diastolic in (
        ("2026-01-12T09:00:00+01:00", 158, 92),
        ("2026-06-08T09:00:00+02:00", 146, 86),
        ("2026-11-09T09:00:00+01:00", 139, 84),
    ):
        blood_pressure(d, systolic, diastolic, at, "huisarts-el-amrani")
    blood_pressure(d, 143, 85, "2026-10-23T10:30:00+02:00")
    vital(d, "gewicht", "81.4", "2026-11-09T09:01:00+01:00", "huisarts-el-amrani")
    lab(d, "kalium", "4.2", "2026-06-09T08:00:00+02:00")
    d.encounter(
        "gesprek-huisarts",
        "Gesprek over hoe het gaat",
        at="2026-01-12T08:50:00+01:00",
        until="2026-01-12T09:20:00+01:00",
        who="huisarts-el-amrani",
        organization="gp-mijnlamp",
        location="huisartsen-mijnlamp",
        reason=overload,
        security=(PSY, RESTRICTED),
    )
    positive_health(d, "2026-01-20", (5, 3, 6, 3, 2, 4), "Eén avond per week voor mezelf.")
    positive_health(d, "2026-10-30", (6, 6, 7, 6, 5, 5), "Eén avond per week voor mezelf: gelukt, het koor.")
    evening = goal(d, "doel-avond", "Elke woensdag naar het koor.", start="2026-01-20", due="2026-12-31")
    support = referral(
        d,
        "verwijzing-mantelzorg",
        "Een gesprek bij het mantelzorgsteunpunt.",
        theme=("mantelzorg", "Steun voor mantelzorgers"),
        service="mantelzorgsteunpunt",
        performer="mantelzorgconsulent-van-loo",
        authored="2026-01-12T09:20:00+01:00",
        status="completed",
    )
    talk = task(
        d,
        "taak-mantelzorg",
        "Gesprek en plan met de mantelzorgconsulent",
        owner="PractitionerRole/mantelzorgconsulent-van-loo",
        status="completed",
        authored="2026-01-12T09:20:00+01:00",
        modified="2026-02-03T15:00:00+01:00",
        based_on=support,
        focus=support,
        output="Woensdagavond oppas door buurvrouw, respijtzorg aangevraagd.",
    )
    sitting = task(
        d,
        "taak-oppas",
        "Woensdagavond bij Leo zitten",
        owner=neighbour,
        status="in-progress",
        authored="2026-02-03T15:00:00+01:00",
        requester=d.me,
    )
    care_plan(
        d,
        "plan",
        "Volhouden, en meer dan dat",
        category=SUPPORT,
        since="2026-02-03",
        author=d.me,
        goals=(evening,),
        tasks=(talk, sitting),
        help_from_others=(("Oppassen", "Elke woensdagavond", neighbour),),
        definition="zorgen-voor-de-zorger",
    )
    _consents(d, son)
    return d.resources


def _consents(d: Dossier, son: str) -> None:
    consent(
        d,
        "niemand-tenzij",
        "Niemand ziet mijn dossier, behalve mijn eigen huisarts en in nood de dokter die mij helpt.",
        provision(
            "",
            provision("permit", actor=[actor(d.gp)], purpose=("TREAT",)),
            provision(
                "permit",
                actor=[
                    category_actor(
                        "PractitionerRole", "http://fhir.nl/fhir/NamingSystem/uzi-rolcode", "01.015", "Huisarts"
                    )
                ],
                purpose=("ETREAT",),
            ),
        ),
        on="2026-01-12T09:15:00+01:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "steunpunt-2025",
        "Het mantelzorgsteunpunt mocht in 2025 mijn plan zien.",
        provision(
            "permit",
            actor=[actor("Organization/mantelzorgsteunpunt")],
            class_=resource_class("CarePlan", "Task"),
            period={"start": "2025-01-01", "end": "2025-12-31"},
        ),
        on="2025-01-05T10:00:00+01:00",
    )
    consent(
        d,
        "zoon-kijkt-mee",
        "Mark ziet mijn afspraken, plan en bloeddruk, maar niets over hoe zwaar het is.",
        provision(
            "permit",
            provision("deny", securityLabel=[PSY]),
            provision(
                "permit",
                class_=resource_class("Observation"),
                code=[concept(LOINC, "85354-9", "Bloeddruk")],
            ),
            actor=[actor(son)],
            class_=resource_class("Appointment", "CarePlan"),
            action=("access",),
        ),
        on="2026-02-03T20:00:00+01:00",
    )
    consent(
        d,
        "app-bloeddruk",
        "De app Mijn bloeddruk leest mijn bloeddruk en mijn gewicht, en niets anders.",
        provision(
            "permit",
            actor=[actor("Device/app-mijn-bloeddruk", "GRANTEE")],
            action=("access",),
            code=[concept(LOINC, "85354-9", "Bloeddruk"), concept(LOINC, "29463-7", "Gewicht")],
        ),
        on="2026-10-23T10:00:00+02:00",
    )
