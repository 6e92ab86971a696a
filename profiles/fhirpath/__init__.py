"""FHIRPath with R4's additions: expressions compiled once, evaluated over plain JSON (http://hl7.org/fhirpath/N1/)."""

from profiles.fhirpath.environment import Context, Resolver
from profiles.fhirpath.errors import FhirPathError, FhirPathLimitError, FhirPathSyntaxError
from profiles.fhirpath.expression import Expression, Location, compile
from profiles.fhirpath.nodes import Node

__all__ = [
    "Context",
    "Expression",
    "FhirPathError",
    "FhirPathLimitError",
    "FhirPathSyntaxError",
    "Location",
    "Node",
    "Resolver",
    "compile",
]
