"""Kim Franssen, 28: lives with support, works at De Werkplaats, wants things explained in plain words."""

from examples.author.consents import actor, consent, data, document_class, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json
from examples.author.measurements import blood_pressure, lab, medication, positive_health, vital
from examples.author.plans import SUPPORT, care_plan, goal, task


def dossier() -> list[Json]:
    d = Dossier(10, "huisarts-vermeulen")
    d.patient(
        "Kim",
        "Franssen",
        gender="female",
        born="1998-12-05",
        marital="S",
        street="Esdoornhof",
        number="44",
        postcode="6431 WT",
        practice="gp-de-esdoorn",
        summary="Werkt drie dagen in De Werkplaats, woont in een eigen studio",
    )
    mother = d.related(
        "moeder", "Anja", "Franssen", "moeder", "mantelzorger", gender="female", since="1998-12-05", line=513
    )
    d.coverage()
    d.condition("lvb", "Licht verstandelijke beperking", (SNOMED, "86765009"), (ICPC, "P85"), since="2004")
    thyroid = d.condition(
        "schildklier", "Te traag werkende schildklier", (SNOMED, "40930008"), (ICPC, "T86"), since="2019-06"
    )
    medication(
        d,
        "levothyroxine",
        "Levothyroxine tablet 75 microgram",
        "H03AA01",
        "1 tablet voor het ontbijt",
        since="2019-06-20",
        reason=thyroid,
        per_day=1,
    )
    lab(d, "tsh", "5.8", "2025-11-03T08:00:00+01:00")
    lab(d, "tsh", "2.4", "2026-05-04T08:00:00+02:00")
    blood_pressure(d, 118, 74, "2026-05-11T10:00:00+02:00", "huisarts-vermeulen")
    vital(d, "gewicht", "70.1", "2026-05-11T10:01:00+02:00", "huisarts-vermeulen")
    d.encounter(
        "jaargesprek",
        "Jaargesprek in begrijpelijke taal",
        at="2026-05-11T09:55:00+02:00",
        until="2026-05-11T10:25:00+02:00",
        who="huisarts-vermeulen",
        organization="gp-de-esdoorn",
        location="huisartsen-de-esdoorn",
    )
    d.flag(
        "begrijpelijk",
        "Leg alles uit in korte zinnen; vraag Kim om het na te vertellen",
        category="contact",
        since="2019-06-01",
    )
    d.document(
        "wat-is-schildklier",
        "Uitleg over de schildklier",
        "Je schildklier is een beetje lui. De pil helpt. Elke ochtend één.",
        on="2026-05-11T10:30:00+02:00",
        author=d.gp,
        code=(LOINC, "69730-0"),
    )
    positive_health(d, "2026-05-20", (8, 7, 8, 8, 7, 6), "Zelf koken.")
    cook = goal(d, "doel-koken", "Ik kook twee keer per week zelf.", start="2026-05-20", due="2026-12-31")
    kitchen = task(
        d,
        "taak-koken",
        "Meedoen met Gezond koken voor weinig",
        owner="PractitionerRole/dietist-muris",
        status="in-progress",
        authored="2026-05-20T20:30:00+02:00",
        requester=d.me,
    )
    bike = task(
        d,
        "taak-fiets",
        "Fiets maken in het repaircafé",
        owner="Organization/zorgcooperatie-hoensbroek",
        status="cancelled",
        authored="2026-04-01T12:00:00+02:00",
        modified="2026-04-11T13:00:00+02:00",
        requester=d.me,
        reason="Kim heeft de fiets verkocht.",
    )
    care_plan(
        d,
        "plan",
        "Zelf doen wat kan",
        category=SUPPORT,
        since="2026-05-20",
        author=d.me,
        goals=(cook,),
        tasks=(kitchen, bike),
        help_from_others=(("Samen de week plannen", "Elke zondag", mother),),
    )
    d.communication(
        "nieuws",
        "Hoi Kim, de kookgroep begint woensdag om vier uur. Neem een schort mee.",
        sent="2026-05-25T10:00:00+02:00",
        sender="PractitionerRole/dietist-muris",
        to=d.me,
        about=kitchen,
    )
    _consents(d, mother)
    return d.resources


def _consents(d: Dossier, mother: str) -> None:
    consent(
        d,
        "huisarts",
        "Mijn huisarts mag alles zien.",
        provision("permit", actor=[actor("PractitionerRole/huisarts-vermeulen")]),
        on="2026-05-11T10:20:00+02:00",
    )
    consent(
        d,
        "geen-reclame",
        "Niemand mag mijn gegevens gebruiken voor reclame, ook mijn huisarts niet.",
        provision("deny", purpose=("HMARKT",)),
        on="2026-05-11T10:21:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "moeder-alles",
        "Mama mag alles zien. Dit heb ik stopgezet.",
        provision("permit", actor=[actor(mother)]),
        on="2019-06-20T10:00:00+02:00",
        status="inactive",
    )
    consent(
        d,
        "moeder-uitleg",
        "Mama mag de uitleg lezen en mijn afspraken zien, en verder niets.",
        provision(
            "deny",
            provision("permit", class_=document_class("69730-0", "uitleg")),
            provision("permit", data=[data("instance", f"Binary/{d.id}-wat-is-schildklier-tekst")]),
            provision("permit", class_=resource_class("Appointment")),
            actor=[actor(mother)],
        ),
        on="2026-05-20T21:00:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "werkplek-voorstel",
        "Voorstel van het Leerhuis: het plan van Kim inzien. Kim heeft nog niets gezegd.",
        provision(
            "permit", actor=[actor("Organization/leerhuis-wijkzorg")], class_=resource_class("CarePlan", "Goal", "Task")
        ),
        on="2026-11-10T09:00:00+01:00",
        status="proposed",
        performer="Organization/leerhuis-wijkzorg",
    )
