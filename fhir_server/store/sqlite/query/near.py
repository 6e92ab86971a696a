"""Distance on the globe: a box that an index can seek, then the exact distance.

https://hl7.org/fhir/R4/location.html#positional
"""

from math import asin, cos, degrees, radians, sin, sqrt
from sqlite3 import Connection

EARTH_RADIUS_KM = 6371.0088


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance in kilometres, by the haversine formula."""
    here, there = radians(latitude), radians(other_latitude)
    lean = sin((there - here) / 2) ** 2
    turn = sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(lean + cos(here) * cos(there) * turn)))


def register(connection: Connection) -> None:
    """Make `distance_km` known to the connection; not every SQLite is built with mathematical functions."""
    connection.create_function("distance_km", 4, distance_km, deterministic=True)


def box(connection: Connection, x: str, latitude: float, longitude: float, km: float) -> tuple[str, tuple[object, ...]]:
    """The condition that the point `x` is within `km`."""
    register(connection)
    lean = degrees(km / EARTH_RADIUS_KM) * 1.000001
    low, high = latitude - lean, latitude + lean
    terms = f"{x}.latitude BETWEEN ? AND ?"
    params: list[object] = [low, high]
    # The box has sides only where it reaches neither a pole nor across the antimeridian.
    if low > -90 and high < 90:
        ratio = sin(radians(lean)) / cos(radians(latitude))
        turn = degrees(asin(ratio)) * 1.000001 if ratio < 1 else 180.0
        if longitude - turn > -180 and longitude + turn < 180:
            terms += f" AND {x}.longitude BETWEEN ? AND ?"
            params += [longitude - turn, longitude + turn]
    terms += f" AND distance_km({x}.latitude, {x}.longitude, ?, ?) <= ?"
    return terms, (*params, latitude, longitude, km)
