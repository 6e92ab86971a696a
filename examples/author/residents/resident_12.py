"""Ria Souren, 67: diabetes and kidneys; she never recorded a choice, so the base policy speaks."""

from examples.author.consents import consent
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, SNOMED, Json
from examples.author.measurements import blood_pressure, lab, medication, positive_health, smoking, vital
from examples.author.plans import NURSING, care_plan, goal, referral, task


def dossier() -> list[Json]:
    d = Dossier(12, "huisarts-vermeulen")
    d.patient(
        "Maria Catharina",
        "Souren",
        call="Ria",
        gender="female",
        born="1959-07-07",
        marital="D",
        street="Letterplein",
        number="22",
        postcode="6431 WK",
        practice="gp-de-esdoorn",
        summary="Gastvrouw in De Huiskamer, zelf suikerziekte",
    )
    d.coverage()
    diabetes = d.condition(
        "diabetes", "Diabetes mellitus type 2", (SNOMED, "44054006"), (ICPC, "T90.02"), since="2014-03"
    )
    kidneys = d.condition(
        "nierschade", "Chronische nierschade stadium 3", (SNOMED, "433144002"), (ICPC, "U99.01"), since="2023-05"
    )
    d.condition("overgewicht", "Ernstig overgewicht", (SNOMED, "414916001"), (ICPC, "T82"), since="2010")
    d.episode(
        "ketenzorg-diabetes", diabetes, since="2014-04-01", organization="gp-de-esdoorn", manager="poh-somatiek-frijns"
    )
    medication(
        d,
        "metformine",
        "Metformine tablet 1000 mg",
        "A10BA02",
        "2 keer per dag 1 tablet",
        since="2014-04-01",
        reason=diabetes,
        per_day=2,
    )
    medication(
        d,
        "insuline",
        "Insuline glargine 100 E/ml pen",
        "A10AE04",
        "20 eenheden voor de nacht",
        since="2022-09-01",
        reason=diabetes,
        per_day=1,
    )
    medication(
        d,
        "simvastatine",
        "Simvastatine tablet 40 mg",
        "C10AA01",
        "1 tablet voor de nacht",
        since="2015-01-01",
        per_day=1,
    )
    for at, hba1c, glucose, egfr, ldl in (
        ("2025-11-18T08:00:00+01:00", "69", "11.2", "55", "2.4"),
        ("2026-02-17T08:00:00+01:00", "66", "10.1", "54", "2.3"),
        ("2026-05-19T08:00:00+02:00", "61", "9.0", "54", "2.1"),
        ("2026-08-18T08:00:00+02:00", "58", "8.4", "53", "2.0"),
    ):
        lab(d, "hba1c", hba1c, at)
        lab(d, "glucose", glucose, at)
        lab(d, "egfr", egfr, at)
        lab(d, "ldl", ldl, at)
    for at, systolic, diastolic, weight, bmi in (
        ("2025-11-25T09:00:00+01:00", 144, 84, "96.4", "34.2"),
        ("2026-05-26T09:00:00+02:00", 138, 82, "92.8", "32.9"),
        ("2026-08-25T09:00:00+02:00", 134, 80, "90.1", "31.9"),
    ):
        blood_pressure(d, systolic, diastolic, at, "poh-somatiek-frijns")
        vital(d, "gewicht", weight, at, "poh-somatiek-frijns")
        vital(d, "bmi", bmi, at, "poh-somatiek-frijns")
    vital(d, "lengte", "168", "2025-11-25T09:01:00+01:00", "poh-somatiek-frijns")
    smoking(d, "266919005", "Nooit gerookt", "2025-11-25")
    d.procedure(
        "voetcontrole",
        "Voetcontrole bij diabetes",
        (SNOMED, "401191002"),
        on="2026-08-25",
        who="poh-somatiek-frijns",
        reason=diabetes,
    )
    d.encounter(
        "kwartaalcontrole",
        "Kwartaalcontrole diabetes",
        at="2026-08-25T08:50:00+02:00",
        until="2026-08-25T09:20:00+02:00",
        who="poh-somatiek-frijns",
        organization="gp-de-esdoorn",
        location="huisartsen-de-esdoorn",
        reason=diabetes,
    )
    positive_health(d, "2026-01-10", (4, 7, 8, 7, 9, 7), "Twintig kilo eraf.")
    positive_health(d, "2026-08-30", (6, 8, 8, 8, 9, 8), "Op vakantie met de trein.")
    weight_goal = goal(
        d,
        "doel-gewicht",
        "Ik weeg 85 kilo en heb minder insuline nodig.",
        addresses=diabetes,
        start="2025-12-01",
        due="2027-12-01",
    )
    fit = referral(
        d,
        "verwijzing-gli",
        "Leefstijlprogramma Samen Fit, dinsdag en donderdag.",
        theme=("leefstijl", "Gezonde leefstijl"),
        service="gli-samen-fit",
        performer="fysiotherapeut-hendriks",
        authored="2025-11-25T09:20:00+01:00",
        requester="PractitionerRole/poh-somatiek-frijns",
        reason=diabetes,
    )
    program = task(
        d,
        "taak-gli",
        "Leefstijlprogramma Samen Fit",
        owner="PractitionerRole/fysiotherapeut-hendriks",
        status="in-progress",
        authored="2025-11-25T09:20:00+01:00",
        modified="2026-08-25T09:20:00+02:00",
        based_on=fit,
        focus=fit,
        requester="PractitionerRole/poh-somatiek-frijns",
        instantiates="samen-fit",
    )
    eating = task(
        d,
        "taak-dietist",
        "Drie gesprekken met de diëtist",
        owner="PractitionerRole/dietist-muris",
        status="completed",
        authored="2025-12-01T10:00:00+01:00",
        modified="2026-03-02T10:00:00+01:00",
        part_of=program,
        output="Drie gesprekken gehad, dagmenu gemaakt.",
    )
    care_plan(
        d,
        "diabetesplan",
        "Grip op suiker",
        category=NURSING,
        since="2025-12-01",
        author="PractitionerRole/poh-somatiek-frijns",
        addresses=(diabetes, kidneys),
        goals=(weight_goal,),
        tasks=(program, eating),
        definition="samen-fit-hoensbroek",
    )
    d.appointment(
        "kwartaal-4",
        "Kwartaalcontrole diabetes",
        start="2026-11-24T09:00:00+01:00",
        end="2026-11-24T09:20:00+01:00",
        who="poh-somatiek-frijns",
        location="huisartsen-de-esdoorn",
    )
    consent(
        d,
        "nooit-gekozen",
        "Ria is gevraagd en dacht er nog over na; de vraag is vervallen.",
        None,
        on="2026-08-25T09:10:00+02:00",
        status="rejected",
        policy="EMRGONLY",
    )
    return d.resources
