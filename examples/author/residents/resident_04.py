"""Noor Vaessen, 7: asthma, school, and two parents of whom one has authority."""

from examples.author.consents import actor, consent, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, SNOMED, Json
from examples.author.measurements import medication, vital
from examples.author.plans import SUPPORT, care_plan, goal, task


def dossier() -> list[Json]:
    d = Dossier(4, "huisarts-wetzels")
    d.patient(
        "Noor",
        "Vaessen",
        gender="female",
        born="2019-04-30",
        street="Koempelweg",
        number="73",
        postcode="6433 WL",
        practice="gp-lindehof",
        summary="Zit in groep vier, houdt van zwemmen",
    )
    mother = d.related(
        "moeder", "Lotte", "Vaessen", "moeder", "voogd", "eerste-contact", gender="female", since="2019-04-30", line=505
    )
    father = d.related("vader", "Dennis", "Houben", "vader", gender="male", since="2019-04-30", line=506)
    d.proxy_verified(
        "gezag-controle",
        mother,
        "Het gezag van de moeder is nagekeken in het gezagsregister.",
        "2023-09-05T09:00:00+02:00",
    )
    d.coverage()
    asthma = d.condition("astma", "Astma", (SNOMED, "195967001"), (ICPC, "R96"), since="2023-10")
    d.condition(
        "eczeem", "Constitutioneel eczeem", (SNOMED, "24079001"), (ICPC, "S87"), since="2020-01", until="2023-06-01"
    )
    d.allergy(
        "pinda",
        "Pinda",
        (SNOMED, "91935009"),
        category="food",
        criticality="high",
        reaction=("39579001", "Anafylaxie", "severe"),
    )
    medication(
        d,
        "salbutamol",
        "Salbutamol dosisaerosol 100 microgram",
        "R03AC02",
        "Zo nodig 1 tot 2 pufjes, met voorzetkamer",
        since="2023-10-12",
        reason=asthma,
    )
    medication(
        d,
        "fluticason",
        "Fluticason dosisaerosol 50 microgram",
        "R03BA05",
        "2 keer per dag 1 pufje",
        since="2024-02-01",
        reason=asthma,
        per_day=2,
    )
    for slug, text, code, on, dose in (
        ("dktp-1", "DKTP-Hib-HepB", "871878002", "2019-07-02", 1),
        ("dktp-2", "DKTP-Hib-HepB", "871878002", "2019-09-10", 2),
        ("dktp-3", "DKTP-Hib-HepB", "871878002", "2020-03-24", 3),
        ("bmr-1", "Bof, mazelen, rodehond", "871831003", "2020-06-30", 1),
        ("dktp-4", "DKTP", "871875004", "2023-05-09", 4),
    ):
        d.immunization(slug, text, (SNOMED, code), on=on, dose=dose, lot=f"RVP-{on[2:4]}-{dose}")
    for at, height, weight in (
        ("2023-05-09T09:30:00+02:00", "103.5", "16.8"),
        ("2026-09-21T15:30:00+02:00", "124.0", "23.6"),
    ):
        vital(d, "lengte", height, at, "huisarts-wetzels")
        vital(d, "gewicht", weight, at, "huisarts-wetzels")
    vital(d, "saturatie", "97", "2026-09-21T15:32:00+02:00", "huisarts-wetzels")
    d.encounter(
        "astmacontrole",
        "Astmacontrole",
        at="2026-09-21T15:25:00+02:00",
        until="2026-09-21T15:45:00+02:00",
        who="huisarts-wetzels",
        organization="gp-lindehof",
        location="huisartsen-lindehof",
        reason=asthma,
    )
    d.flag(
        "pinda-allergie",
        "Ernstige pinda-allergie, heeft een adrenalinepen bij zich",
        category="drug",
        since="2022-03-01",
    )
    team = d.team(
        "Het team van Noor",
        [
            (mother, "Moeder", ""),
            ("PractitionerRole/huisarts-wetzels", "Huisarts", ""),
            ("Organization/ggd-parkdal", "Jeugdgezondheidszorg", ""),
        ],
        since="2023-10-12",
        condition=asthma,
    )
    swim = goal(
        d,
        "doel-zwemmen",
        "Ik zwem zonder te hoesten.",
        addresses=asthma,
        start="2026-09-21",
        due="2027-06-30",
        by=mother,
    )
    school = task(
        d,
        "taak-school",
        "Pufjes en pen uitleggen aan juf",
        owner=mother,
        status="completed",
        authored="2026-09-21T15:45:00+02:00",
        modified="2026-09-24T08:40:00+02:00",
        output="Juf weet wat ze moet doen.",
    )
    care_plan(
        d,
        "plan",
        "Zwemmen met astma",
        category=SUPPORT,
        since="2026-09-21",
        author="PractitionerRole/huisarts-wetzels",
        team=team,
        addresses=(asthma,),
        goals=(swim,),
        tasks=(school,),
    )
    d.appointment(
        "vaccinatie",
        "DTP en BMR, negen jaar",
        start="2028-05-10T14:00:00+02:00",
        end="2028-05-10T14:10:00+02:00",
        who="huisarts-wetzels",
        location="consultatiebureau",
        status="pending",
    )
    consent(
        d,
        "huisarts-en-ggd",
        "De huisarts en de jeugdgezondheidszorg mogen het dossier van Noor zien.",
        provision(
            "permit",
            actor=[actor("Organization/gp-lindehof"), actor("Organization/ggd-parkdal", "IRCP")],
            purpose=("TREAT", "PUBHLTH"),
        ),
        on="2023-10-12T16:00:00+02:00",
        performer=mother,
    )
    consent(
        d,
        "vader",
        "Haar vader ziet de afspraken, allergieën en medicijnen, zodat het weekend veilig is.",
        provision(
            "permit",
            actor=[actor(father)],
            class_=resource_class("Appointment", "AllergyIntolerance", "MedicationStatement", "Flag"),
        ),
        on="2023-10-12T16:05:00+02:00",
        performer=mother,
    )
    return d.resources
