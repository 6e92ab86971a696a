"""What an operation is, said once: its OperationDefinition is made of this, and what it is given is read by it.

https://hl7.org/fhir/R4/operationdefinition.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from fhir_server.interactions.body import resource_in
from fhir_server.interactions.exchange import Request
from fhir_server.outcome import Category, FhirError

CANONICAL: Final = "https://wijkdossier.nl/fhir/OperationDefinition/"
STANDARD: Final = "http://hl7.org/fhir/OperationDefinition/"
# When one of the definitions last changed.
_DATE: Final = "2026-11-22"
# Parameters of every request, not of an operation. https://hl7.org/fhir/R4/http.html#parameters
_REPRESENTATION: Final = frozenset(("_format", "_pretty", "_summary", "_elements"))
# value[x] in which a parameter of a type may come: a client that knows only that it sends text may say so.
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "Reference": ("valueReference",),
    "code": ("valueCode", "valueString"),
    "dateTime": ("valueDateTime", "valueDate", "valueInstant", "valueString"),
    "integer": ("valueInteger", "valuePositiveInt", "valueUnsignedInt"),
    "string": ("valueString",),
}

Level: TypeAlias = Literal["system", "type", "instance"]
Arguments: TypeAlias = Mapping[str, Any]
"""By name; a Reference as its text, an integer as an int, a resource as it is, anything else as a string."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`type` is a FHIR type, '' for one that has `parts`; `max` as in FHIR, `1` or `*`."""

    name: str
    use: Literal["in", "out"]
    type: str
    documentation: str
    min: int = 0
    max: str = "1"
    parts: tuple["Parameter", ...] = ()

    def element(self) -> dict[str, Any]:
        made: dict[str, Any] = {"name": self.name, "use": self.use, "min": self.min, "max": self.max}
        made["documentation"] = self.documentation
        if self.type:
            made["type"] = self.type
        if self.parts:
            made["part"] = [part.element() for part in self.parts]
        return made


@dataclass(frozen=True, slots=True)
class Operation:
    """`types`: the resource types it exists for, () for all. `base`: the HL7 definition it constrains, '' if none."""

    code: str
    types: tuple[str, ...]
    levels: frozenset[Level]
    affects_state: bool
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    base: str = ""

    @property
    def id(self) -> str:
        return definition_id(self.code, self.types)

    def resource(self) -> dict[str, Any]:
        """The OperationDefinition."""
        made: dict[str, Any] = {
            "resourceType": "OperationDefinition",
            "id": self.id,
            "url": CANONICAL + self.id,
            "name": "".join(part.capitalize() for part in self.id.split("-")),
            "title": self.title,
            "status": "active",
            "kind": "operation",
            "date": _DATE,
            "publisher": "wijkdossier",
            "description": self.description,
            "affectsState": self.affects_state,
            "code": self.code,
        }
        if self.base:
            made["base"] = STANDARD + self.base
        made["resource"] = list(self.types) or ["Resource"]
        for level in ("system", "type", "instance"):
            made[level] = level in self.levels
        if self.parameters:
            made["parameter"] = [parameter.element() for parameter in self.parameters]
        return made

    def arguments(self, request: Request) -> Arguments:
        """What the request gives, in the query string or in a Parameters resource.

        Raises FhirError 400 for a parameter that is unknown, comes too often, is missing, or is of another type.
        """
        known = {parameter.name: parameter for parameter in self.parameters if parameter.use == "in"}
        found: dict[str, Any] = {}
        for name, value, place in _given(request, known):
            if name in found:
                raise FhirError(Category.INVALID, f"`{name}` is given twice", (place,))
            found[name] = value
        for parameter in known.values():
            if parameter.min and parameter.name not in found:
                raise FhirError(Category.INVALID, f"the parameter `{parameter.name}` is missing", (parameter.name,))
        return found


def definition_id(code: str, types: tuple[str, ...]) -> str:
    """The id of an operation's definition, and with CANONICAL before it its URL."""
    return "-".join((*(name.lower() for name in types or ("Resource",)), code))


def _given(request: Request, known: Mapping[str, Parameter]) -> Iterator[tuple[str, Any, str]]:
    """Name, value and place of each parameter that is given."""
    for name, text in request.parameters:
        if name not in _REPRESENTATION:
            parameter = _known(known, name, name)
            yield name, _from_text(parameter, text), name
    if request.method != "POST" or not request.body:
        return
    parts = resource_in(request, "Parameters").get("parameter", [])
    if not isinstance(parts, list):
        raise FhirError(Category.STRUCTURE, "`parameter` is not an array", ("Parameters.parameter",))
    for at, part in enumerate(parts):
        place = f"Parameters.parameter[{at}]"
        named = part.get("name") if isinstance(part, Mapping) else None
        if not isinstance(named, str):
            raise FhirError(Category.STRUCTURE, "a parameter has a name", (place,))
        yield named, _from_part(_known(known, named, place), part, place), place


def _known(known: Mapping[str, Parameter], name: str, place: str) -> Parameter:
    if name not in known:
        raise FhirError(Category.UNKNOWN_PARAMETER, f"`{name[:40]}` is not a parameter of this operation", (place,))
    return known[name]


def _from_text(parameter: Parameter, text: str) -> Any:
    if parameter.type == "integer":
        digits = text.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
            raise FhirError(Category.VALUE, f"`{parameter.name}` is a whole number", (parameter.name,))
        return int(text)
    if parameter.type not in _VALUES:
        raise FhirError(Category.INVALID, f"`{parameter.name}` is given in a Parameters resource", (parameter.name,))
    return text


def _from_part(parameter: Parameter, part: Mapping[str, Any], place: str) -> Any:
    kind = parameter.type
    if kind not in _VALUES:
        resource = part.get("resource")
        if not isinstance(resource, Mapping) or resource.get("resourceType") != kind:
            raise FhirError(Category.INVALID, f"`{parameter.name}` is a {kind} resource", (f"{place}.resource",))
        return resource
    value = next((part[key] for key in _VALUES[kind] if key in part), None)
    if kind == "Reference":
        value = value.get("reference") if isinstance(value, Mapping) else None
    right = isinstance(value, int) and not isinstance(value, bool) if kind == "integer" else isinstance(value, str)
    if not right:
        expected = "a literal Reference" if kind == "Reference" else f"a {kind}"
        raise FhirError(Category.INVALID, f"`{parameter.name}` is {expected}", (place,))
    return value
