"""Patient/$access-log: who did what with this dossier, in plain words too; newest first, page by page.

NEN 7513 and the Wabvpz (article 15e) give residents the log of who looked. It is made of the AuditEvents that whoever
asks may read, so it shows nothing that a search for them would not.
https://hl7.org/fhir/R4/auditevent.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.links import page_links
from fhir_server.operations.access_log_page import Line, log_page, log_search
from fhir_server.operations.access_log_reading import Logged
from fhir_server.operations.access_log_words import LANGUAGES, sentence
from fhir_server.operations.definition import Arguments, Operation, Parameter
from fhir_server.outcome import Category, FhirError
from fhir_server.search.context import Context
from fhir_server.search.parse import CURSOR
from fhir_server.search.results import read_count

DEFINITION: Final = Operation(
    code="access-log",
    types=("Patient",),
    levels=frozenset({"instance"}),
    affects_state=False,
    title="Who did what with this dossier",
    description="The AuditEvents about a patient as a plain list, newest first: when, who, in which role and for which "
    "organisation, to what end, what, whether it was allowed and by which rule or Consent, and the same in words. "
    "Reading it is logged too.",
    parameters=(
        Parameter("start", "in", "dateTime", "Nothing before this."),
        Parameter("end", "in", "dateTime", "Nothing after this."),
        Parameter("_count", "in", "integer", "How many events on a page."),
        Parameter("language", "in", "code", "nl or en; both if absent."),
        Parameter(
            "event",
            "out",
            "",
            "What was done, or tried.",
            max="*",
            parts=(
                Parameter("event", "out", "Reference", "The AuditEvent that says so.", min=1),
                Parameter("recorded", "out", "instant", "When.", min=1),
                Parameter("who", "out", "Reference", "Who, with the name the directory gives.", min=1),
                Parameter("role", "out", "string", "As what they are known here.", max="*"),
                Parameter("organization", "out", "Reference", "For whom they work.", max="*"),
                Parameter("client", "out", "string", "The program they used.", min=1),
                Parameter("purpose", "out", "code", "To what end, codes of v3 ActReason.", max="*"),
                Parameter("reason", "out", "string", "Why, in their words."),
                Parameter("interaction", "out", "code", "What they did: read, search-type, update …", min=1),
                Parameter(
                    "what",
                    "out",
                    "",
                    "How many records of a type.",
                    max="*",
                    parts=(
                        Parameter("type", "out", "code", "The type.", min=1),
                        Parameter("count", "out", "integer", "How many.", min=1),
                    ),
                ),
                Parameter("outcome", "out", "code", "permitted, refused or failed.", min=1),
                Parameter("emergency", "out", "boolean", "Whether the emergency button was used.", min=1),
                Parameter("rule", "out", "code", "What decided: consent, own, proxy, author, base …", max="*"),
                Parameter("consent", "out", "Reference", "The version of a Consent that decided.", max="*"),
                Parameter(
                    "text",
                    "out",
                    "",
                    "The same in words, in each language that was asked for.",
                    max="*",
                    parts=(
                        Parameter("language", "out", "code", "`nl` or `en`.", min=1),
                        Parameter("sentence", "out", "string", "One sentence.", min=1),
                    ),
                ),
            ),
        ),
        Parameter("next", "out", "uri", "Where the log goes on; absent on the last page."),
    ),
)


async def access_log(request: Request) -> Response:
    session, path = request.session, request.segments
    patient = path[1]
    asked = request.parameters
    position = b""
    token = request.value(CURSOR)
    if token is not None:
        cursor = session.unseal(token, path)
        request, position = msgspec.structs.replace(request, parameters=cursor.parameters), cursor.position
    given = DEFINITION.arguments(request)
    languages = _languages(given)
    context = session.context()
    search = log_search(patient, _bounds(given), context)
    found = await log_page(session, patient, search, request.parameters, _count(given, context), position)
    parts = [_event(line, languages, context) for line in found.lines]
    for relation, url in page_links(request, path, asked, request.parameters, found.position):
        if relation == "next":
            parts.append({"name": "next", "valueUri": url})
    return Response(200, {"resourceType": "Parameters", **({"parameter": parts} if parts else {})})


def _languages(given: Arguments) -> Sequence[str]:
    language = given.get("language", "")
    if language not in ("", *LANGUAGES):
        raise FhirError(Category.VALUE, f"`language` is one of {', '.join(LANGUAGES)}", ("language",))
    return (language,) if language else LANGUAGES


def _count(given: Arguments, context: Context) -> int:
    return read_count(str(given["_count"]), context) or 1 if "_count" in given else context.count_default


def _bounds(given: Arguments) -> list[tuple[str, str]]:
    for name in ("start", "end"):
        if "," in given.get(name, ""):
            raise FhirError(Category.VALUE, f"`{name}` is one dateTime", (name,))
    return [("date", prefix + given[name]) for name, prefix in (("start", "ge"), ("end", "le")) if name in given]


def _event(line: Line, languages: Sequence[str], context: Context) -> Mapping[str, Any]:
    parts = [{"name": "event", "valueReference": {"reference": f"AuditEvent/{line.id}"}}, *_parts(line.told)]
    for language in languages:
        said = sentence(line.told, language, context.zone)
        told = [{"name": "language", "valueCode": language}, {"name": "sentence", "valueString": said}]
        parts.append({"name": "text", "part": told})
    return {"name": "event", "part": parts}


def _parts(found: Logged) -> Iterator[dict[str, Any]]:
    yield {"name": "recorded", "valueInstant": found.recorded}
    yield {"name": "who", "valueReference": found.who}
    for role in found.roles:
        yield {"name": "role", "valueString": role}
    for organization in found.organizations:
        yield {"name": "organization", "valueReference": organization}
    yield {"name": "client", "valueString": found.client}
    for purpose in found.purposes:
        yield {"name": "purpose", "valueCode": purpose}
    if found.reason:
        yield {"name": "reason", "valueString": found.reason}
    yield {"name": "interaction", "valueCode": found.interaction}
    for type, count in found.what.items():
        yield {
            "name": "what",
            "part": [{"name": "type", "valueCode": type}, {"name": "count", "valueInteger": count}],
        }
    yield {"name": "outcome", "valueCode": found.outcome}
    yield {"name": "emergency", "valueBoolean": found.emergency}
    for rule in found.rules:
        yield {"name": "rule", "valueCode": rule}
    for consent in found.consents:
        yield {"name": "consent", "valueReference": {"reference": consent}}
