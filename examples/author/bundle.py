"""Example files: transaction Bundles of PUT entries, so that ids stay as they are wherever a file is sent.

https://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import Iterable

import msgspec

from examples.author.elements import BASE, MARKING, Json, coding

_encoder = msgspec.json.Encoder(decimal_format="number")


def transaction(bundle_id: str, resources: Iterable[Json]) -> Json:
    """The Bundle; raises ValueError where two resources would have one identity."""
    seen: set[str] = set()
    entries = []
    for item in resources:
        identity = f"{item['resourceType']}/{item['id']}"
        if identity in seen:
            raise ValueError(f"`{identity}` is authored twice")
        seen.add(identity)
        entries.append(
            {"fullUrl": f"{BASE}/{identity}", "resource": item, "request": {"method": "PUT", "url": identity}}
        )
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "meta": {"tag": [coding(MARKING, "synthetic", "Synthetisch")]},
        "type": "transaction",
        "entry": entries,
    }


def encode(bundle: Json) -> bytes:
    """Indented UTF-8 JSON with the decimals' own digits and a closing newline: the same bytes every time."""
    return msgspec.json.format(_encoder.encode(bundle), indent=1) + b"\n"
