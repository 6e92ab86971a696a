"""The small FHIR R4 data types from which every example resource is made, in nl-core's manner.

https://hl7.org/fhir/R4/datatypes.html
"""

from decimal import Decimal
from typing import Any

Json = dict[str, Any]

BASE = "https://wijkdossier.nl/fhir"
NAMING = "http://fhir.nl/fhir/NamingSystem"
THO = "http://terminology.hl7.org/CodeSystem"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ATC = "http://www.whocc.no/atc"
ICPC = "http://hl7.org/fhir/sid/icpc-1-nl"
UCUM = "http://unitsofmeasure.org"
UZI_ROLE = f"{NAMING}/uzi-rolcode"
ROLE_CODE_LIST = "urn:oid:2.16.840.1.113883.2.4.3.11.22.472"  # COD472-VEKT: who somebody is to the patient
ACT_CODE = f"{THO}/v3-ActCode"
MARKING = f"{BASE}/CodeSystem/marking"
THEME = f"{BASE}/CodeSystem/wijkthema"
DOMAIN = f"{BASE}/CodeSystem/domein"
LOCAL_ROLE = f"{BASE}/CodeSystem/wijkrol"

SYNTHETIC_SENTENCE = "Verzonnen voorbeeld: deze gegevens horen bij geen enkel bestaand persoon of aanbod."


def resource(
    resource_type: str, resource_id: str, *, text: str = "", security: tuple[Json, ...] = (), **rest: Any
) -> Json:
    """A resource marked synthetic; `text` becomes its narrative, elements that are None or empty are left out."""
    meta: Json = {"tag": [coding(MARKING, "synthetic", "Synthetisch")]}
    if security:
        meta["security"] = list(security)
    result: Json = {"resourceType": resource_type, "id": resource_id, "meta": meta}
    if text:
        result["text"] = narrative(text, SYNTHETIC_SENTENCE)
    for key, value in rest.items():
        if value not in (None, [], {}, ""):
            result[key.rstrip("_")] = value
    return result


def narrative(*paragraphs: str) -> Json:
    """A generated Narrative with one paragraph a sentence (https://hl7.org/fhir/R4/narrative.html)."""
    body = "".join(f"<p>{_escape(paragraph)}</p>" for paragraph in paragraphs)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="nl" lang="nl">{body}</div>',
    }


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def coding(system: str, code: str, display: str = "") -> Json:
    result = {"system": system, "code": code}
    if display:
        result["display"] = display
    return result


def concept(system: str, code: str, text: str = "", *more: Json) -> Json:
    """A CodeableConcept with this Coding first and a Dutch text.

    Only our own systems get the text as `display` too: elsewhere a display is the publisher's word, not ours.
    """
    display = text if system.startswith(BASE) else ""
    result: Json = {"coding": [coding(system, code, display), *more]}
    if text:
        result["text"] = text
    return result


def ref(target: str, display: str = "") -> Json:
    result: Json = {"reference": target}
    if display:
        result["display"] = display
    return result


def refs(*targets: str) -> list[Json]:
    return [ref(target) for target in targets]


def identifier(system: str, value: str) -> Json:
    return {"system": system if ":" in system else f"{NAMING}/{system}", "value": value}


def assigned_id(value: str, assigner_system: str, assigner_value: str) -> Json:
    """The directory identifier of GF Adressering: official, from its custodian, who is known by `ura` or `kvk`."""
    return {
        "use": "official",
        "system": f"{BASE}/NamingSystem/sociale-kaart",
        "value": value,
        "assigner": {
            "identifier": {
                "type": {"coding": [coding(f"{THO}/provenance-participant-type", "custodian", "Custodian")]},
                **identifier(assigner_system, assigner_value),
            }
        },
    }


def bsn(number: int) -> str:
    """The test BSN of resident `number` (1 to 99): the first from 9999NN00x that passes the elfproef.

    Elfproef: 9·d1 + 8·d2 + … + 2·d8 − d9 ≡ 0 (mod 11); one stem in eleven has no ninth digit.
    """
    for stem in range(99990000 + number * 100, 99990100 + number * 100):
        check = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), str(stem), strict=True)) % 11
        if check < 10:
            return f"{stem}{check}"
    raise ValueError(f"no test BSN for resident `{number}`")


def period(start: str = "", end: str = "") -> Json:
    return {key: value for key, value in (("start", start), ("end", end)) if value}


def quantity(value: str, unit: str, code: str = "") -> Json:
    """A UCUM Quantity; `value` is a string, so that the digits stay as they were measured."""
    return {"value": Decimal(value), "unit": unit, "system": UCUM, "code": code or unit}


def annotation(text: str, time: str = "", author: str = "") -> Json:
    result: Json = {"text": text}
    if author:
        result["authorReference"] = ref(author)
    if time:
        result["time"] = time
    return result


def _string_extension(url: str, value: str) -> Json:
    return {"url": url, "valueString": value}


def human_name(given: str, family: str, *, prefix: str = "", initials: bool = False, call: str = "") -> list[Json]:
    """Names as nl-core-NameInformation wants them: official, every given name qualified (BR or IN), own name apart.

    `given` holds the first names, separated by spaces; `call` adds the name people use (use usual, qualifier CL).
    """
    names = given.split()
    if initials:
        names = [name[0] + "." for name in names]
    full_family = f"{prefix} {family}".strip()
    own = [_string_extension("http://hl7.org/fhir/StructureDefinition/humanname-own-name", family)]
    if prefix:
        own.insert(0, _string_extension("http://hl7.org/fhir/StructureDefinition/humanname-own-prefix", prefix))
    result: list[Json] = [
        {
            "use": "official",
            "text": f"{' '.join(names)} {full_family}",
            "family": full_family,
            "_family": {"extension": own},
            "given": names,
            "_given": [_qualified("IN" if initials else "BR") for _ in names],
        }
    ]
    if call:
        result.append({"use": "usual", "given": [call], "_given": [_qualified("CL")]})
    return result


def _qualified(code: str) -> Json:
    return {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-qualifier", "valueCode": code}]}


def address(street: str, number: str, postal_code: str, *, use: str = "home", city: str = "Hoensbroek") -> Json:
    """An nl-core-AddressInformation: the line also in parts, street name and house number."""
    parts = [
        _string_extension("http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-streetName", street),
        _string_extension("http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-houseNumber", number),
    ]
    return {
        "use": use,
        "type": "both",
        "line": [f"{street} {number}"],
        "_line": [{"extension": parts}],
        "city": city,
        "district": "Heerlen",
        "postalCode": postal_code,
        "country": "NL",
    }


def phone(line: int, use: str = "work") -> Json:
    """A number that can't exist: no Dutch subscriber number begins with a zero, so nobody is ever called."""
    prefix = "+316000" if use == "mobile" else "+314500"
    return {"system": "phone", "value": f"{prefix}{line:05d}", "use": use}


def email(mailbox: str, domain: str, use: str = "work") -> Json:
    """An address under `.example`, which RFC 2606 keeps free of real hosts."""
    return {"system": "email", "value": f"{mailbox}@{domain}.example", "use": use}
