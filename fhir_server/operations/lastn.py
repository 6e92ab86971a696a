"""Observation/$lastn: of each code, the latest observations. https://hl7.org/fhir/R4/observation-operation-lastn.html"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fhir_server.gateway.release import Bundle, Entry
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.links import page_links
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.operations.parameters import pairs_in
from fhir_server.outcome import Category, FhirError
from fhir_server.search.parse import parse
from fhir_server.search.query import SortKey

DEFINITION: Final = Operation(
    code="lastn",
    types=("Observation",),
    levels=frozenset({"type"}),
    affects_state=False,
    title="Of each code, the latest observations",
    description="Every search parameter of Observation narrows what is looked at; `patient` or `subject` must be one.",
    parameters=(
        Parameter("max", "in", "positiveInt", "How many of each code; 1 if absent."),
        Parameter("patient", "in", "string", "As in a search.", max="*"),
        Parameter("subject", "in", "string", "As in a search.", max="*"),
        Parameter("return", "out", "Bundle", "A searchset.", min=1),
    ),
    base="Observation-lastn",
)

# All that match are looked at; who asks for more has to say more exactly what.
_EXAMINED_MAX: Final = 10_000
_PATIENT_PARAMETERS: Final = frozenset(("patient", "subject"))


async def lastn(request: Request) -> Response:
    session = request.session
    pairs = pairs_in(request)
    count = _max([value for name, value in pairs if name == "max"])
    criteria = tuple(pair for pair in pairs if pair[0] != "max")
    if not any(name.partition(":")[0] in _PATIENT_PARAMETERS for name, _ in criteria):
        raise FhirError(Category.INVALID, "$lastn needs `patient` or `subject`")
    parsed = parse(("Observation",), criteria, session.context())
    latest_first = replace(parsed.query, sort=(SortKey("date", "date", descending=True),))
    found = await session.search(
        latest_first,
        target="Observation",
        parameters=(("$lastn", str(count)), *criteria),
        count=_EXAMINED_MAX,
        includes=parsed.includes,
        interaction="operation",
        choose=lambda contents: _latest(contents, count),
    )
    if found.position:
        raise FhirError(Category.TOO_COSTLY, f"more than {_EXAMINED_MAX} observations match")
    entries = [Entry(f"{request.base}/{one.type}/{one.id}", one, "match") for one in found.matches]
    entries += (Entry(f"{request.base}/{one.type}/{one.id}", one, "include") for one in found.included)
    links = page_links(request, request.segments, pairs, pairs, b"")
    return Response(200, Bundle("searchset", tuple(entries), len(found.matches), links))


def _max(values: Sequence[str]) -> int:
    if not values:
        return 1
    if len(values) > 1 or not values[0].isascii() or not values[0].isdigit() or not 0 < int(values[0][:9]) < 10**6:
        raise FhirError(Category.VALUE, "`max` is one positive number", ("max",))
    return int(values[0])


def _latest(observations: Sequence[Mapping[str, Any]], count: int) -> list[int]:
    """Indexes of the first `count` of each group, in order. Observations that share a coding are of one group."""
    groups: dict[tuple[str, str], int] = {}
    sizes: dict[int, int] = {}
    kept: list[int] = []
    for index, observation in enumerate(observations):
        names = _names(observation.get("code", {}))
        group = next((groups[name] for name in names if name in groups), index)
        for name in names:
            groups.setdefault(name, group)
        sizes[group] = sizes.get(group, 0) + 1
        if sizes[group] <= count:
            kept.append(index)
    return kept


def _names(code: Mapping[str, Any]) -> list[tuple[str, str]]:
    codings = [(str(c.get("system", "")), str(c.get("code", ""))) for c in code.get("coding", ()) if c.get("code")]
    return codings or [("text", str(code.get("text", "")))]
