"""Youssef Benali, 48: debts, dark thoughts, and a way to the financial desk that nobody needs a diagnosis for."""

from examples.author.consents import actor, consent, data, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json
from examples.author.labels import PSY, RESTRICTED
from examples.author.measurements import blood_pressure, lab, medication, positive_health, smoking, vital
from examples.author.plans import SUPPORT, care_plan, goal, referral, task

SENSITIVE = (PSY, RESTRICTED)


def dossier() -> list[Json]:
    d = Dossier(2, "huisarts-vermeulen")
    d.patient(
        "Youssef",
        "Benali",
        gender="male",
        born="1978-06-21",
        marital="D",
        street="Zeefkuilstraat",
        number="58",
        postcode="6432 WJ",
        practice="gp-de-esdoorn",
        summary="Magazijnmedewerker zonder werk, twee kinderen om het weekend",
    )
    brother = d.related("broer", "Hassan", "Benali", "broer", "eerste-contact", gender="male", line=503)
    d.coverage()
    depression = d.condition(
        "depressie",
        "Depressieve stoornis, matig",
        (SNOMED, "35489007"),
        (ICPC, "P76"),
        since="2026-03",
        security=SENSITIVE,
    )
    d.condition("rugpijn", "Lage rugpijn", (SNOMED, "279039007"), (ICPC, "L03"), since="2024-10")
    intake = d.encounter(
        "intake-poh",
        "Eerste gesprek praktijkondersteuner",
        at="2026-03-18T13:00:00+01:00",
        until="2026-03-18T13:45:00+01:00",
        who="poh-ggz-daniels",
        organization="gp-de-esdoorn",
        location="huisartsen-de-esdoorn",
        reason=depression,
        security=SENSITIVE,
    )
    d.document(
        "gespreksverslag",
        "Verslag eerste gesprek",
        "Slaapt slecht, piekert over schulden, geen doodswens. Plan: ritme, bewegen, geldzaken.",
        on="2026-03-18T14:00:00+01:00",
        author="PractitionerRole/poh-ggz-daniels",
        code=(LOINC, "34117-2"),
        security=SENSITIVE,
    )
    medication(
        d,
        "sertraline",
        "Sertraline tablet 50 mg",
        "N06AB06",
        "1 tablet per dag",
        since="2026-04-02",
        reason=depression,
        per_day=1,
        security=SENSITIVE,
    )
    medication(d, "paracetamol", "Paracetamol tablet 500 mg", "N02BE01", "Zo nodig 2 tabletten", since="2024-10-10")
    blood_pressure(d, 134, 86, "2026-03-11T09:00:00+01:00", "huisarts-vermeulen")
    vital(d, "gewicht", "88.5", "2026-03-11T09:02:00+01:00", "huisarts-vermeulen")
    lab(d, "tsh", "1.9", "2026-03-12T08:00:00+01:00")
    smoking(d, "77176002", "Rookt", "2026-03-11")
    positive_health(d, "2026-04-15", (6, 3, 4, 3, 2, 4), "Weer slapen en de post durven openen.")
    positive_health(d, "2026-10-01", (6, 5, 5, 5, 5, 6), "Werk vinden.")
    d.procedure(
        "gesprek-poh",
        "Kort cognitief gedragstherapeutisch gesprek",
        (SNOMED, "304891004"),
        on="2026-05-06",
        who="poh-ggz-daniels",
        reason=depression,
        security=SENSITIVE,
    )
    _debts(d, depression)
    _consents(d, intake, brother)
    return d.resources


def _debts(d: Dossier, depression: str) -> None:
    """The closed loop: referred, accepted, done, and one offer that was refused with a reason."""
    debts = d.condition("geldzorgen", "Geldzorgen en schulden", (ICPC, "Z01"), since="2025-12")
    desk = referral(
        d,
        "verwijzing-geldzaken",
        "Ga langs bij het financieel spreekuur in De Stip en neem uw post mee.",
        theme=("geldzaken", "Hulp bij geldzaken"),
        service="financieel-spreekuur",
        performer="schuldhulpverlener-bouzid",
        authored="2026-03-18T13:50:00+01:00",
        requester="PractitionerRole/poh-ggz-daniels",
        status="completed",
        note="Bewoner wil graag dat de huisarts hoort dat het gelukt is.",
    )
    done = task(
        d,
        "taak-geldzaken",
        "Overzicht maken en regelingen treffen",
        owner="PractitionerRole/schuldhulpverlener-bouzid",
        status="completed",
        authored="2026-03-18T13:50:00+01:00",
        modified="2026-06-25T11:00:00+02:00",
        based_on=desk,
        focus=desk,
        requester="PractitionerRole/poh-ggz-daniels",
        output="Regeling met alle schuldeisers, budgetplan gemaakt.",
    )
    food = referral(
        d,
        "verwijzing-voedselbank",
        "Voedselpakket voor drie maanden.",
        theme=("voedsel", "Voedselhulp"),
        service="voedselbank",
        performer="maatschappelijk-werker-claessen",
        authored="2026-04-01T10:00:00+02:00",
        status="revoked",
    )
    refused = task(
        d,
        "taak-voedselbank",
        "Aanmelding voedselbank",
        owner="Organization/voedselbank-hoensbroek",
        status="rejected",
        authored="2026-04-01T10:00:00+02:00",
        modified="2026-04-03T12:00:00+02:00",
        based_on=food,
        focus=food,
        reason="Inkomen net boven de grens van de voedselbank; verwezen naar de eettafel.",
    )
    work = task(
        d,
        "taak-leerwerkplek",
        "Kennismaken met de leerwerkplek",
        owner="PractitionerRole/maatschappelijk-werker-claessen",
        status="requested",
        authored="2026-11-02T10:00:00+01:00",
        requester=d.me,
    )
    rest = goal(d, "doel-post", "Ik open elke dag mijn post.", addresses=debts, start="2026-04-15")
    mood = goal(d, "doel-slapen", "Ik slaap zes uur per nacht.", start="2026-04-15", due="2026-12-31")
    care_plan(
        d,
        "plan",
        "Rust in het hoofd en op de rekening",
        category=SUPPORT,
        since="2026-04-15",
        author=d.me,
        goals=(rest, mood),
        tasks=(done, refused, work),
        definition="rust-in-de-portemonnee",
    )
    d.communication(
        "terugkoppeling",
        "De regeling is rond. U hoort van ons als er iets verandert.",
        sent="2026-06-25T11:05:00+02:00",
        sender="PractitionerRole/schuldhulpverlener-bouzid",
        to="PractitionerRole/poh-ggz-daniels",
        about=done,
    )
    d.episode(
        "poh-traject",
        depression,
        since="2026-03-18",
        organization="gp-de-esdoorn",
        manager="poh-ggz-daniels",
        security=SENSITIVE,
    )


def _consents(d: Dossier, intake: str, brother: str) -> None:
    consent(
        d,
        "praktijk",
        "De Esdoorn mag mijn dossier zien, maar mijn GGZ-gegevens alleen mijn eigen huisarts en praktijkondersteuner.",
        provision(
            "permit",
            provision(
                "deny",
                provision("permit", actor=[actor(d.gp), actor("PractitionerRole/poh-ggz-daniels")]),
                securityLabel=[PSY],
            ),
            actor=[actor("Organization/gp-de-esdoorn")],
            purpose=("TREAT",),
        ),
        on="2026-03-18T13:05:00+01:00",
    )
    consent(
        d,
        "schuldhulp",
        "De schuldhulpverlener ziet mijn aanmelding en de taken, en verder niets.",
        provision(
            "permit",
            actor=[actor("PractitionerRole/schuldhulpverlener-bouzid")],
            class_=resource_class("ServiceRequest", "Task", "Communication"),
            data=[
                data("instance", f"ServiceRequest/{d.id}-verwijzing-geldzaken"),
                data("dependents", f"ServiceRequest/{d.id}-verwijzing-geldzaken"),
            ],
        ),
        on="2026-03-18T13:55:00+01:00",
    )
    consent(
        d,
        "verzekeraar",
        "Niemand mag mijn gegevens gebruiken voor reclame of voor betaling door de verzekeraar.",
        provision("deny", purpose=("HMARKT", "HPAYMT")),
        on="2026-03-18T13:06:00+01:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "intake-broer",
        "Mijn broer mocht het verslag van het eerste gesprek lezen. Dat is nu voorbij.",
        provision(
            "permit",
            actor=[actor(brother)],
            period={"start": "2026-04-01", "end": "2026-06-30"},
            data=[data("related", intake)],
        ),
        on="2026-04-01T20:00:00+02:00",
    )
