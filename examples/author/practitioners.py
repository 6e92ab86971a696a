"""The people who work or volunteer in the wijk, and the roles in which they do.

https://hl7.org/fhir/R4/practitionerrole.html
"""
# ruff: noqa: E501  (a row of a table is one line)

from examples.author.elements import (
    BASE,
    LOCAL_ROLE,
    SNOMED,
    UZI_ROLE,
    Json,
    coding,
    concept,
    email,
    human_name,
    identifier,
    period,
    phone,
    ref,
    resource,
)

# code key: (Codings, text)
ROLES: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "huisarts": (((UZI_ROLE, "01.015"), (SNOMED, "62247001")), "Huisarts"),
    "wijkverpleegkundige": (((UZI_ROLE, "30.000"), (SNOMED, "224535009")), "Wijkverpleegkundige"),
    "poh-ggz": (((LOCAL_ROLE, "poh-ggz"),), "Praktijkondersteuner GGZ"),
    "poh-somatiek": (((LOCAL_ROLE, "poh-somatiek"),), "Praktijkondersteuner somatiek"),
    "fysiotherapeut": (((UZI_ROLE, "04.000"), (SNOMED, "36682004")), "Fysiotherapeut"),
    "apotheker": (((UZI_ROLE, "17.000"), (SNOMED, "46255001")), "Apotheker"),
    "verloskundige": (((UZI_ROLE, "03.000"), (SNOMED, "309453006")), "Verloskundige"),
    "tandarts": (((UZI_ROLE, "02.000"), (SNOMED, "106289002")), "Tandarts"),
    "psycholoog": (((UZI_ROLE, "25.000"), (SNOMED, "59944000")), "Gezondheidszorgpsycholoog"),
    "maatschappelijk-werker": (((SNOMED, "106328005"),), "Maatschappelijk werker"),
    "schuldhulpverlener": (((LOCAL_ROLE, "schuldhulpverlener"),), "Schuldhulpverlener"),
    "zorgcoordinator": (((SNOMED, "768821004"),), "Zorgcoördinator"),
    "ervaringsdeskundige": (((SNOMED, "62071000"),), "Ervaringsdeskundige"),
    "ouderenadviseur": (((LOCAL_ROLE, "ouderenadviseur"),), "Ouderenadviseur"),
    "wijkinformateur": (((LOCAL_ROLE, "wijkinformateur"),), "Medewerker wijkinformatiepunt"),
    "mantelzorgconsulent": (((LOCAL_ROLE, "mantelzorgconsulent"),), "Mantelzorgconsulent"),
    "jeugdwerker": (((LOCAL_ROLE, "jeugdwerker"),), "Jongerenwerker"),
    "vrijwilliger": (((LOCAL_ROLE, "vrijwilliger"),), "Vrijwilliger burennetwerk"),
    "dietist": (((LOCAL_ROLE, "dietist"),), "Diëtist"),
    "verslavingsarts": (((LOCAL_ROLE, "verslavingsarts"),), "Verslavingsarts"),
    "internist": (((UZI_ROLE, "01.016"),), "Internist"),
    "onderzoeker": (((LOCAL_ROLE, "onderzoeker"),), "Onderzoeker"),
}
_BIG = {
    "huisarts",
    "wijkverpleegkundige",
    "fysiotherapeut",
    "apotheker",
    "verloskundige",
    "tandarts",
    "psycholoog",
    "verslavingsarts",
    "internist",
}

# id, given names, prefix, family, gender
PEOPLE: tuple[tuple[str, str, str, str, str], ...] = (
    ("dr-vermeulen", "Anna Louise", "", "Vermeulen", "female"),
    ("dr-el-amrani", "Karim", "", "El Amrani", "male"),
    ("dr-wetzels", "Jozef Hubert", "", "Wetzels", "male"),
    ("vpk-jansen", "Petra Maria", "", "Jansen", "female"),
    ("vpk-schoenmakers", "Tom", "", "Schoenmakers", "male"),
    ("poh-daniels", "Inge", "", "Daniëls", "female"),
    ("poh-kaya", "Elif", "", "Kaya", "female"),
    ("poh-frijns", "Marloes", "", "Frijns", "female"),
    ("fysio-hendriks", "Bas", "", "Hendriks", "male"),
    ("apo-de-wit", "Saskia", "de", "Wit", "female"),
    ("vlk-smeets", "Roos", "", "Smeets", "female"),
    ("tnd-pelzer", "Guido", "", "Pelzer", "male"),
    ("psy-ubachs", "Nadia", "", "Ubachs", "female"),
    ("mw-claessen", "Diana", "", "Claessen", "female"),
    ("sh-bouzid", "Samir", "", "Bouzid", "male"),
    ("zc-lemmens", "Yvonne", "", "Lemmens", "female"),
    ("ed-gorissen", "Ron", "", "Gorissen", "male"),
    ("oa-dohmen", "Lies", "", "Dohmen", "female"),
    ("wi-peters", "Mariëlle", "", "Peters", "female"),
    ("mc-van-loo", "Truus", "van", "Loo", "female"),
    ("jw-de-jong", "Kevin", "de", "Jong", "male"),
    ("vw-crutzen", "Frans", "", "Crutzen", "male"),
    ("vw-nowak", "Agnieszka", "", "Nowak", "female"),
    ("dt-muris", "Carla", "", "Muris", "female"),
    ("va-heijnen", "Rob", "", "Heijnen", "male"),
    ("int-okafor", "Chidi", "", "Okafor", "male"),
    ("oz-lindeman", "Eva", "", "Lindeman", "female"),
)

# role id, person, role, organization, location, service, since, until
ROLE_TABLE: tuple[tuple[str, str, str, str, str, str, str, str], ...] = (
    ("huisarts-vermeulen", "dr-vermeulen", "huisarts", "gp-de-esdoorn", "huisartsen-de-esdoorn", "spreekuur-de-esdoorn", "2015-03-01", ""),
    ("huisarts-el-amrani", "dr-el-amrani", "huisarts", "gp-mijnlamp", "huisartsen-mijnlamp", "spreekuur-mijnlamp", "2019-09-01", ""),
    ("huisarts-wetzels", "dr-wetzels", "huisarts", "gp-lindehof", "huisartsen-lindehof", "spreekuur-lindehof", "2008-01-01", ""),
    ("waarnemer-el-amrani", "dr-el-amrani", "huisarts", "gp-de-esdoorn", "huisartsen-de-esdoorn", "avondspreekuur-esdoorn", "2025-01-01", ""),
    ("wijkverpleegkundige-jansen", "vpk-jansen", "wijkverpleegkundige", "wijkverpleging-noord", "wijkpost-noord", "wijkverpleging-noord", "2012-06-01", ""),
    ("wijkverpleegkundige-schoenmakers", "vpk-schoenmakers", "wijkverpleegkundige", "wijkverpleging-zuid", "wijkpost-zuid", "wijkverpleging-zuid", "2021-02-01", ""),
    ("poh-ggz-daniels", "poh-daniels", "poh-ggz", "gp-de-esdoorn", "huisartsen-de-esdoorn", "poh-ggz-esdoorn", "2018-01-01", ""),
    ("poh-ggz-kaya", "poh-kaya", "poh-ggz", "gp-lindehof", "huisartsen-lindehof", "poh-ggz-lindehof", "2022-01-01", ""),
    ("poh-somatiek-frijns", "poh-frijns", "poh-somatiek", "gp-de-esdoorn", "huisartsen-de-esdoorn", "diabetesspreekuur-esdoorn", "2017-01-01", ""),
    ("fysiotherapeut-hendriks", "fysio-hendriks", "fysiotherapeut", "fysio-beweegwerk", "fysio-beweegwerk", "fysiotherapie", "2016-01-01", ""),
    ("apotheker-de-wit", "apo-de-wit", "apotheker", "apotheek-de-gaper", "apotheek-de-gaper", "apotheek-de-gaper", "2014-01-01", ""),
    ("verloskundige-smeets", "vlk-smeets", "verloskundige", "verloskundigen-het-nest", "geboortehuis-het-nest", "verloskundige-het-nest", "2020-01-01", ""),
    ("tandarts-pelzer", "tnd-pelzer", "tandarts", "tandarts-de-kies", "tandarts-de-kies", "tandarts-de-kies", "2011-01-01", ""),
    ("psycholoog-ubachs", "psy-ubachs", "psycholoog", "ggz-de-brug-wijkteam", "ggz-de-brug", "ggz-wijkteam", "2019-01-01", ""),
    ("maatschappelijk-werker-claessen", "mw-claessen", "maatschappelijk-werker", "welzijn-wijkwerk", "mfa-spreekkamer-1", "maatschappelijk-werk", "2013-01-01", ""),
    ("schuldhulpverlener-bouzid", "sh-bouzid", "schuldhulpverlener", "gemeente-schuldhulp", "mfa-spreekkamer-2", "financieel-spreekuur", "2020-01-01", ""),
    ("zorgcoordinator-lemmens", "zc-lemmens", "zorgcoordinator", "wijknetwerk-hoensbroek", "mfa-de-stip", "wijkinformatiepunt", "2024-01-01", ""),
    ("ervaringsdeskundige-gorissen", "ed-gorissen", "ervaringsdeskundige", "zelfhulpnetwerk-hoensbroek", "mfa-huiskamer", "ervaringsmaatje", "2021-01-01", ""),
    ("ouderenadviseur-dohmen", "oa-dohmen", "ouderenadviseur", "welzijn-wijkwerk", "mfa-spreekkamer-1", "ouderenadviseur", "2016-01-01", ""),
    ("wijkinformateur-peters", "wi-peters", "wijkinformateur", "welzijn-wijkwerk", "mfa-balie", "wijkinformatiepunt", "2018-01-01", ""),
    ("mantelzorgconsulent-van-loo", "mc-van-loo", "mantelzorgconsulent", "mantelzorgsteunpunt", "mfa-spreekkamer-2", "mantelzorgsteunpunt", "2015-01-01", ""),
    ("jongerenwerker-de-jong", "jw-de-jong", "jeugdwerker", "jeugdwerk-wijkwerk", "jongerenhonk", "jongereninloop", "2022-01-01", ""),
    ("vrijwilliger-crutzen", "vw-crutzen", "vrijwilliger", "burennetwerk-hoensbroek", "mfa-balie", "burennetwerk", "2019-01-01", ""),
    ("vrijwilliger-nowak", "vw-nowak", "vrijwilliger", "burennetwerk-hoensbroek", "mfa-balie", "burennetwerk", "2023-01-01", ""),
    ("dietist-muris", "dt-muris", "dietist", "dietist-zout-en-zoet", "dietist-zout-en-zoet", "dietist", "2010-01-01", ""),
    ("verslavingsarts-heijnen", "va-heijnen", "verslavingsarts", "verslavingszorg-de-wending", "inloop-de-wending", "verslavingszorg", "2014-01-01", ""),
    ("internist-okafor", "int-okafor", "internist", "ziekenhuis-parkdal", "", "", "2018-01-01", ""),
    ("onderzoeker-lindeman", "oz-lindeman", "onderzoeker", "leerhuis-wijkzorg", "leerhuis", "", "2024-01-01", ""),
    ("wijkverpleegkundige-jansen-oud", "vpk-jansen", "wijkverpleegkundige", "wijkverpleging-zuid", "wijkpost-zuid", "", "2009-01-01", "2012-05-31"),
)  # fmt: skip


def resources() -> list[Json]:
    people = [_practitioner(number, *row) for number, row in enumerate(PEOPLE, start=1)]
    roles = [_role(number, *row) for number, row in enumerate(ROLE_TABLE, start=1)]
    return [*people, *roles, _volunteers(), _app()]


def _practitioner(number: int, person_id: str, given: str, prefix: str, family: str, gender: str) -> Json:
    kinds = {row[2] for row in ROLE_TABLE if row[1] == person_id}
    identifiers = [identifier("agb-z", f"990000{number:02d}")] if kinds & _BIG else []
    if kinds & _BIG:
        identifiers = [
            identifier("uzi-nr-pers", f"9000000{number:02d}"),
            *identifiers,
            identifier("big", f"990000000{number:02d}"),
        ]
    return resource(
        "Practitioner",
        person_id,
        identifier=identifiers,
        active=True,
        name=human_name(given, family, prefix=prefix)[:1],
        telecom=[email(person_id, "hoensbroek")],
        gender=gender,
    )


def _role(
    number: int,
    role_id: str,
    person: str,
    kind: str,
    organization: str,
    location: str,
    service: str,
    since: str,
    until: str,
) -> Json:
    codes, text = ROLES[kind]
    code = {
        "coding": [coding(system, value, text if system == LOCAL_ROLE else "") for system, value in codes],
        "text": text,
    }
    return resource(
        "PractitionerRole",
        role_id,
        active=not until,
        period=period(since, until),
        practitioner=ref(f"Practitioner/{person}"),
        organization=ref(f"Organization/{organization}"),
        code=[code],
        specialty=[concept(UZI_ROLE, codes[0][1], text)] if codes[0][0] == UZI_ROLE else None,
        location=[ref(f"Location/{location}")] if location else None,
        healthcareService=[ref(f"HealthcareService/{service}")] if service else None,
        telecom=[phone(40000 + number)],
    )


def _volunteers() -> Json:
    return resource(
        "Group",
        "vrijwilligers-burennetwerk",
        active=True,
        type_="practitioner",
        actual=True,
        name="Vrijwilligers van het burennetwerk",
        quantity=2,
        managingEntity=ref("Organization/burennetwerk-hoensbroek"),
        member=[
            {"entity": ref("PractitionerRole/vrijwilliger-crutzen"), "period": period("2019-01-01")},
            {"entity": ref("PractitionerRole/vrijwilliger-nowak"), "period": period("2023-01-01")},
        ],
    )


def _app() -> Json:
    """An app that residents may let in: a Device whose identifier is the client id of its tokens."""
    return resource(
        "Device",
        "app-mijn-bloeddruk",
        identifier=[{"system": f"{BASE}/NamingSystem/client-id", "value": "mijn-bloeddruk"}],
        status="active",
        deviceName=[{"name": "Mijn bloeddruk (app)", "type": "user-friendly-name"}],
        owner=ref("Organization/ict-aanspreekpunt"),
    )
