"""Who works in the wijk: organizations, how they hang together, and where systems reach them.

https://hl7.org/fhir/R4/organization.html, https://hl7.org/fhir/R4/organizationaffiliation.html
"""

from examples.author.elements import (
    BASE,
    LOCAL_ROLE,
    THO,
    Json,
    coding,
    concept,
    email,
    identifier,
    period,
    phone,
    ref,
    resource,
)

_TYPES = {
    "prov": "Zorgaanbieder",
    "team": "Team",
    "govt": "Overheid",
    "cg": "Bewonersinitiatief",
    "ins": "Zorgverzekeraar",
    "bus": "Onderneming",
    "edu": "Onderwijs en cultuur",
    "ntwk": "Samenwerkingsverband",
    "other": "Welzijnsorganisatie",
}
_NL_TYPES = {
    "gp-de-esdoorn": ("Z3", "Huisartspraktijk"),
    "gp-mijnlamp": ("Z3", "Huisartspraktijk"),
    "gp-lindehof": ("Z3", "Huisartspraktijk"),
    "apotheek-de-gaper": ("J8", "Openbare apotheek"),
}

# id, name, type, partOf, identifier systems that it has
TABLE: tuple[tuple[str, str, str, str, str], ...] = (
    ("gemeente-heerlen", "Gemeente Heerlen (voorbeeld)", "govt", "", "kvk"),
    ("gemeente-sociaal-wijkteam", "Sociaal wijkteam Hoensbroek", "team", "gemeente-heerlen", ""),
    ("gemeente-schuldhulp", "Team Schuldhulp en Financiën", "team", "gemeente-heerlen", ""),
    ("wijknetwerk-hoensbroek", "Wijknetwerk Gezond Hoensbroek", "ntwk", "", "kvk"),
    ("stuurgroep-wijkaanpak", "Stuurgroep Integrale Wijkaanpak", "team", "wijknetwerk-hoensbroek", ""),
    ("werkgroep-processen", "Werkgroep Integrale Processen", "team", "stuurgroep-wijkaanpak", ""),
    ("werkgroep-scholing", "Werkgroep Scholing en Sturingsinformatie", "team", "stuurgroep-wijkaanpak", ""),
    ("ict-aanspreekpunt", "ICT-aanspreekpunt Hoensbroek", "team", "wijknetwerk-hoensbroek", ""),
    ("gp-de-esdoorn", "Huisartsenpraktijk De Esdoorn", "prov", "", "ura agb-z kvk"),
    ("gp-mijnlamp", "Huisartsenpraktijk Mijnlamp", "prov", "", "ura agb-z kvk"),
    ("gp-lindehof", "PlusPraktijk Lindehof", "prov", "", "ura agb-z kvk"),
    ("thuiszorg-de-gaard", "Thuiszorg De Gaard", "prov", "", "ura agb-z kvk"),
    ("wijkverpleging-noord", "Wijkverpleging team Noord", "team", "thuiszorg-de-gaard", ""),
    ("wijkverpleging-zuid", "Wijkverpleging team Zuid", "team", "thuiszorg-de-gaard", ""),
    ("apotheek-de-gaper", "Apotheek De Gaper", "prov", "", "ura agb-z kvk"),
    ("fysio-beweegwerk", "Fysiotherapie Beweegwerk", "prov", "", "ura agb-z kvk"),
    ("tandarts-de-kies", "Tandartspraktijk De Kies", "prov", "", "ura agb-z kvk"),
    ("verloskundigen-het-nest", "Verloskundigenpraktijk Het Nest", "prov", "", "ura agb-z kvk"),
    ("dietist-zout-en-zoet", "Diëtistenpraktijk Zout en Zoet", "prov", "", "ura agb-z kvk"),
    ("ggz-de-brug", "GGZ De Brug", "prov", "", "ura agb-z kvk"),
    ("ggz-de-brug-wijkteam", "GGZ De Brug, wijkteam Hoensbroek", "team", "ggz-de-brug", ""),
    ("verslavingszorg-de-wending", "Verslavingszorg De Wending", "prov", "", "ura agb-z kvk"),
    ("ggd-parkdal", "GGD Parkdal", "govt", "", "ura kvk"),
    ("ziekenhuis-parkdal", "Ziekenhuis Parkdal", "prov", "", "ura agb-z kvk"),
    ("lab-parkdal", "Klinisch laboratorium Parkdal", "team", "ziekenhuis-parkdal", ""),
    ("zorgverzekeraar-de-steun", "Zorgverzekeraar De Steun", "ins", "", "uzovi kvk"),
    ("welzijn-wijkwerk", "Stichting Welzijn Wijkwerk", "other", "", "kvk"),
    ("mantelzorgsteunpunt", "Mantelzorgsteunpunt Hoensbroek", "team", "welzijn-wijkwerk", ""),
    ("jeugdwerk-wijkwerk", "Jeugd- en jongerenwerk Wijkwerk", "team", "welzijn-wijkwerk", ""),
    ("woningcorporatie-de-schacht", "Woningcorporatie De Schacht", "bus", "", "kvk"),
    ("wijkraad-hoensbroek", "Wijkraad Hoensbroek", "cg", "", "kvk"),
    ("zorgcooperatie-hoensbroek", "Zorgcoöperatie Samen Hoensbroek", "cg", "", "kvk"),
    ("burennetwerk-hoensbroek", "Burennetwerk Hoensbroek", "cg", "zorgcooperatie-hoensbroek", ""),
    ("zelfhulpnetwerk-hoensbroek", "Zelfhulpnetwerk Hoensbroek", "cg", "", "kvk"),
    ("voedselbank-hoensbroek", "Voedselbank Hoensbroek", "cg", "", "kvk"),
    ("bibliotheek-hoensbroek", "Bibliotheek Hoensbroek", "edu", "", "kvk"),
    ("sportvereniging-de-koempel", "Sportvereniging De Koempel", "cg", "", "kvk"),
    ("leerhuis-wijkzorg", "Leerhuis Wijkzorg", "edu", "", "kvk"),
)

_DIGITS = {"ura": 8, "agb-z": 8, "kvk": 8, "uzovi": 4}


def registry_number(system: str, organization_id: str) -> str:
    """The made-up `ura`, `agb-z`, `kvk` or `uzovi` of an organization: nines, then its place in the table."""
    place = [row[0] for row in TABLE].index(organization_id) + 1
    return f"{place:02d}".rjust(_DIGITS[system], "9")


def assigner(organization_id: str) -> tuple[str, str]:
    """(system, number) by which an organization vouches for its directory entries: its own, or else its parent's."""
    _, _, _, parent, systems = next(row for row in TABLE if row[0] == organization_id)
    if not systems:
        return assigner(parent)
    system = "ura" if "ura" in systems else "kvk"
    return system, registry_number(system, organization_id)


def name_of(organization_id: str) -> str:
    return next(row[1] for row in TABLE if row[0] == organization_id)


def resources() -> list[Json]:
    return [
        *(_organization(number, *row) for number, row in enumerate(TABLE, start=1)),
        *_affiliations(),
        *_endpoints(),
    ]


def _organization(number: int, org_id: str, name: str, kind: str, parent: str, systems: str) -> Json:
    types = [concept(f"{THO}/organization-type", kind, _TYPES[kind])]
    if org_id in _NL_TYPES:
        types.append(concept("http://nictiz.nl/fhir/NamingSystem/organization-type", *_NL_TYPES[org_id]))
    return resource(
        "Organization",
        org_id,
        identifier=[identifier(system, registry_number(system, org_id)) for system in systems.split()],
        active=True,
        type_=types,
        name=name,
        telecom=[phone(10000 + number), email("info", org_id)],
        partOf=ref(f"Organization/{parent}") if parent else None,
        endpoint=[ref(f"Endpoint/{org_id}-fhir")] if org_id in _CONNECTED else None,
    )


# member of the network, role code, since
_MEMBERS = (
    ("gemeente-heerlen", "opdrachtgever", "Opdrachtgever"),
    ("gp-de-esdoorn", "basiszorg", "Partner basiszorg"),
    ("gp-mijnlamp", "basiszorg", "Partner basiszorg"),
    ("gp-lindehof", "basiszorg", "Partner basiszorg"),
    ("thuiszorg-de-gaard", "procesverantwoordelijke", "Procesverantwoordelijke"),
    ("apotheek-de-gaper", "basiszorg", "Partner basiszorg"),
    ("ggz-de-brug", "basiszorg", "Partner basiszorg"),
    ("welzijn-wijkwerk", "welzijn", "Partner welzijn"),
    ("woningcorporatie-de-schacht", "wonen", "Partner wonen"),
    ("wijkraad-hoensbroek", "bewoners", "Bewonersvertegenwoordiging"),
    ("zorgcooperatie-hoensbroek", "bewoners", "Bewonersvertegenwoordiging"),
    ("zorgverzekeraar-de-steun", "financier", "Financier"),
    ("leerhuis-wijkzorg", "scholing", "Partner scholing"),
)


def _affiliations() -> list[Json]:
    return [
        resource(
            "OrganizationAffiliation",
            f"wijknetwerk-{member}",
            active=True,
            period=period("2024-01-01"),
            organization=ref("Organization/wijknetwerk-hoensbroek"),
            participatingOrganization=ref(f"Organization/{member}"),
            network=[ref("Organization/wijknetwerk-hoensbroek")],
            code=[
                concept("http://hl7.org/fhir/organization-role", "member", "Lid"),
                concept(LOCAL_ROLE, code, display),
            ],
            location=[ref("Location/wijk-hoensbroek")],
        )
        for member, code, display in _MEMBERS
    ]


_CONNECTED = ("gp-de-esdoorn", "gp-mijnlamp", "gp-lindehof", "thuiszorg-de-gaard", "apotheek-de-gaper", "ggz-de-brug")


def _endpoints() -> list[Json]:
    systems = [
        resource(
            "Endpoint",
            f"{org_id}-fhir",
            status="active",
            connectionType=coding(f"{THO}/endpoint-connection-type", "hl7-fhir-rest", "HL7 FHIR"),
            name=f"{name_of(org_id)}: FHIR R4",
            managingOrganization=ref(f"Organization/{org_id}"),
            payloadType=[concept(f"{THO}/endpoint-payload-type", "any", "Alles wat FHIR R4 kent")],
            payloadMimeType=["application/fhir+json", "application/fhir+xml"],
            address=f"https://fhir.{org_id}.example/r4",
        )
        for org_id in _CONNECTED
    ]
    tools = [
        resource(
            "Endpoint",
            f"zelftool-{slug}",
            status="active",
            connectionType=coding(f"{BASE}/CodeSystem/zelftool", "hti", "Zelfhulpmodule"),
            name=name,
            managingOrganization=ref("Organization/ict-aanspreekpunt"),
            payloadType=[concept(f"{THO}/endpoint-payload-type", "none", "Geen berichten, een webpagina")],
            address=f"https://zelftools.wijkdossier.example/{slug}",
        )
        for slug, name in (
            ("stoppen-met-roken", "Zelftool Stoppen met roken"),
            ("slapen", "Zelftool Beter slapen"),
            ("balans", "Zelftool Stevig staan (valpreventie)"),
            ("geldzaken", "Zelftool Grip op je geld"),
        )
    ]
    return systems + tools
