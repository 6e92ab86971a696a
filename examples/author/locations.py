"""Where things are: the wijk with its boundary, its buurten, buildings, and the rooms of the MFA.

https://hl7.org/fhir/R4/location.html, https://hl7.org/fhir/R4/extension-location-boundary-geojson.html
"""
# ruff: noqa: E501  (a row of a table is one line)

import base64
from decimal import Decimal

import msgspec

from examples.author.elements import THO, Json, address, assigned_id, concept, phone, ref, resource
from examples.author.hours import available_time
from examples.author.organizations import assigner

_ROLE_CODES = {
    "COMM": "Plek in de buurt",
    "CSC": "Buurtcentrum",
    "PC": "Eerstelijnszorg",
    "PHARM": "Apotheek",
    "OF": "Praktijk buiten het ziekenhuis",
    "SCHOOL": "School",
    "MOBL": "Rijdend aanbod",
    "WORK": "Werkplek",
}
_PHYSICAL = {"bu": "Gebouw", "ro": "Ruimte", "area": "Gebied", "ve": "Voertuig", "si": "Terrein"}

# The boundary and the three postcode areas as (longitude, latitude) corners, drawn by us around Hoensbroek; not an official line.
BOUNDARY = (
    ("5.9010", "50.9200"),
    ("5.9090", "50.9135"),
    ("5.9270", "50.9110"),
    ("5.9440", "50.9150"),
    ("5.9490", "50.9250"),
    ("5.9430", "50.9355"),
    ("5.9260", "50.9390"),
    ("5.9080", "50.9350"),
)
_AREAS = {
    "buurt-6431": ("Hoensbroek-Centrum (6431)", (BOUNDARY[0], BOUNDARY[1], ("5.9270", "50.9240"), BOUNDARY[7])),
    "buurt-6432": (
        "Hoensbroek-Oost (6432)",
        (BOUNDARY[1], BOUNDARY[2], BOUNDARY[3], BOUNDARY[4], ("5.9270", "50.9240")),
    ),
    "buurt-6433": (
        "Hoensbroek-Noord (6433)",
        (("5.9270", "50.9240"), BOUNDARY[4], BOUNDARY[5], BOUNDARY[6], BOUNDARY[7]),
    ),
}

# id, name, type, organization that manages it, street, number, postcode, latitude, longitude, opening hours
SITES: tuple[tuple[str, str, str, str, str, str, str, str, str, str], ...] = (
    ("mfa-de-stip", "MFA De Stip", "CSC", "welzijn-wijkwerk", "Schachtwielplein", "1", "6431 WS", "50.9243", "5.9245",
     "ma-vr 08:00-22:00; za 09:00-17:00; zo 12:00-17:00"),
    ("huisartsen-de-esdoorn", "Huisartsenpraktijk De Esdoorn", "PC", "gp-de-esdoorn", "Esdoornhof", "12", "6431 WT", "50.9251", "5.9228", "ma-vr 08:00-17:00"),
    ("huisartsen-mijnlamp", "Huisartsenpraktijk Mijnlamp", "PC", "gp-mijnlamp", "Mijnlamppad", "4", "6432 WA", "50.9205", "5.9350", "ma-vr 08:00-17:00"),
    ("huisartsen-lindehof", "PlusPraktijk Lindehof", "PC", "gp-lindehof", "Lindehof", "30", "6433 WB", "50.9312", "5.9268", "ma-vr 08:00-17:30"),
    ("apotheek-de-gaper", "Apotheek De Gaper", "PHARM", "apotheek-de-gaper", "Schachtwielplein", "7", "6431 WS", "50.9245", "5.9252",
     "ma-vr 08:30-18:00; za 09:00-13:00"),
    ("fysio-beweegwerk", "Fysiotherapie Beweegwerk", "OF", "fysio-beweegwerk", "Kolenwagenstraat", "18", "6432 WC", "50.9219", "5.9311", "ma-vr 07:30-20:00"),
    ("tandarts-de-kies", "Tandartspraktijk De Kies", "OF", "tandarts-de-kies", "Kolenwagenstraat", "40", "6432 WC", "50.9212", "5.9323", "ma-vr 08:00-17:00"),
    ("geboortehuis-het-nest", "Geboortehuis Het Nest", "OF", "verloskundigen-het-nest", "Ooievaarsweide", "5", "6431 WD", "50.9228", "5.9158", "ma-vr 08:30-17:00"),
    ("ggz-de-brug", "GGZ De Brug, wijklocatie", "OF", "ggz-de-brug", "Brugpad", "9", "6431 WE", "50.9267", "5.9171", "ma-vr 08:30-17:00"),
    ("inloop-de-wending", "Inloop De Wending", "OF", "verslavingszorg-de-wending", "Brugpad", "21", "6431 WE", "50.9272", "5.9163", "ma-vr 09:00-17:00"),
    ("wijkpost-noord", "Wijkverpleegpost Noord", "COMM", "thuiszorg-de-gaard", "Gaardestraat", "2", "6433 WG", "50.9330", "5.9222", "ma-zo 07:00-23:00"),
    ("wijkpost-zuid", "Wijkverpleegpost Zuid", "COMM", "thuiszorg-de-gaard", "Kompelhof", "16", "6432 WH", "50.9176", "5.9291", "ma-zo 07:00-23:00"),
    ("wijkwinkel", "Wijkwinkel Gemeente Heerlen", "CSC", "gemeente-heerlen", "Schachtwielplein", "3", "6431 WS", "50.9241", "5.9249", "ma-vr 09:00-17:00; do 17:00-20:00"),
    ("voedselbank", "Uitgiftepunt Voedselbank", "COMM", "voedselbank-hoensbroek", "Zeefkuilstraat", "11", "6432 WJ", "50.9189", "5.9382", "vr 10:00-15:00"),
    ("bibliotheek", "Bibliotheek Hoensbroek", "COMM", "bibliotheek-hoensbroek", "Letterplein", "2", "6431 WK", "50.9236", "5.9205", "ma-vr 10:00-18:00; za 10:00-16:00"),
    ("buurthuis-de-koempel", "Buurthuis De Koempel", "CSC", "welzijn-wijkwerk", "Koempelweg", "25", "6433 WL", "50.9341", "5.9312", "ma-vr 09:00-22:00"),
    ("buurthuis-d-r-oase", "Buurthuis d'r Oase", "CSC", "welzijn-wijkwerk", "Oaselaan", "8", "6432 WM", "50.9168", "5.9360", "ma-vr 09:00-21:00"),
    ("jongerenhonk", "Jongerenhonk De Lift", "COMM", "jeugdwerk-wijkwerk", "Liftschachtpad", "6", "6432 WN", "50.9225", "5.9405", "ma-vr 14:00-21:00; za 13:00-18:00"),
    ("sporthal", "Sporthal De Koempel", "COMM", "sportvereniging-de-koempel", "Koempelweg", "40", "6433 WL", "50.9350", "5.9325", "ma-vr 08:00-22:30; za,zo 09:00-18:00"),
    ("beweegpark", "Beweegpark De Bron", "COMM", "gemeente-heerlen", "Bronpad", "1", "6433 WP", "50.9295", "5.9190", "altijd"),
    ("wijktuin", "Wijktuin De Berm", "COMM", "zorgcooperatie-hoensbroek", "Bermpad", "3", "6433 WQ", "50.9308", "5.9381", "ma-za 09:00-17:00"),
    ("consultatiebureau", "Consultatiebureau Hoensbroek", "OF", "ggd-parkdal", "Ooievaarsweide", "9", "6431 WD", "50.9224", "5.9150", "ma-vr 08:30-16:30"),
    ("ouderenhuis-de-linde", "Woonzorghuis De Linde", "COMM", "woningcorporatie-de-schacht", "Lindehof", "50", "6433 WB", "50.9318", "5.9281", "ma-zo 08:00-20:00"),
    ("wijkkantoor-de-schacht", "Wijkkantoor De Schacht", "WORK", "woningcorporatie-de-schacht", "Kompelhof", "2", "6432 WH", "50.9182", "5.9279", "ma-vr 09:00-16:00"),
    ("leerhuis", "Leerhuis Wijkzorg", "SCHOOL", "leerhuis-wijkzorg", "Letterplein", "10", "6431 WK", "50.9231", "5.9212", "ma-vr 08:30-17:00"),
    ("kapel", "De Oude Kapel", "COMM", "zorgcooperatie-hoensbroek", "Kapelhof", "1", "6431 WR", "50.9202", "5.9120", "ma-vr 10:00-16:00"),
    ("bus-halte-centrum", "Opstapplaats buurtbus Centrum", "COMM", "gemeente-heerlen", "Schachtwielplein", "20", "6431 WS", "50.9239", "5.9258", "ma-za 08:00-18:00"),
    ("dietist-zout-en-zoet", "Diëtistenpraktijk Zout en Zoet", "OF", "dietist-zout-en-zoet", "Esdoornhof", "14", "6431 WT", "50.9252", "5.9231", "ma-do 09:00-17:00"),
    ("prikpunt-centrum", "Prikpunt Centrum", "OF", "lab-parkdal", "Esdoornhof", "16", "6431 WT", "50.9253", "5.9234", "ma-vr 07:30-11:30"),
)  # fmt: skip

# Rooms of MFA De Stip: id, name, what it is for
ROOMS = (
    ("mfa-balie", "Wijkinformatiepunt (balie)", "De balie bij de hoofdingang: vragen, formulieren, meedenken."),
    ("mfa-huiskamer", "De Huiskamer", "Inlooplek met koffie, altijd een gastheer of gastvrouw."),
    ("mfa-keuken", "De Wijkkeuken", "Leskeuken en eettafel voor dertig mensen."),
    ("mfa-beweegzaal", "De Beweegzaal", "Zaal met sportvloer en spiegelwand, 120 vierkante meter."),
    ("mfa-werkplaats", "De Werkplaats", "Werkbanken voor het repaircafé en leerwerkplekken."),
    ("mfa-spreekkamer-1", "Spreekkamer 1", "Rustige kamer voor een gesprek, met onderzoeksbank."),
    ("mfa-spreekkamer-2", "Spreekkamer 2", "Rustige kamer voor een gesprek, rolstoeltoegankelijk."),
    ("mfa-leerzaal", "De Leerzaal", "Lesruimte voor bewoners, studenten en professionals."),
)


def resources() -> list[Json]:
    wijk = _area("wijk-hoensbroek", "Wijk Heerlen-Hoensbroek (6431-6433)", BOUNDARY, "50.9245", "5.9250", "")
    buurten = [
        _area(area_id, name, corners, _middle(corners, 1), _middle(corners, 0), "wijk-hoensbroek")
        for area_id, (name, corners) in _AREAS.items()
    ]
    sites = [_site(number, *row) for number, row in enumerate(SITES, start=1)]
    rooms = [_room(number, *row) for number, row in enumerate(ROOMS, start=1)]
    return [wijk, *buurten, *sites, *rooms, _bus()]


def _middle(corners: tuple[tuple[str, str], ...], axis: int) -> str:
    values = [Decimal(corner[axis]) for corner in corners]
    return str((sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.0001")))


def _area(
    area_id: str, name: str, corners: tuple[tuple[str, str], ...], latitude: str, longitude: str, parent: str
) -> Json:
    # RFC 7946: a ring runs counterclockwise and ends where it began.
    ring = [[Decimal(longitude), Decimal(latitude)] for longitude, latitude in (*corners, corners[0])]
    geojson = msgspec.json.encode({"type": "Polygon", "coordinates": [[[float(x), float(y)] for x, y in ring]]})
    return resource(
        "Location",
        area_id,
        extension=[
            {
                "url": "http://hl7.org/fhir/StructureDefinition/location-boundary-geojson",
                "valueAttachment": {
                    "contentType": "application/geo+json",
                    "data": base64.b64encode(geojson).decode(),
                    "title": f"Grens van {name}",
                },
            }
        ],
        identifier=[assigned_id(area_id, *assigner("gemeente-heerlen"))],
        status="active",
        name=name,
        description="Door ons getekende grens, voor het voorbeeld; geen officiële gebiedsindeling.",
        mode="instance",
        type_=[concept(f"{THO}/v3-RoleCode", "COMM", _ROLE_CODES["COMM"])],
        physicalType=concept(f"{THO}/location-physical-type", "area", _PHYSICAL["area"]),
        position=_position(latitude, longitude),
        managingOrganization=ref("Organization/gemeente-heerlen"),
        partOf=ref(f"Location/{parent}") if parent else None,
    )


def _position(latitude: str, longitude: str) -> Json:
    return {"longitude": Decimal(longitude), "latitude": Decimal(latitude)}


def _site(
    number: int,
    site_id: str,
    name: str,
    kind: str,
    organization: str,
    street: str,
    house: str,
    postcode: str,
    latitude: str,
    longitude: str,
    hours: str,
) -> Json:
    return resource(
        "Location",
        site_id,
        identifier=[assigned_id(site_id, *assigner(organization))],
        status="active",
        name=name,
        mode="instance",
        type_=[concept(f"{THO}/v3-RoleCode", kind, _ROLE_CODES[kind])],
        telecom=[phone(20000 + number)],
        address=address(street, house, postcode, use="work"),
        physicalType=concept(
            f"{THO}/location-physical-type",
            "si" if hours == "altijd" else "bu",
            _PHYSICAL["si" if hours == "altijd" else "bu"],
        ),
        position=_position(latitude, longitude),
        managingOrganization=ref(f"Organization/{organization}"),
        partOf=ref(f"Location/buurt-{postcode[:4]}"),
        hoursOfOperation=_hours_of_operation(hours),
    )


def _hours_of_operation(hours: str) -> list[Json]:
    """Location names the same hours differently: openingTime and closingTime."""
    renamed = {"availableStartTime": "openingTime", "availableEndTime": "closingTime"}
    return [{renamed.get(key, key): value for key, value in entry.items()} for entry in available_time(hours)]


def _room(number: int, room_id: str, name: str, description: str) -> Json:
    mfa = next(row for row in SITES if row[0] == "mfa-de-stip")
    return resource(
        "Location",
        room_id,
        identifier=[assigned_id(room_id, *assigner("welzijn-wijkwerk"))],
        status="active",
        name=name,
        description=description,
        mode="instance",
        type_=[concept(f"{THO}/v3-RoleCode", "CSC", _ROLE_CODES["CSC"])],
        telecom=[phone(21000 + number)],
        address=address(mfa[4], mfa[5], mfa[6], use="work"),
        physicalType=concept(f"{THO}/location-physical-type", "ro", _PHYSICAL["ro"]),
        position=_position(mfa[7], mfa[8]),
        managingOrganization=ref("Organization/welzijn-wijkwerk"),
        partOf=ref("Location/mfa-de-stip"),
    )


def _bus() -> Json:
    """The only place that moves; its position is where it spends the night."""
    return resource(
        "Location",
        "buurtbus",
        identifier=[assigned_id("buurtbus", *assigner("gemeente-heerlen"))],
        status="active",
        name="Buurtbus Hoensbroek",
        description="Elektrische bus met acht plaatsen en een rolstoellift, gereden door vrijwilligers.",
        mode="instance",
        type_=[concept(f"{THO}/v3-RoleCode", "MOBL", _ROLE_CODES["MOBL"])],
        physicalType=concept(f"{THO}/location-physical-type", "ve", _PHYSICAL["ve"]),
        position=_position("50.9239", "5.9258"),
        managingOrganization=ref("Organization/gemeente-heerlen"),
        partOf=ref("Location/wijk-hoensbroek"),
    )
