"""Opening hours from a short Dutch notation: `ma-vr 08:00-17:00; di 18:30-20:00`.

https://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.availableTime
"""

from examples.author.elements import Json

_DAYS = {"ma": "mon", "di": "tue", "wo": "wed", "do": "thu", "vr": "fri", "za": "sat", "zo": "sun"}


def available_time(notation: str) -> list[Json]:
    """One `availableTime` entry a part, in the order written; `altijd` is around the clock."""
    if notation == "altijd":
        return [{"daysOfWeek": list(_DAYS.values()), "allDay": True}]
    entries: list[Json] = []
    for part in filter(None, (part.strip() for part in notation.split(";"))):
        days, _, span = part.partition(" ")
        start, _, end = span.partition("-")
        entries.append(
            {"daysOfWeek": _days(days), "availableStartTime": f"{start}:00", "availableEndTime": f"{end}:00"}
        )
    return entries


def _days(notation: str) -> list[str]:
    codes = list(_DAYS)
    result: list[str] = []
    for piece in notation.split(","):
        first, _, last = piece.partition("-")
        begin, end = codes.index(first), codes.index(last or first)
        result.extend(_DAYS[code] for code in codes[begin : end + 1])
    return result
