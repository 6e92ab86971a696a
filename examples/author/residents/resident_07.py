"""Sjef Coumans, 73: former miner with tired lungs, volunteer, and the neighbour of Annie (bewoner-01)."""

from examples.author.consents import actor, category_actor, consent, provision, research
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, SNOMED, Json, period
from examples.author.measurements import blood_pressure, medication, positive_health, smoking, vital
from examples.author.plans import SUPPORT, care_plan, goal, referral, task


def dossier() -> list[Json]:
    d = Dossier(7, "huisarts-vermeulen")
    d.patient(
        "Jozef Hubert",
        "Coumans",
        call="Sjef",
        gender="male",
        born="1953-01-19",
        marital="M",
        street="Gaardestraat",
        number="29",
        postcode="6433 WG",
        practice="gp-de-esdoorn",
        links=("RelatedPerson/bewoner-01-buur",),
        summary="Oud-mijnwerker, bestuurslid van de wijkraad, haalt boodschappen voor zijn buurvrouw",
    )
    wife = d.related(
        "echtgenote", "Tiny", "Coumans", "partner", "eerste-contact", gender="female", since="1977-05-20", line=509
    )
    d.coverage()
    copd = d.condition("copd", "COPD", (SNOMED, "13645005"), (ICPC, "R95"), since="2011-02")
    d.condition("gehoor", "Slechthorend", (SNOMED, "15188001"), (ICPC, "H86"), since="2018")
    d.episode("ketenzorg-copd", copd, since="2011-03-01", organization="gp-de-esdoorn", manager="poh-somatiek-frijns")
    medication(
        d,
        "tiotropium",
        "Tiotropium inhalatiecapsule 18 microgram",
        "R03BB04",
        "1 capsule per dag inhaleren",
        since="2012-01-10",
        reason=copd,
        per_day=1,
    )
    medication(
        d,
        "salbutamol",
        "Salbutamol dosisaerosol 100 microgram",
        "R03AC02",
        "Zo nodig 1 tot 2 pufjes",
        since="2011-03-01",
        reason=copd,
    )
    medication(
        d, "nicotinepleister", "Nicotine pleister 14 mg", "N07BA01", "1 pleister per dag", since="2026-09-14", per_day=1
    )
    check = d.encounter(
        "copd-controle",
        "Jaarcontrole COPD",
        at="2026-09-08T08:30:00+02:00",
        until="2026-09-08T09:00:00+02:00",
        who="poh-somatiek-frijns",
        organization="gp-de-esdoorn",
        location="huisartsen-de-esdoorn",
        reason=copd,
    )
    blood_pressure(d, 136, 80, "2026-09-08T08:35:00+02:00", "poh-somatiek-frijns", check)
    vital(d, "saturatie", "93", "2026-09-08T08:36:00+02:00", "poh-somatiek-frijns", check)
    vital(d, "gewicht", "84.0", "2026-09-08T08:37:00+02:00", "poh-somatiek-frijns", check)
    d.procedure(
        "spirometrie", "Spirometrie", (SNOMED, "127783003"), on="2026-09-08", who="poh-somatiek-frijns", reason=copd
    )
    smoking(d, "77176002", "Rookt", "2026-09-08")
    smoking(d, "8517006", "Gestopt met roken", "2026-11-09")
    d.immunization("griep-2026", "Griepvaccinatie", (SNOMED, "1181000221105"), on="2026-10-28", dose=1, lot="VB-26-1")
    d.immunization(
        "pneumokokken", "Pneumokokkenvaccinatie", (SNOMED, "836398006"), on="2022-10-19", dose=1, lot="VB-PN-22"
    )
    positive_health(d, "2026-09-06", (4, 7, 9, 7, 9, 7), "Trap op zonder te rusten.")
    quit_goal = goal(
        d, "doel-roken", "Ik ben gestopt en blijf gestopt.", addresses=copd, start="2026-09-14", due="2027-09-14"
    )
    group = referral(
        d,
        "verwijzing-stoppen",
        "Groep Samen stoppen met roken, maandagavond in De Stip.",
        theme=("roken", "Stoppen met roken"),
        service="stoppen-met-roken",
        performer="poh-ggz-kaya",
        authored="2026-09-08T09:00:00+02:00",
        requester="PractitionerRole/poh-somatiek-frijns",
        reason=copd,
    )
    course = task(
        d,
        "taak-stoppen",
        "Groep Samen stoppen met roken",
        owner="Organization/gp-lindehof",
        status="in-progress",
        authored="2026-09-08T09:00:00+02:00",
        modified="2026-09-14T21:00:00+02:00",
        based_on=group,
        focus=group,
        instantiates="samen-stoppen",
        requester="PractitionerRole/poh-somatiek-frijns",
    )
    tool = task(
        d,
        "taak-zelftool",
        "Elke dag de zelftool Stoppen met roken",
        owner=d.me,
        status="in-progress",
        authored="2026-09-14T21:00:00+02:00",
        instantiates="zelftool-stoppen-met-roken",
        requester=d.me,
    )
    team = d.team(
        "Longteam",
        [
            ("PractitionerRole/huisarts-vermeulen", "Huisarts", ""),
            ("PractitionerRole/poh-somatiek-frijns", "Praktijkondersteuner", ""),
            ("PractitionerRole/fysiotherapeut-hendriks", "Fysiotherapeut", ""),
            (wife, "Echtgenote", ""),
        ],
        since="2011-03-01",
        condition=copd,
    )
    care_plan(
        d,
        "longplan",
        "Lucht houden",
        category=SUPPORT,
        since="2026-09-14",
        author="PractitionerRole/poh-somatiek-frijns",
        team=team,
        addresses=(copd,),
        goals=(quit_goal,),
        tasks=(course, tool),
        definition="rookvrij-hoensbroek",
    )
    d.appointment(
        "evaluatie",
        "Evaluatie stoppen met roken",
        start="2026-12-15T08:30:00+01:00",
        end="2026-12-15T08:50:00+01:00",
        who="poh-somatiek-frijns",
        location="huisartsen-de-esdoorn",
    )
    _consents(d, wife)
    return d.resources


def _consents(d: Dossier, wife: str) -> None:
    consent(
        d,
        "alle-huisartsenpraktijken",
        "Elke huisartsenpraktijk die mij behandelt mag mijn dossier zien.",
        provision(
            "permit",
            actor=[
                category_actor(
                    "Organization", "http://nictiz.nl/fhir/NamingSystem/organization-type", "Z3", "Huisartspraktijk"
                )
            ],
            purpose=("TREAT",),
        ),
        on="2025-05-01T10:00:00+02:00",
    )
    consent(
        d,
        "longteam",
        "Mijn longteam mag alles zien en bijwerken.",
        provision(
            "permit",
            actor=[actor(f"CareTeam/{d.id}-team")],
            action=("access", "use", "collect", "correct", "disclose"),
            purpose=("TREAT",),
        ),
        on="2026-09-08T08:55:00+02:00",
    )
    research(
        d,
        "onderzoek",
        "Mijn gegevens mogen gebruikt worden voor onderzoek naar longen van oud-mijnwerkers.",
        provision("permit", purpose=("HRESCH",)),
        on="2025-05-01T10:10:00+02:00",
    )
    consent(
        d,
        "echtgenote",
        "Tiny mag alles zien zolang we getrouwd zijn.",
        provision("permit", actor=[actor(wife)], purpose=("FAMRQT",)),
        on="2025-05-01T10:05:00+02:00",
    )
    consent(
        d,
        "plusgroep",
        "De PlusPraktijk mag zien wat De Esdoorn over mij beheert, voor de groep Samen stoppen met roken.",
        provision(
            "permit",
            actor=[actor("Organization/gp-lindehof", "IRCP"), actor("Organization/gp-de-esdoorn", "CST")],
            purpose=("CAREMGT",),
            period=period("2026-09-08", "2026-12-31"),
        ),
        on="2026-09-08T09:05:00+02:00",
    )
