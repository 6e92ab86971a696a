"""Every operation of this server, as OperationDefinitions that it keeps among its own resources.

`GET [base]/OperationDefinition/patient-explain-access` reads one, `?code=explain-access` finds it, and the
CapabilityStatement names its URL. https://hl7.org/fhir/R4/operationdefinition.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir_server.operations import access_log, emergency_access, everything, explain_access, lastn, preview, validate
from fhir_server.operations.definition import Operation
from fhir_server.operations.meta import META, META_ADD, META_DELETE

OPERATIONS: Final[tuple[Operation, ...]] = (
    access_log.DEFINITION,
    emergency_access.DEFINITION,
    everything.DEFINITION,
    explain_access.DEFINITION,
    lastn.DEFINITION,
    META,
    META_ADD,
    META_DELETE,
    preview.DEFINITION,
    validate.DEFINITION,
)


def definitions() -> Iterator[Mapping[str, Any]]:
    """The OperationDefinitions, each under its own id."""
    for operation in OPERATIONS:
        yield operation.resource()
