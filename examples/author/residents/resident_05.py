"""Lotte Vaessen, 32: pregnant again, and safe from somebody who must not know where she is."""

from examples.author.consents import actor, consent, data, provision, resource_class
from examples.author.dossier import Dossier
from examples.author.elements import ICPC, LOINC, SNOMED, Json
from examples.author.labels import RESTRICTED, SEX, VERY_RESTRICTED, VIOLENCE
from examples.author.measurements import blood_pressure, lab, medication, positive_health, vital
from examples.author.plans import NURSING, SUPPORT, care_plan, goal, referral, task

MIDWIFE = "verloskundige-smeets"


def dossier() -> list[Json]:
    d = Dossier(5, "huisarts-wetzels")
    d.patient(
        "Lotte Elisabeth",
        "Vaessen",
        call="Lotte",
        gender="female",
        born="1994-09-17",
        marital="D",
        street="Koempelweg",
        number="73",
        postcode="6433 WL",
        practice="gp-lindehof",
        links=("RelatedPerson/bewoner-04-moeder",),
        summary="Moeder van Noor, kapster",
    )
    former = d.related(
        "ex-partner",
        "Dennis",
        "Houben",
        "partner",
        gender="male",
        since="2016-01-01",
        until="2023-08-31",
        active=False,
        line=506,
    )
    friend = d.related("vriendin", "Mila", "Brouns", "vriend", "eerste-contact", gender="female", line=507)
    d.coverage()
    pregnancy = d.condition(
        "zwanger",
        "Zwangerschap",
        (SNOMED, "77386006"),
        (ICPC, "W78"),
        since="2026-07-06",
        by=f"PractitionerRole/{MIDWIFE}",
        security=(SEX, RESTRICTED),
    )
    violence = d.condition(
        "geweld",
        "Huiselijk geweld in het verleden",
        (SNOMED, "371772001"),
        (ICPC, "Z12"),
        since="2022",
        until="2023-08-31",
        security=(VIOLENCE, VERY_RESTRICTED),
    )
    d.condition("ijzertekort", "Bloedarmoede door ijzertekort", (SNOMED, "87522002"), (ICPC, "B80"), since="2026-09")
    medication(
        d,
        "foliumzuur",
        "Foliumzuur tablet 0,5 mg",
        "B03BB01",
        "1 tablet per dag",
        since="2026-06-01",
        until="2026-09-15",
        security=(SEX, RESTRICTED),
        per_day=1,
    )
    medication(d, "ijzer", "Ferrofumaraat tablet 200 mg", "B03AA02", "1 tablet per dag", since="2026-09-16", per_day=1)
    check = d.encounter(
        "zwangerschapscontrole",
        "Controle week 20",
        at="2026-10-14T09:00:00+02:00",
        until="2026-10-14T09:25:00+02:00",
        who=MIDWIFE,
        organization="verloskundigen-het-nest",
        location="geboortehuis-het-nest",
        reason=pregnancy,
        security=(SEX, RESTRICTED),
    )
    blood_pressure(d, 112, 68, "2026-10-14T09:05:00+02:00", MIDWIFE, check)
    vital(d, "gewicht", "68.3", "2026-10-14T09:06:00+02:00", MIDWIFE, check)
    lab(d, "hb", "6.6", "2026-09-14T08:10:00+02:00")
    lab(d, "ferritine", "9", "2026-09-14T08:10:00+02:00")
    d.encounter(
        "avondpost",
        "Spoedconsult op de avondpost",
        at="2026-11-20T22:40:00+01:00",
        until="",
        who="waarnemer-el-amrani",
        organization="gp-de-esdoorn",
        location="huisartsen-de-esdoorn",
        reason=pregnancy,
        status="in-progress",
        security=(SEX, RESTRICTED),
    )
    d.procedure(
        "echo-20",
        "Echo week 20",
        (SNOMED, "268445003"),
        on="2026-11-19",
        who=MIDWIFE,
        reason=pregnancy,
        security=(SEX, RESTRICTED),
    )
    d.episode(
        "verloskundige-zorg",
        pregnancy,
        since="2026-08-17",
        organization="verloskundigen-het-nest",
        manager=MIDWIFE,
        security=(SEX, RESTRICTED),
    )
    d.document(
        "veiligheidsplan",
        "Veiligheidsplan",
        "Sleutel bij vriendin. Geen adres delen. Bij nood 112.",
        on="2023-09-01T10:00:00+02:00",
        author="PractitionerRole/maatschappelijk-werker-claessen",
        code=(LOINC, "51847-2"),
        security=(VIOLENCE, VERY_RESTRICTED),
    )
    d.flag(
        "adres-geheim",
        "Adres en telefoon niet delen",
        category="safety",
        since="2023-09-01",
        security=(VIOLENCE, VERY_RESTRICTED),
    )
    positive_health(d, "2026-09-05", (6, 7, 7, 7, 6, 7), "Een rustige kraamtijd.")
    birth = goal(
        d,
        "doel-thuis",
        "Ik beval thuis, met mijn vriendin erbij.",
        addresses=pregnancy,
        security=(SEX, RESTRICTED),
        start="2026-08-17",
        due="2027-04-01",
    )
    help_desk = referral(
        d,
        "verwijzing-maatschappelijk-werk",
        "Praten over veilig wonen met twee kinderen.",
        theme=("wonen", "Veilig wonen"),
        service="maatschappelijk-werk",
        performer="maatschappelijk-werker-claessen",
        authored="2026-09-02T11:00:00+02:00",
        reason=violence,
        security=(VIOLENCE, VERY_RESTRICTED),
    )
    talk = task(
        d,
        "taak-maatschappelijk-werk",
        "Gesprek veilig wonen",
        owner="PractitionerRole/maatschappelijk-werker-claessen",
        status="in-progress",
        authored="2026-09-02T11:00:00+02:00",
        modified="2026-09-15T10:00:00+02:00",
        based_on=help_desk,
        focus=help_desk,
        security=(VIOLENCE, VERY_RESTRICTED),
    )
    crib = task(
        d,
        "taak-kraampakket",
        "Kraampakket en wiegje regelen",
        owner=friend,
        status="accepted",
        authored="2026-10-14T09:30:00+02:00",
        requester=d.me,
    )
    team = d.team(
        "Zwangerschapsteam",
        [
            (f"PractitionerRole/{MIDWIFE}", "Verloskundige", ""),
            (d.gp, "Huisarts", ""),
            (friend, "Vriendin, erbij tijdens de bevalling", "2027-05-01"),
        ],
        since="2026-08-17",
    )
    care_plan(
        d, "geboorteplan", "Geboorteplan", category=NURSING, since="2026-08-17", author=d.me, team=team, goals=(birth,)
    )
    care_plan(
        d,
        "steunplan",
        "Veilig en gesteund",
        category=SUPPORT,
        since="2026-09-02",
        author=d.me,
        tasks=(talk, crib),
        help_from_others=(("Oppassen op Noor tijdens controles", "Eens per vier weken", friend),),
    )
    d.appointment(
        "controle-24",
        "Controle week 24",
        start="2026-12-02T09:00:00+01:00",
        end="2026-12-02T09:20:00+01:00",
        who=MIDWIFE,
        location="geboortehuis-het-nest",
        service="58",
    )
    _consents(d, former, friend)
    return d.resources


def _consents(d: Dossier, former: str, friend: str) -> None:
    consent(
        d,
        "alleen-in-nood",
        "Wie ik nergens noem ziet niets. Alleen in nood mag wie mij op dat moment helpt mijn dossier zien.",
        None,
        on="2023-09-01T09:55:00+02:00",
        policy="EMRGONLY",
    )
    consent(
        d,
        "zwangerschap",
        "Verloskundigen en mijn huisarts mogen mijn dossier zien, zolang ik zwanger ben en zes weken daarna.",
        provision(
            "permit",
            actor=[actor("Organization/verloskundigen-het-nest"), actor("Organization/gp-lindehof")],
            purpose=("TREAT", "COC"),
            period={"start": "2026-08-17", "end": "2027-05-31"},
        ),
        on="2026-08-17T09:00:00+02:00",
    )
    consent(
        d,
        "niet-mijn-ex",
        "Mijn ex-partner ziet niets van mij. Nooit.",
        provision("deny", actor=[actor(former)]),
        on="2023-09-01T10:00:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "geweld",
        "Wat over geweld gaat ziet alleen mijn maatschappelijk werker.",
        provision(
            "deny",
            provision("permit", actor=[actor("PractitionerRole/maatschappelijk-werker-claessen")]),
            securityLabel=[VIOLENCE],
        ),
        on="2023-09-01T10:05:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "niet-poh-kaya",
        "Elif Kaya is mijn buurvrouw van vroeger; zij hoeft mijn dossier niet te zien.",
        provision("deny", actor=[actor("Practitioner/poh-kaya")]),
        on="2026-08-20T20:00:00+02:00",
        policy="OPTOUT",
    )
    consent(
        d,
        "vriendin",
        "Mila ziet mijn geboorteplan en mijn afspraken.",
        provision(
            "permit",
            provision("permit", data=[data("instance", f"CarePlan/{d.id}-geboorteplan")]),
            provision("permit", class_=resource_class("Appointment")),
            actor=[actor(friend)],
            data=[data("instance", f"CareTeam/{d.id}-team")],
        ),
        on="2026-10-14T20:00:00+02:00",
    )
