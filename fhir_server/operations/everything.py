"""Patient/$everything: the dossier of one patient, page by page, and the directory entries it refers to.

`start` and `end` bound the types that have a clinical date (search parameter `date`); others are given whole.
https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.narrow import conjunction, disjunction
from fhir_server.gateway.release import Bundle, Entry
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.links import page_links
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.operations.parameters import pairs_in
from fhir_server.outcome import Category, FhirError
from fhir_server.search.compartment import compartment_predicate
from fhir_server.search.context import Context
from fhir_server.search.parse import CURSOR, parse
from fhir_server.search.query import Ids, Predicate, Query, Reference
from fhir_server.search.results import ANY, Include, read_count

DEFINITION: Final = Operation(
    code="everything",
    types=("Patient",),
    levels=frozenset({"instance"}),
    affects_state=False,
    title="The dossier of one patient",
    description="What may be seen of the patient's compartment and of what is about the patient beyond it, page by "
    "page, with the directory entries that it refers to.",
    parameters=(
        Parameter("start", "in", "date", "Of types with a clinical date: nothing before this."),
        Parameter("end", "in", "date", "Of types with a clinical date: nothing after this."),
        Parameter("_since", "in", "instant", "What was changed since."),
        Parameter("_type", "in", "code", "These types only.", max="*"),
        Parameter("_count", "in", "integer", "How many on a page."),
        Parameter("return", "out", "Bundle", "A searchset.", min=1),
    ),
    base="Patient-everything",
)

_ONCE: Final = ("start", "end", "_since", "_count")
# About a patient, though the compartment definition leaves them out.
_BEYOND: Final = {"Contract": "patient", "Device": "patient", "GuidanceResponse": "patient", "Task": "patient"}


async def everything(request: Request) -> Response:
    session = request.session
    path = request.segments
    patient = path[1]
    pairs = pairs_in(request)
    position = b""
    token = dict(pairs).get(CURSOR)
    asked = pairs
    if token is not None:
        cursor = session.unseal(token, path)
        pairs, position = cursor.parameters, cursor.position
    await session.read("Patient", patient)
    context = session.context()
    once, types = _read(pairs, session.registry.resource_types)
    members = {"Patient": "", **session.registry.compartment("Patient"), **_BEYOND}
    queries = [
        Query((name,), conjunction(_member(name, patient, context), *_bounds(name, once, context)))
        for name in members
        if (not types or name in types) and session.holds(name)
    ]
    found = await session.search(
        *queries,
        target=f"Patient/{patient}",
        parameters=(("$everything", patient), *pairs),
        count=(read_count(once["_count"], context) if "_count" in once else context.count_max) or 1,
        position=position,
        includes=(Include(ANY, ANY, None, False),),
        interaction="operation",
    )
    entries = [Entry(f"{request.base}/{one.type}/{one.id}", one, "match") for one in found.matches]
    entries += (
        Entry(f"{request.base}/{one.type}/{one.id}", one, "include")
        for one in found.included
        if one.type in UNOWNED and (not types or one.type in types)
    )
    links = page_links(request, path, asked, pairs, found.position)
    return Response(200, Bundle("searchset", tuple(entries), links=links))


def _read(
    pairs: tuple[tuple[str, str], ...], resource_types: tuple[str, ...]
) -> tuple[Mapping[str, str], frozenset[str]]:
    """The parameters that occur once, and the types of `_type`."""
    once: dict[str, str] = {}
    types: set[str] = set()
    for name, value in pairs:
        if name == "_type":
            types.update(value.split(","))
        elif name in _ONCE and name not in once:
            once[name] = value
        elif name not in ("_summary", "_elements"):
            raise FhirError(Category.UNKNOWN_PARAMETER, f"`{name[:40]}` is not a parameter of $everything, or is twice")
    unknown = types.difference(resource_types)
    if unknown:
        raise FhirError(Category.VALUE, f"`_type`: `{min(unknown)[:40]}` is not a resource type", ("_type",))
    return once, frozenset(types)


def _member(name: str, patient: str, context: Context) -> Predicate:
    if name == "Patient":
        return Ids((patient,))
    if name in _BEYOND:
        return Reference(_BEYOND[name], "Patient", patient)
    return disjunction(compartment_predicate("Patient", patient, name, context.registry))


def _bounds(name: str, once: Mapping[str, str], context: Context) -> list[Predicate]:
    criteria: list[tuple[str, str]] = []
    if "_since" in once:
        criteria.append(("_lastUpdated", "ge" + once["_since"]))
    parameter = context.registry.search_parameters(name).get("date")
    if parameter is not None and parameter.type == "date":
        criteria += (("date", prefix + once[key]) for key, prefix in (("start", "ge"), ("end", "le")) if key in once)
    return [parse((name,), (pair,), context).query.where for pair in criteria]
