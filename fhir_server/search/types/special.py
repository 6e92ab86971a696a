"""Special: positions on the globe, for `near`.

https://hl7.org/fhir/R4/location.html#positional
"""

import re
from decimal import Decimal
from typing import Any

from fhir_server.search.context import NEAR_KM_DEFAULT
from fhir_server.search.query import Near, Predicate
from fhir_server.search.rows import IndexRows, PointRow
from fhir_server.search.types.emit import Emit
from fhir_server.search.values import Asked, shown, split, unescape
from profiles import ucum

_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,20})?", re.ASCII)
_PLAIN_UNITS = {"": "km", "kms": "km", "mi": "[mi_i]", "mile": "[mi_i]", "miles": "[mi_i]", "mi_us": "[mi_us]"}


def emitter(param: str, code: str) -> Emit | None:
    """Return what files Location.position; None for any other type."""
    if code != "Location.position":
        return None

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        latitude, longitude = value.get("latitude"), value.get("longitude")
        if latitude is not None and longitude is not None:
            rows.points.append(PointRow(param, float(Decimal(latitude)), float(Decimal(longitude))))

    return emit


def criterion(asked: Asked, value: str) -> Predicate:
    """Return what `latitude|longitude[|distance[|unit]]` asks; the unit is UCUM, km if left out. Raises FhirError."""
    if asked.modifier:
        raise asked.modifier_refused()
    parts = [unescape(part) for part in split(value, "|")]
    if not 2 <= len(parts) <= 4:
        raise asked.invalid("needs latitude|longitude|distance|units")
    latitude, longitude = _number(asked, parts[0]), _number(asked, parts[1])
    if not -90 <= latitude <= 90:
        raise asked.invalid(f"latitude `{shown(parts[0])}` is not between -90 and 90")
    if not -180 <= longitude <= 180:
        raise asked.invalid(f"longitude `{shown(parts[1])}` is not between -180 and 180")
    if len(parts) == 2 or not parts[2]:
        return Near(asked.name, float(latitude), float(longitude), NEAR_KM_DEFAULT)
    unit = parts[3] if len(parts) == 4 else ""
    km = ucum.convert(_number(asked, parts[2]), _PLAIN_UNITS.get(unit, unit), "km")
    if km is None:
        raise asked.invalid(f"`{shown(unit)}` is not a unit of length")
    if km < 0:
        raise asked.invalid("the distance is negative")
    return Near(asked.name, float(latitude), float(longitude), float(km))


def _number(asked: Asked, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise asked.invalid(f"`{shown(text)}` is not a number")
    return Decimal(text)
