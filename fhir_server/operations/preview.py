"""Consent/$preview: before signing, which people and which records a Consent opens or closes, compared with today.

Of a Consent as it would be (`resource`), or of a stored one, such as a proposal that waits for the patient. For the
patient and their proxies; nothing is stored. A Consent that could not be enforced is refused as a write would be.
"""

from collections.abc import Iterator
from typing import Any, Final

from fhir_server.gateway.previewing import Change, Counted, Preview
from fhir_server.interactions.exchange import Request, Response
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.operations.explain_access import LANGUAGES, TEXT, texts
from fhir_server.outcome import Category, FhirError, operation_outcome

_COUNTED: Final = (
    Parameter("type", "out", "code", "The type of the records.", min=1),
    Parameter("count", "out", "integer", "How many.", min=1),
    Parameter("resource", "out", "Reference", "The first of them, a hundred at most.", max="*"),
)
DEFINITION: Final = Operation(
    code="preview",
    types=("Consent",),
    levels=frozenset({"type", "instance"}),
    affects_state=False,
    title="What a Consent would open and close",
    description="Compares today's access with access under this Consent, for everybody whom the patient's Consents "
    "name, who treats the patient, or who wrote in the dossier. In the comparison it takes the place of the stored "
    "Consent with the same id. For the patient and verified proxies only.",
    parameters=(
        Parameter("resource", "in", "Consent", "The Consent as it would be; not for a stored one."),
        Parameter("status", "in", "code", "The status it would have; `active` for a stored one, if absent."),
        Parameter("language", "in", "code", "nl or en; both if absent."),
        Parameter("patient", "out", "Reference", "Whose dossier it is.", min=1),
        Parameter("people", "out", "integer", "How many people and organisations were looked at.", min=1),
        Parameter("leftOut", "out", "integer", "How many more are concerned.", min=1),
        Parameter("records", "out", "integer", "How many records were looked at.", min=1),
        TEXT,
        Parameter(
            "warnings", "out", "OperationOutcome", "Conflicts with other Consents, and exceptions that reach far."
        ),
        Parameter(
            "change",
            "out",
            "",
            "What changes for one person.",
            max="*",
            parts=(
                Parameter("actor", "out", "Reference", "Who; a display alone for whoever no Consent names.", min=1),
                Parameter("purpose", "out", "code", "To which ends it changes; absent if none is given.", max="*"),
                Parameter("opens", "out", "", "What they will see.", max="*", parts=_COUNTED),
                Parameter("closes", "out", "", "What they will see no more.", max="*", parts=_COUNTED),
                Parameter("mentioned", "out", "integer", "How often what they see will mention what is closed.", min=1),
                Parameter(
                    "mentions",
                    "out",
                    "",
                    "The first of these, a hundred at most.",
                    max="*",
                    parts=(
                        Parameter("visible", "out", "Reference", "What they will see.", min=1),
                        Parameter("hidden", "out", "Reference", "What it mentions.", min=1),
                    ),
                ),
                TEXT,
            ),
        ),
    ),
)


async def preview(request: Request) -> Response:
    session = request.session
    session.require("Consent", "r")
    given = DEFINITION.arguments(request)
    language, status = given.get("language", ""), given.get("status", "")
    if language and language not in LANGUAGES:
        raise FhirError(Category.VALUE, f"`language` is one of {', '.join(LANGUAGES)}", ("language",))
    stored = request.segments[1] if len(request.segments) == 3 else ""
    if stored and "resource" in given:
        raise FhirError(Category.INVALID, "a stored Consent is previewed as it is stored", ("resource",))
    if not stored and "resource" not in given:
        raise FhirError(Category.INVALID, "the parameter `resource` is missing", ("resource",))
    found = await session.preview(stored or given["resource"], status or ("active" if stored else ""))
    return Response(200, {"resourceType": "Parameters", "parameter": list(_answer(found, language))})


def _answer(found: Preview, language: str) -> Iterator[dict[str, Any]]:
    yield {"name": "patient", "valueReference": {"reference": f"Patient/{found.patient}"}}
    yield {"name": "people", "valueInteger": found.people}
    yield {"name": "leftOut", "valueInteger": found.left_out}
    yield {"name": "records", "valueInteger": found.records}
    yield from texts(found.sentences, language)
    if found.warnings:
        yield {"name": "warnings", "resource": operation_outcome(found.warnings)}
    for change in found.changes:
        yield {"name": "change", "part": list(_change(change, language))}


def _change(change: Change, language: str) -> Iterator[dict[str, Any]]:
    actor = {"reference": change.actor, "display": change.name} if change.actor else {"display": change.name}
    yield {"name": "actor", "valueReference": actor}
    for purpose in filter(None, change.purposes):
        yield {"name": "purpose", "valueCode": purpose}
    for name, several in (("opens", change.opens), ("closes", change.closes)):
        for one in several:
            yield {"name": name, "part": list(_counted(one))}
    yield {"name": "mentioned", "valueInteger": change.mentioned}
    for visible, hidden in change.mentions:
        references = (("visible", visible), ("hidden", hidden))
        yield {
            "name": "mentions",
            "part": [{"name": name, "valueReference": {"reference": one}} for name, one in references],
        }
    yield from texts(change.sentences, language)


def _counted(counted: Counted) -> Iterator[dict[str, Any]]:
    yield {"name": "type", "valueCode": counted.type}
    yield {"name": "count", "valueInteger": counted.count}
    for reference in counted.resources:
        yield {"name": "resource", "valueReference": {"reference": reference}}
