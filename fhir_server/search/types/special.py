"""Special: positions on the globe, for `near`.

https://hl7.org/fhir/R4/location.html#positional
"""

from decimal import Decimal
from typing import Any

from fhir_server.search.rows import IndexRows, PointRow
from fhir_server.search.types.emit import Emit


def emitter(param: str, code: str) -> Emit | None:
    """Return what files Location.position; None for any other type."""
    if code != "Location.position":
        return None

    def emit(value: Any, rows: IndexRows, group: int) -> None:
        latitude, longitude = value.get("latitude"), value.get("longitude")
        if latitude is not None and longitude is not None:
            rows.points.append(PointRow(param, float(Decimal(latitude)), float(Decimal(longitude))))

    return emit
