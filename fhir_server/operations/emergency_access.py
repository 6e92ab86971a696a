"""$emergency-access: a professional opens one dossier in an emergency, with a reason, for an hour at most.

The answer is alike whether there is such a patient, whether the dossier is open already, and whether there is anything
in it: what the button opens shows when it is used. It stands in the patient's log at once, and the patient is told when
something was read that would have stayed closed.
"""

from typing import Final

from fhir_server.gateway.access import login_required
from fhir_server.gateway.emergency_window import MINUTES_MAX
from fhir_server.interactions.exchange import Request, Response
from fhir_server.operations.definition import Operation, Parameter

DEFINITION: Final = Operation(
    code="emergency-access",
    types=("Patient",),
    levels=frozenset({"instance"}),
    affects_state=True,
    title="Open a dossier in an emergency",
    description="Gives a care professional an access token with purpose BTG for this one patient. Deny rules of the "
    "patient are lifted up to confidentiality R, save those that name emergencies. The use is logged, and the patient "
    "is told of what it opened. The answer does not tell whether there is such a patient.",
    parameters=(
        Parameter("reason", "in", "string", "Why, in words the patient will read.", min=1),
        Parameter("minutes", "in", "integer", f"How long, 1 to {MINUTES_MAX}; {MINUTES_MAX} if absent."),
        Parameter("access_token", "out", "string", "A bearer token, to read with and nothing else.", min=1),
        Parameter("token_type", "out", "code", "`Bearer`.", min=1),
        Parameter(
            "expires_in", "out", "integer", "Seconds it lasts: never longer than the token that asked for it.", min=1
        ),
        Parameter("scope", "out", "string", "The scopes that the asking token has to read, for this patient.", min=1),
        Parameter("patient", "out", "Reference", "The patient in context.", min=1),
    ),
)


async def emergency_access(request: Request) -> Response:
    if not request.session.requester.user:
        raise login_required()
    given = DEFINITION.arguments(request)
    patient = request.segments[1]
    window = await request.session.open_emergency(patient, given["reason"], given.get("minutes", MINUTES_MAX))
    answer = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "access_token", "valueString": window.token},
            {"name": "token_type", "valueCode": "Bearer"},
            {"name": "expires_in", "valueInteger": window.seconds},
            {"name": "scope", "valueString": window.stored.scope},
            {"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}},
        ],
    }
    # https://datatracker.ietf.org/doc/html/rfc6749#section-5.1: no cache keeps a token. `Cache-Control: no-store`
    # stands on every answer of this server.
    return Response(200, answer, (("Pragma", "no-cache"),))
