"""Leo Reijnders, 79: dementia; a curator decides on money and care, his wife does the rest."""

from examples.author.consents import actor, consent, data, provision, resource_class, treatment_directive
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json
from examples.author.measurements import blood_pressure, lab, medication, vital
from examples.author.plans import NURSING, SUPPORT, care_plan, goal, referral, task

NURSE = "wijkverpleegkundige-schoenmakers"


def dossier() -> list[Json]:
    d = Dossier(8, "huisarts-el-amrani")
    d.patient(
        "Leonardus Petrus",
        "Reijnders",
        call="Leo",
        gender="male",
        born="1947-05-03",
        marital="M",
        street="Kompelhof",
        number="61",
        postcode="6432 WH",
        practice="gp-mijnlamp",
        summary="Oud-bakker, houdt van zingen en duiven",
    )
    partner = d.related(
        "partner",
        "Gerda",
        "Reijnders",
        "partner",
        "mantelzorger",
        "eerste-contact",
        gender="female",
        since="1971-09-10",
        line=510,
    )
    curator = d.related("curator", "Bram", "Ritzen", "curator", gender="male", since="2025-02-01", line=511)
    d.proxy_verified(
        "curatele-controle", curator, "De curatele is gecontroleerd in het register.", "2025-02-03T09:30:00+01:00"
    )
    d.coverage()
    dementia = d.condition("alzheimer", "Ziekte van Alzheimer", (SNOMED, "26929004"), (ICPC, "P70.01"), since="2022-04")
    atrium = d.condition("boezemfibrilleren", "Boezemfibrilleren", (SNOMED, "49436004"), (ICPC, "K78"), since="2017-08")
    d.episode("casemanagement", dementia, since="2023-01-09", organization="thuiszorg-de-gaard", manager=NURSE)
    medication(
        d,
        "apixaban",
        "Apixaban tablet 5 mg",
        "B01AF02",
        "2 keer per dag 1 tablet",
        since="2017-09-01",
        reason=atrium,
        per_day=2,
    )
    medication(
        d,
        "donepezil",
        "Donepezil tablet 10 mg",
        "N06DA02",
        "1 tablet voor het slapen",
        since="2022-06-01",
        reason=dementia,
        per_day=1,
    )
    for at, systolic, diastolic, weight in (
        ("2026-07-06T10:00:00+02:00", 128, 74, "77.8"),
        ("2026-11-02T10:00:00+01:00", 126, 72, "75.1"),
    ):
        blood_pressure(d, systolic, diastolic, at, NURSE)
        vital(d, "gewicht", weight, at, NURSE)
    lab(d, "kreatinine", "91", "2026-07-07T08:00:00+02:00")
    lab(d, "vitamine-d", "38", "2026-07-07T08:00:00+02:00")
    d.encounter(
        "huisbezoek",
        "Huisbezoek",
        at="2026-11-02T09:50:00+01:00",
        until="2026-11-02T10:30:00+01:00",
        who=NURSE,
        organization="wijkverpleging-zuid",
        kind="HH",
        reason=dementia,
    )
    d.flag(
        "dwaalt",
        "Kan de weg kwijtraken; draagt een kaartje met telefoonnummer",
        category="behavioral",
        since="2025-10-01",
    )
    d.document(
        "levensverhaal",
        "Levensverhaal",
        "Bakkerszoon. Zong bij het mannenkoor. Duiven op het dak. Wordt rustig van accordeon.",
        on="2025-03-15T14:00:00+01:00",
        author=partner,
        code=(LOINC, "34117-2"),
    )
    home = goal(
        d,
        "doel-thuis",
        "Leo blijft thuis zolang Gerda het volhoudt.",
        addresses=dementia,
        start="2025-02-10",
        by=partner,
    )
    meet = referral(
        d,
        "verwijzing-ontmoeting",
        "Ontmoetingsgroep geheugen, drie dagen per week.",
        theme=("ontmoeten", "Ontmoeten"),
        service="dementie-ontmoeting",
        performer="ouderenadviseur-dohmen",
        authored="2025-02-10T11:00:00+01:00",
        requester=f"PractitionerRole/{NURSE}",
    )
    days = task(
        d,
        "taak-ontmoeting",
        "Drie dagen per week naar de ontmoetingsgroep",
        owner="Organization/welzijn-wijkwerk",
        status="in-progress",
        authored="2025-02-10T11:00:00+01:00",
        modified="2025-02-17T09:00:00+01:00",
        based_on=meet,
        focus=meet,
        requester=f"PractitionerRole/{NURSE}",
    )
    bus = task(
        d,
        "taak-buurtbus",
        "Buurtbus op maandag, woensdag en vrijdag",
        owner="Organization/gemeente-heerlen",
        status="in-progress",
        authored="2025-02-12T11:00:00+01:00",
        part_of=days,
        requester=partner,
    )
    respite = task(
        d,
        "taak-respijt",
        "Eén weekend per maand respijtzorg",
        owner="PractitionerRole/mantelzorgconsulent-van-loo",
        status="on-hold",
        authored="2026-06-01T11:00:00+02:00",
        requester=partner,
        reason="Wacht op een plek in De Linde.",
    )
    team = d.team(
        "Rond Leo",
        [
            (partner, "Echtgenote, mantelzorger", ""),
            (curator, "Curator", ""),
            (f"PractitionerRole/{NURSE}", "Casemanager dementie", ""),
            (d.gp, "Huisarts", ""),
            ("PractitionerRole/ouderenadviseur-dohmen", "Ouderenadviseur", ""),
            ("PractitionerRole/vrijwilliger-nowak", "Bezoekmaatje", "2027-06-30"),
        ],
        since="2025-02-10",
        condition=dementia,
    )
    care_plan(
        d,
        "zorgplan",
        "Veilig thuis met dementie",
        category=NURSING,
        since="2025-02-10",
        author=f"PractitionerRole/{NURSE}",
        team=team,
        addresses=(dementia,),
        goals=(home,),
        tasks=(days, bus, respite),
    )
    care_plan(
        d,
        "steunplan",
        "Steun rond Leo en Gerda",
        category=SUPPORT,
        since="2025-02-10",
        author=partner,
        team=team,
        help_from_others=(("Zingen en wandelen", "Elke dinsdag", partner),),
    )
    _consents(d, partner, curator, dementia)
    return d.resources


def _consents(d: Dossier, partner: str, curator: str, dementia: str) -> None:
    consent(
        d,
        "zorgteam",
        "Het team rond Leo mag zijn dossier zien. Vrijwilligers zien alleen de steun en het levensverhaal.",
        provision(
            "permit",
            provision(
                "deny",
                provision(
                    "permit",
                    data=[
                        data("instance", f"CarePlan/{d.id}-steunplan"),
                        data("instance", f"DocumentReference/{d.id}-levensverhaal"),
                        data("instance", f"Binary/{d.id}-levensverhaal-tekst"),
                    ],
                ),
                actor=[actor("PractitionerRole/vrijwilliger-nowak"), actor("Group/vrijwilligers-burennetwerk")],
            ),
            actor=[actor(f"CareTeam/{d.id}-team")],
        ),
        on="2025-02-10T12:00:00+01:00",
        performer=curator,
    )
    consent(
        d,
        "echtgenote",
        "Gerda mag alles zien wat met zijn dementie en dagelijks leven te maken heeft.",
        provision(
            "deny",
            provision(
                "permit",
                data=[
                    data("dependents", dementia),
                    data("instance", f"DocumentReference/{d.id}-levensverhaal"),
                    data("instance", f"Binary/{d.id}-levensverhaal-tekst"),
                ],
            ),
            provision("permit", class_=resource_class("CarePlan", "Task")),
            actor=[actor(partner)],
        ),
        on="2025-02-10T12:05:00+01:00",
        policy="OPTOUT",
        performer=curator,
    )
    consent(
        d,
        "curator",
        "De curator ziet wat nodig is om te beslissen.",
        provision("permit", actor=[actor(curator)], purpose=("PWATRNY",)),
        on="2025-02-10T12:10:00+01:00",
        performer=curator,
    )
    treatment_directive(
        d,
        "niet-reanimeren",
        "Leo wil niet gereanimeerd worden. Vastgelegd in 2021, toen hij dit zelf kon zeggen.",
        ("89666000", "Reanimatie"),
        "deny",
        on="2021-06-14T11:00:00+02:00",
    )
    consent(
        d,
        "verzekeraar-aanbod",
        "Voorstel: De Steun mag Leo een aanbod voor dagbesteding doen. Nog niet bevestigd.",
        provision(
            "permit",
            actor=[actor("Organization/zorgverzekeraar-de-steun")],
            class_=resource_class("Coverage"),
            purpose=("CAREMGT",),
        ),
        on="2026-10-05T12:00:00+02:00",
        status="proposed",
        performer="PractitionerRole/huisarts-el-amrani",
    )
