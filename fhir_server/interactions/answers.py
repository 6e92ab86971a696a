"""What a write answers, as `Prefer: return=…` asks. https://hl7.org/fhir/R4/http.html#return"""

from collections.abc import Mapping
from typing import Final

from fhir_server.gateway.release import Content, Released
from fhir_server.gateway.results import Written
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.versions import location, version_headers
from fhir_server.outcome import Issue, operation_outcome
from fhir_server.representation.negotiation import prefer_return

# The rest is in the OperationOutcome, for whoever prefers that.
_WARNINGS_MAX: Final = 5
_QUOTED: Final = str.maketrans({'"': "'", "\\": "/"})


def written_response(request: Request, status: int, written: Written | Released) -> Response:
    """The answer to a create, update or patch; `Location` is there for a 201 and wherever it may help."""
    headers = (*version_headers(written), ("Location", location(request.base, written)))
    if isinstance(written, Released):
        return Response(status, _content(request.headers, written, (), status), headers)
    told = tuple(("Warning", _warning(issue)) for issue in written.warnings[:_WARNINGS_MAX])
    content = _content(request.headers, written.released, written.warnings, status)
    return Response(status, content, (*headers, *told))


def deleted_response(request: Request, written: Written | None) -> Response:
    """204; 200 with an OperationOutcome if that was asked for. `None`: there was nothing left to delete."""
    headers = (("ETag", version_headers(written)[0][1]),) if written else ()
    if prefer_return(request.headers) == "OperationOutcome":
        said = "deleted" if written else "nothing was there to delete"
        return Response(200, operation_outcome([Issue("information", "informational", said)]), headers)
    return Response(204, None, headers)


def _warning(issue: Issue) -> str:
    """The issue for a header: a client that wants the resource back is told all the same.

    https://www.rfc-editor.org/rfc/rfc7234#section-5.5
    """
    text = " ".join((*issue.expression, issue.diagnostics)).translate(_QUOTED)
    return f'199 wijkdossier "{text}"'


def _content(
    headers: Mapping[str, str], released: Released | None, warnings: tuple[Issue, ...], status: int
) -> Content:
    match prefer_return(headers):
        case "minimal":
            return None
        case "OperationOutcome":
            said = "created" if status == 201 else "stored" if status == 200 else "done"
            return operation_outcome([Issue("information", "informational", said), *warnings])
    return released
