"""Annie Huijnen, 84: a tired heart, a fall, a daughter far away and a neighbour close by."""

from examples.author.consents import actor, advance_directive, category_actor, consent, data, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json, quantity
from examples.author.measurements import blood_pressure, lab, medication, positive_health, vital
from examples.author.plans import NURSING, SUPPORT, care_plan, goal, referral, task

NURSE = "wijkverpleegkundige-jansen"


def dossier() -> list[Json]:
    d = Dossier(1, "huisarts-vermeulen")
    d.patient(
        "Johanna Maria",
        "Huijnen",
        call="Annie",
        gender="female",
        born="1942-03-14",
        marital="W",
        street="Gaardestraat",
        number="27",
        postcode="6433 WG",
        practice="gp-de-esdoorn",
        summary="Weduwe, woont zelfstandig, wil dat graag zo houden",
    )
    daughter = d.related(
        "dochter",
        "Els",
        "Huijnen",
        "dochter",
        "mantelzorger",
        "gevolmachtigde",
        "eerste-contact",
        gender="female",
        since="2020-01-01",
        line=501,
    )
    neighbour = d.related(
        "buur", "Sjef", "Coumans", "buur", "mantelzorger", gender="male", since="2022-05-01", line=502
    )
    d.proxy_verified(
        "volmacht-controle",
        daughter,
        "De volmacht van de dochter is gezien en gecontroleerd.",
        "2024-02-12T10:00:00+01:00",
    )
    d.coverage()
    heart, diabetes, fall = _care(d)
    _plan(d, daughter, neighbour, heart, fall)
    _consents(d, daughter, neighbour, diabetes)
    return d.resources


def _care(d: Dossier) -> tuple[str, str, str]:
    heart = d.condition("hartfalen", "Hartfalen", (SNOMED, "84114007"), (ICPC, "K77"), since="2019-11")
    diabetes = d.condition("diabetes", "Diabetes mellitus type 2", (SNOMED, "44054006"), (ICPC, "T90.02"), since="2008")
    visit = d.encounter(
        "visite-val",
        "Visite na val",
        at="2026-09-03T11:00:00+02:00",
        until="2026-09-03T11:40:00+02:00",
        who="huisarts-vermeulen",
        organization="gp-de-esdoorn",
        kind="HH",
    )
    fall = d.condition(
        "val", "Val in huis, gekneusde heup", (SNOMED, "217082002"), (ICPC, "A29"), since="2026-09-02", encounter=visit
    )
    d.episode("wijkverpleging", heart, since="2024-02-01", organization="thuiszorg-de-gaard", manager=NURSE)
    d.episode(
        "weekendzorg",
        diabetes,
        since="2026-09-12",
        organization="thuiszorg-de-gaard",
        manager="wijkverpleegkundige-schoenmakers",
    )
    d.allergy(
        "penicilline",
        "Penicilline",
        (SNOMED, "764146007"),
        category="medication",
        criticality="high",
        reaction=("271807003", "Huiduitslag", "moderate"),
    )
    for at, systolic, diastolic, pulse, weight in (
        ("2026-08-17T09:10:00+02:00", 148, 82, "88", "71.4"),
        ("2026-10-19T09:05:00+02:00", 142, 80, "84", "72.9"),
        ("2026-11-16T09:15:00+01:00", 138, 78, "80", "71.0"),
    ):
        blood_pressure(d, systolic, diastolic, at, NURSE)
        vital(d, "pols", pulse, at, NURSE)
        vital(d, "gewicht", weight, at, NURSE)
    vital(d, "lengte", "158", "2024-02-01T10:00:00+01:00", NURSE)
    for key, value in (("hba1c", "54"), ("egfr", "48"), ("kreatinine", "102"), ("kalium", "4.7"), ("hb", "7.1")):
        lab(d, key, value, "2026-09-10T08:20:00+02:00")
    medication(
        d,
        "furosemide",
        "Furosemide tablet 40 mg",
        "C03CA01",
        "1 tablet in de ochtend",
        since="2019-11-20",
        reason=heart,
        per_day=1,
    )
    medication(
        d,
        "metoprolol",
        "Metoprolol retard tablet 50 mg",
        "C07AB02",
        "1 tablet per dag",
        since="2019-11-20",
        reason=heart,
        per_day=1,
    )
    medication(
        d,
        "metformine",
        "Metformine tablet 500 mg",
        "A10BA02",
        "2 keer per dag 1 tablet bij het eten",
        since="2008-06-01",
        reason=diabetes,
        per_day=2,
    )
    d.immunization("griep-2026", "Griepvaccinatie", (SNOMED, "1181000221105"), on="2026-10-28", dose=1, lot="VB-26-1")
    d.document(
        "ontslagbrief",
        "Ontslagbrief cardiologie",
        "Opname wegens vocht achter de longen. Medicatie aangepast. Controle bij de huisarts.",
        on="2026-01-15T14:00:00+01:00",
        author="PractitionerRole/internist-okafor",
        code=(LOINC, "18842-5"),
    )
    d.flag("valrisico", "Verhoogd risico op vallen", category="safety", since="2026-09-03")
    positive_health(d, "2026-02-10", (5, 7, 8, 7, 6, 6), "Weer zelf naar de bakker kunnen lopen.")
    positive_health(d, "2026-10-20", (4, 6, 8, 7, 5, 5), "Niet meer bang zijn om te vallen.")
    return heart, diabetes, fall


def _plan(d: Dossier, daughter: str, neighbour: str, heart: str, fall: str) -> None:
    team = d.team(
        "Het team van Annie",
        [
            (d.me, "Bewoner, beslist zelf", ""),
            ("PractitionerRole/huisarts-vermeulen", "Huisarts", ""),
            (f"PractitionerRole/{NURSE}", "Wijkverpleegkundige, aanspreekpunt", ""),
            ("PractitionerRole/fysiotherapeut-hendriks", "Fysiotherapeut", ""),
            ("PractitionerRole/vrijwilliger-crutzen", "Vrijwilliger burennetwerk", "2027-03-31"),
            (daughter, "Dochter, gevolmachtigde", ""),
            (neighbour, "Buurman, haalt boodschappen", ""),
        ],
        since="2024-02-01",
        condition=heart,
    )
    weight = goal(
        d,
        "doel-gewicht",
        "Mijn gewicht blijft onder de 72 kilo, dan krijg ik lucht.",
        addresses=heart,
        start="2024-02-01",
        due="2026-12-31",
        measure={
            "measure": {"coding": [{"system": LOINC, "code": "29463-7"}], "text": "Gewicht"},
            "detailQuantity": {**quantity("72", "kg"), "comparator": "<"},
        },
    )
    bakery = goal(
        d, "doel-bakker", "Ik loop zelf weer naar de bakker.", addresses=fall, start="2026-09-10", due="2027-01-31"
    )
    groceries = task(
        d,
        "taak-boodschappen",
        "Elke vrijdag boodschappen doen",
        owner=neighbour,
        status="in-progress",
        authored="2026-09-10T10:00:00+02:00",
        requester=d.me,
        until="2027-01-31",
    )
    lamp = task(
        d,
        "taak-lamp",
        "Lamp boven de trap vervangen",
        owner="PractitionerRole/vrijwilliger-crutzen",
        status="completed",
        authored="2026-09-08T10:00:00+02:00",
        modified="2026-09-11T15:30:00+02:00",
        requester=f"PractitionerRole/{NURSE}",
        output="Lamp vervangen, losse mat weggehaald.",
    )
    weigh = task(
        d,
        "taak-wegen",
        "Elke maandag samen wegen",
        owner=f"PractitionerRole/{NURSE}",
        status="in-progress",
        authored="2024-02-01T10:00:00+01:00",
    )
    care_plan(
        d,
        "zorgplan",
        "Thuis blijven wonen met een zwak hart",
        category=NURSING,
        since="2024-02-01",
        author=f"PractitionerRole/{NURSE}",
        team=team,
        addresses=(heart,),
        goals=(weight,),
        tasks=(weigh,),
    )
    care_plan(
        d,
        "steunplan",
        "Hulp van buren en familie",
        category=SUPPORT,
        since="2026-09-10",
        author=d.me,
        team=team,
        goals=(bakery,),
        tasks=(groceries, lamp),
        help_from_others=(
            ("Boodschappen doen", "Elke vrijdag", neighbour),
            ("Bellen en post doornemen", "Elke zondag", daughter),
        ),
    )
    balance = referral(
        d,
        "verwijzing-valpreventie",
        "U bent welkom bij Stevig staan, maandag en woensdag.",
        theme=("valpreventie", "Valpreventie"),
        service="valpreventie",
        performer="fysiotherapeut-hendriks",
        authored="2026-09-03T11:45:00+02:00",
    )
    task(
        d,
        "taak-valpreventie",
        "Aanmelding Stevig staan",
        owner="PractitionerRole/fysiotherapeut-hendriks",
        status="accepted",
        authored="2026-09-03T11:45:00+02:00",
        modified="2026-09-07T09:00:00+02:00",
        based_on=balance,
        focus=balance,
        instantiates="stevig-staan",
    )
    d.appointment(
        "controle",
        "Controle hartfalen",
        start="2026-12-08T10:20:00+01:00",
        end="2026-12-08T10:40:00+01:00",
        who="huisarts-vermeulen",
        location="huisartsen-de-esdoorn",
        service="124",
    )


def _consents(d: Dossier, daughter: str, neighbour: str, diabetes: str) -> None:
    consent(
        d,
        "team",
        "Mijn team mag mijn dossier inzien om mij te behandelen.",
        provision(
            "permit",
            actor=[actor(f"CareTeam/{d.id}-team")],
            action=("access", "use", "collect", "correct"),
            purpose=("TREAT",),
        ),
        on="2024-02-05T10:00:00+01:00",
    )
    consent(
        d,
        "buur",
        "Mijn buurman ziet alleen de taak die hij voor mij doet, tot en met 31 januari 2027. Geen ziekten.",
        provision(
            "deny",
            provision(
                "permit",
                actor=[actor(neighbour)],
                class_=resource_class("Task"),
                period={"start": "2026-09-10", "end": "2027-01-31"},
                data=[data("instance", f"Task/{d.id}-taak-boodschappen")],
            ),
            actor=[actor(neighbour)],
        ),
        on="2026-09-10T10:05:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "vrijwilligers",
        "Vrijwilligers zien alleen de taak die zij voor mij doen, ook als zij in mijn team zitten.",
        provision(
            "deny",
            provision("permit", data=[data("instance", f"Task/{d.id}-taak-lamp")]),
            actor=[actor("Group/vrijwilligers-burennetwerk")],
        ),
        on="2026-09-10T10:10:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "dochter",
        "Mijn dochter Els handelt namens mij als ik het zelf niet kan.",
        provision("permit", actor=[actor(daughter)], purpose=("PWATRNY",)),
        on="2024-02-12T10:00:00+01:00",
        verified_by=daughter,
    )
    consent(
        d,
        "apotheek",
        "Apotheek De Gaper mag mijn medicijnen, allergieën en nierfunctie zien.",
        provision(
            "permit",
            provision(
                "permit",
                actor=[actor("Organization/apotheek-de-gaper")],
                class_=resource_class("Observation"),
                code=[{"coding": [{"system": LOINC, "code": "62238-1"}], "text": "nierfunctie (eGFR)"}],
            ),
            actor=[actor("Organization/apotheek-de-gaper")],
            purpose=("TREAT",),
            class_=resource_class("MedicationRequest", "MedicationStatement", "AllergyIntolerance"),
        ),
        on="2024-02-05T10:10:00+01:00",
    )
    consent(
        d,
        "diabetes-wijkverpleging",
        "Alle wijkverpleegkundigen die mij behandelen mogen zien wat bij mijn diabetes hoort.",
        provision(
            "permit",
            actor=[category_actor("PractitionerRole", SNOMED, "224535009", "Wijkverpleegkundige")],
            purpose=("TREAT",),
            data=[data("dependents", diabetes)],
        ),
        on="2025-03-01T10:00:00+01:00",
    )
    advance_directive(
        d,
        "wilsverklaring",
        "Els beslist over mijn zorg als ik dat niet meer kan.",
        daughter,
        on="2024-02-12T10:30:00+01:00",
    )
