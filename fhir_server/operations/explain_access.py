"""$explain-access: why somebody can, or can't, see what is in a dossier; every rule named, in Dutch (B1) and English.

For the patient, their verified proxies, and the auditor: `system` with a scope to read the log. Everybody else is told
what they would be told of a patient who is not there. What is about two patients is explained to neither: the decision
is not theirs alone.
"""

from collections.abc import Iterator
from typing import Any, Final

from fhir_server.gateway.explaining import Both, Explanation, Part, Question, Told
from fhir_server.gateway.stored_text import instant
from fhir_server.interactions.exchange import Request, Response
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.outcome import Category, FhirError

LANGUAGES: Final = ("nl", "en")

TEXT: Final = Parameter(
    "text",
    "out",
    "",
    "The same in words, in each language that was asked for.",
    max="*",
    parts=(
        Parameter("language", "out", "code", "`nl` or `en`.", min=1),
        Parameter("sentence", "out", "string", "One sentence or two.", min=1, max="*"),
    ),
)
_PROVISION: Final = Parameter(
    "provision",
    "out",
    "",
    "A provision of a Consent that was looked at; those that decided come with every question, those that lost or do "
    "not fit when one record or one type was asked about.",
    max="*",
    parts=(
        Parameter("consent", "out", "Reference", "The version of the Consent.", min=1),
        Parameter("path", "out", "string", "Which provision of it, as FHIRPath.", min=1),
        Parameter("effect", "out", "code", "What it says: permit or deny.", min=1),
        Parameter("fate", "out", "code", "What became of it: stands, no-match, exception, beaten, overruled …", min=1),
        Parameter("by", "out", "string", "The Consent and provision that made it lose."),
        Parameter(
            "element",
            "out",
            "",
            "An element that narrows it.",
            max="*",
            parts=(
                Parameter("name", "out", "string", "Its name.", min=1),
                Parameter("answer", "out", "code", "Whether it fits: yes, no or unknown.", min=1),
            ),
        ),
        TEXT,
    ),
)
DEFINITION: Final = Operation(
    code="explain-access",
    types=("Patient",),
    levels=frozenset({"instance"}),
    affects_state=False,
    title="Why somebody can or can't see what is in this dossier",
    description="Decisions about one record, one type or the whole dossier, with every Consent and provision that "
    "mattered, now or as of another day. For the patient, verified proxies and the auditor only.",
    parameters=(
        Parameter(
            "actor", "in", "Reference", "Whom it is about: Practitioner, PractitionerRole, Organization …", min=1
        ),
        Parameter("purpose", "in", "code", "To what end, a code of v3 ActReason; if absent, none is known."),
        Parameter("action", "in", "code", "access (the default), collect, correct, disclose or use."),
        Parameter("resource", "in", "Reference", "One record in this dossier."),
        Parameter("type", "in", "code", "All records of this type; with neither, the whole dossier is summarised."),
        Parameter("at", "in", "dateTime", "As of then, at its first instant: Consents, memberships, labels, records."),
        Parameter("language", "in", "code", "nl or en; both if absent."),
        Parameter("actor", "out", "Reference", "Whom it is about, with the name the directory gives.", min=1),
        Parameter("purpose", "out", "code", "To what end."),
        Parameter("action", "out", "code", "To do what.", min=1),
        Parameter("at", "out", "instant", "As of when.", min=1),
        Parameter(
            "summary",
            "out",
            "",
            "How many records of a type may be had.",
            max="*",
            parts=(
                Parameter("type", "out", "code", "The type.", min=1),
                Parameter("permitted", "out", "integer", "How many may be had.", min=1),
                Parameter("denied", "out", "integer", "How many may not.", min=1),
            ),
        ),
        Parameter(
            "decision",
            "out",
            "",
            "A decision, and the records for which it is the same in every respect.",
            max="*",
            parts=(
                Parameter("type", "out", "code", "The type of the records.", min=1),
                Parameter("effect", "out", "code", "permit or deny.", min=1),
                Parameter(
                    "rule",
                    "out",
                    "code",
                    "What it rests on: consent, own, proxy, author, base, emergency or personal.",
                    min=1,
                ),
                Parameter("count", "out", "integer", "How many records.", min=1),
                Parameter("resource", "out", "Reference", "Each of them; not in the summary of a dossier.", max="*"),
                Parameter("validUntil", "out", "instant", "When it could change by itself; absent if nothing is due."),
                _PROVISION,
                TEXT,
            ),
        ),
    ),
)


async def explain_access(request: Request) -> Response:
    session = request.session
    session.require("Patient", "r")
    given = DEFINITION.arguments(request)
    resource, type = given.get("resource", ""), given.get("type", "")
    if resource and type:
        raise FhirError(Category.INVALID, "`resource` and `type` do not go together", ("type",))
    if resource and "/" not in resource:
        raise FhirError(Category.VALUE, "`resource` is `Type/id`", ("resource",))
    if "/" in type:
        raise FhirError(Category.VALUE, "`type` is a resource type", ("type",))
    language = given.get("language", "")
    if language and language not in LANGUAGES:
        raise FhirError(Category.VALUE, f"`language` is one of {', '.join(LANGUAGES)}", ("language",))
    question = Question(
        actor=given["actor"],
        purpose=given.get("purpose", ""),
        action=given.get("action", ""),
        about=resource or type,
        at=given.get("at", ""),
    )
    explanation = await session.explain(request.segments[1], question)
    return Response(200, {"resourceType": "Parameters", "parameter": list(_answer(explanation, language))})


def _answer(explanation: Explanation, language: str) -> Iterator[dict[str, Any]]:
    yield {"name": "actor", "valueReference": {"reference": explanation.actor, "display": explanation.name}}
    if explanation.purpose:
        yield {"name": "purpose", "valueCode": explanation.purpose}
    yield {"name": "action", "valueCode": explanation.action}
    yield {"name": "at", "valueInstant": instant(explanation.instant)}
    counts: dict[str, dict[str, int]] = {}
    for told in explanation.told:
        counted = counts.setdefault(told.type, {"permit": 0, "deny": 0})
        counted[told.effect] += told.count
    for type, counted in counts.items():
        parts = [
            {"name": "type", "valueCode": type},
            {"name": "permitted", "valueInteger": counted["permit"]},
            {"name": "denied", "valueInteger": counted["deny"]},
        ]
        yield {"name": "summary", "part": parts}
    for told in explanation.told:
        yield {"name": "decision", "part": list(_decision(told, language))}


def _decision(told: Told, language: str) -> Iterator[dict[str, Any]]:
    yield {"name": "type", "valueCode": told.type}
    yield {"name": "effect", "valueCode": told.effect}
    yield {"name": "rule", "valueCode": told.rule}
    yield {"name": "count", "valueInteger": told.count}
    for reference in told.resources:
        yield {"name": "resource", "valueReference": {"reference": reference}}
    if told.valid_until is not None:
        yield {"name": "validUntil", "valueInstant": instant(told.valid_until)}
    for part in told.parts:
        yield {"name": "provision", "part": list(_provision(part, language))}
    yield from texts(told.sentences, language)


def _provision(part: Part, language: str) -> Iterator[dict[str, Any]]:
    yield {"name": "consent", "valueReference": {"reference": part.consent}}
    yield {"name": "path", "valueString": part.path}
    yield {"name": "effect", "valueCode": part.effect}
    yield {"name": "fate", "valueCode": part.fate}
    if part.by:
        yield {"name": "by", "valueString": part.by}
    for name, answer in part.elements:
        yield {
            "name": "element",
            "part": [{"name": "name", "valueString": name}, {"name": "answer", "valueCode": answer}],
        }
    yield from texts(part.says, language)


def texts(both: Both, language: str) -> Iterator[dict[str, Any]]:
    """The sentences in one language, or in both for ''."""
    for code, sentences in zip(LANGUAGES, both, strict=True):
        if sentences and language in ("", code):
            said = [{"name": "sentence", "valueString": sentence} for sentence in sentences]
            yield {"name": "text", "part": [{"name": "language", "valueCode": code}, *said]}
