"""$meta, $meta-add and $meta-delete: profiles, tags and security labels. https://hl7.org/fhir/R4/resource-operation-meta.html"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fhir_server.gateway.release import Released
from fhir_server.interactions.body import resource_in
from fhir_server.interactions.exchange import Request, Response
from fhir_server.interactions.versions import version_number
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.operations.parameters import part_value
from fhir_server.outcome import Category, FhirError
from fhir_server.search.query import EVERYTHING, Query
from profiles import json

_RETURN: Final = Parameter("return", "out", "Meta", "The profiles, tags and labels; absent if there are none.")
META: Final = Operation(
    code="meta",
    types=(),
    levels=frozenset({"system", "type", "instance"}),
    affects_state=False,
    title="The profiles, tags and labels in use",
    description="Of a resource, of one version of it, or of all that may be seen of a type or of the system.",
    parameters=(_RETURN,),
    base="Resource-meta",
)
META_ADD: Final = Operation(
    code="meta-add",
    types=(),
    levels=frozenset({"instance"}),
    affects_state=True,
    title="Add profiles, tags and labels",
    description="Makes a new version of the resource, as an update does.",
    parameters=(Parameter("meta", "in", "Meta", "What to add.", min=1), _RETURN),
    base="Resource-meta-add",
)
META_DELETE: Final = Operation(
    code="meta-delete",
    types=(),
    levels=frozenset({"instance"}),
    affects_state=True,
    title="Take away profiles, tags and labels",
    description="Makes a new version of the resource, as an update does.",
    parameters=(Parameter("meta", "in", "Meta", "What to take away.", min=1), _RETURN),
    base="Resource-meta-delete",
)

_LISTS: Final = ("profile", "security", "tag")
# `$meta` of a type or of the system looks at each resource; beyond this it is a report, not a request.
_EXAMINED_MAX: Final = 2_000

Merge = Callable[[list[Any], list[Any]], list[Any]]


async def meta(request: Request) -> Response:
    """Of a resource (or a version of it) its meta; of a type or the system every profile, tag and label in use."""
    session = request.session
    path = request.segments[:-1]
    if len(path) == 2:
        return _answer(_meta_of(await session.read(path[0], path[1])))
    if len(path) == 4:
        version = version_number(path[3])
        return _answer(_meta_of(await session.vread(path[0], path[1], version or 0)))
    found = await session.search(
        Query(path[:1] or session.registry.resource_types, EVERYTHING),
        target="/".join(path),
        parameters=(("$meta", ""),),
        count=_EXAMINED_MAX,
        interaction="operation",
    )
    if found.position:
        raise FhirError(Category.TOO_COSTLY, f"$meta looks at {_EXAMINED_MAX} resources at most")
    return _answer(_together(_meta_of(released) for released in found.matches))


async def meta_add(request: Request) -> Response:
    return await _change(request, lambda old, new: old + [one for one in new if _key(one) not in map(_key, old)])


async def meta_delete(request: Request) -> Response:
    return await _change(request, lambda old, new: [one for one in old if _key(one) not in map(_key, new)])


async def _change(request: Request, merge: Merge) -> Response:
    type, id, _ = request.segments
    session = request.session
    session.require(type, "u")
    given = part_value(resource_in(request, "Parameters"), "meta")
    if not isinstance(given, Mapping):
        raise FhirError(Category.INVALID, "the parameter `meta` is missing", ("Parameters.parameter",))

    def change(current: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = dict(current.get("meta", {}))
        for name in _LISTS:
            merged = merge(changed.get(name, []), given.get(name) or [])
            changed.pop(name, None)
            if merged:
                changed[name] = merged
        return {**current, "meta": changed}

    _, written = await session.write("operation", f"{type}/{id}", lambda unit: unit.patch(type, id, change))
    released = written[0].released
    return _answer(_meta_of(released) if released is not None else {})


def _key(value: Any) -> Any:
    """What makes two labels one: system and code, or the canonical itself."""
    return (value.get("system"), value.get("code")) if isinstance(value, Mapping) else value


def _meta_of(released: Released) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.parse(released.body).get("meta", {})
    return found


def _together(metas: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    together: dict[str, dict[Any, Any]] = {name: {} for name in _LISTS}
    for one in metas:
        for name in _LISTS:
            for value in one.get(name, ()):
                together[name].setdefault(_key(value), value)
    return {name: list(values.values()) for name, values in together.items() if values}


def _answer(found: Mapping[str, Any]) -> Response:
    answer: dict[str, Any] = {"resourceType": "Parameters"}
    if found:  # a parameter without a value is none (inv-1)
        answer["parameter"] = [{"name": "return", "valueMeta": found}]
    return Response(200, answer)
