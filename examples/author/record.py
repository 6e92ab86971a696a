"""A resident's growing list of resources, and the two ways in which most of them are coded.

https://hl7.org/fhir/R4/resource.html
"""

from typing import Any

from examples.author.elements import THO, Json, coding, concept, resource


class Record:
    """Collects the resources of one resident; ids begin with the resident's own (`bewoner-03-diabetes`)."""

    def __init__(self, number: int, gp: str) -> None:
        self.number = number
        self.id = f"bewoner-{number:02d}"
        self.me = f"Patient/{self.id}"
        self.gp = f"PractitionerRole/{gp}"
        self.resources: list[Json] = []

    def add(self, resource_type: str, slug: str, **elements: Any) -> str:
        """Adds `Type/bewoner-NN-slug` and returns that reference."""
        item = resource(resource_type, f"{self.id}-{slug}", **elements)
        self.resources.append(item)
        return f"{resource_type}/{item['id']}"


def status_code(system: str, code: str) -> Json:
    """A required status: one Coding of an HL7 system, no text."""
    return {"coding": [coding(f"{THO}/{system}", code)]}


def coded(codes: tuple[tuple[str, str], ...], text: str) -> Json:
    """A concept with several codes for one Dutch text, the first as the principal one."""
    first, *rest = codes
    return concept(first[0], first[1], text, *(coding(system, code) for system, code in rest))
