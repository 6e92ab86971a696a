"""The functions that FHIR adds (https://hl7.org/fhir/R4/fhirpath.html#functions)."""

from collections.abc import Mapping
from typing import Any

from profiles.fhirpath import references
from profiles.fhirpath.compiler import Compiler
from profiles.fhirpath.environment import Environment
from profiles.fhirpath.errors import FhirPathError
from profiles.fhirpath.functions import Table, on_collections, on_items, register
from profiles.fhirpath.navigation import TYPE_INFO, step_into
from profiles.fhirpath.nodes import Items, Node, is_primitive, system, type_of
from profiles.fhirpath.operators import Closure
from profiles.fhirpath.syntax import Expr
from profiles.rules.narrative import check_narrative

TABLE: Table = {}
STRUCTURE_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"


def _urls(given: Items, name: str) -> str | None:
    value = system(given[0]) if len(given) == 1 else None
    if given and not isinstance(value, str):
        raise FhirPathError(f"the argument of `{name}` is a URL")
    return value if isinstance(value, str) else None


def _extension(env: Environment, items: Items, given: Items) -> Items:
    url = _urls(given, "extension")
    if url is None:
        return []
    found = step_into(env, [item for item in items if type(item) is Node], "extension")
    return [
        item for item in found if type(item) is Node and isinstance(item.value, dict) and item.value.get("url") == url
    ]


def _has_value(env: Environment, items: Items) -> Items:
    return [len(items) == 1 and (type(items[0]) is not Node or _has(items[0]))]


def _has(node: Node) -> bool:
    return node.value is not None and is_primitive(node)


def _get_value(env: Environment, items: Items) -> Items:
    if len(items) != 1:
        return []
    value = system(items[0])
    return [] if type(value) is Node else [value]


register(TABLE, "extension", 1)(on_collections(_extension))
register(TABLE, "hasExtension", 1)(on_collections(lambda env, items, given: [bool(_extension(env, items, given))]))
register(TABLE, "hasValue")(on_items(_has_value))
register(TABLE, "getValue")(on_items(_get_value))


def _type(env: Environment, items: Items) -> Items:
    out: Items = []
    for item in items:
        if type(item) is Node:
            namespace, _, name = item.type.rpartition("System.")
            info = {"namespace": "System" if item.type.startswith("System.") else "FHIR", "name": name or namespace}
        else:
            assert not isinstance(item, Node)
            info = {"namespace": "System", "name": type_of(item)}
        out.append(Node(info, TYPE_INFO))
    return out


def _resolve(env: Environment, items: Items) -> Items:
    out: Items = []
    for item in items:
        if type(item) is Node:
            target = references.resolve(env, item)
        else:
            target = references.resolve_text(env, item, None) if isinstance(item, str) else None
        if target is not None:
            out.append(target)
    env.charge(len(items))
    return out


register(TABLE, "type")(on_items(_type))
register(TABLE, "resolve")(on_items(_resolve))


def _html_checks(env: Environment, items: Items) -> Items:
    if not items:
        return []
    value = system(items[0])
    return [len(items) == 1 and isinstance(value, str) and check_narrative(value) is None]


register(TABLE, "htmlChecks")(on_items(_html_checks))


def _codings(value: Any, kind: str) -> list[tuple[str | None, str]]:
    """(system, code) of what a coded element holds; the system is None for a bare code."""
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, Mapping):
        return []
    if kind == "CodeableConcept":
        codings = value.get("coding")
        return [pair for coding in codings for pair in _codings(coding, "Coding")] if isinstance(codings, list) else []
    code = value.get("code")
    return [(value.get("system") or "", code)] if isinstance(code, str) else []


def _member_of(env: Environment, items: Items, given: Items) -> Items:
    url = _urls(given, "memberOf")
    valueset = env.model.definitions.valueset(url) if url is not None else None
    if not items or valueset is None:
        return []  # a value set that cannot be enumerated here: the answer is not known
    if len(items) > 1:
        raise FhirPathError("`memberOf` needs a single item")
    item = items[0]
    codings = _codings(item.value, item.type) if type(item) is Node else _codings(item, "")
    return [any(valueset.contains(coding[0], coding[1]) for coding in codings)]


def _conforms_to(env: Environment, items: Items, given: Items) -> Items:
    """Only for the base definition of a type, which being of that type decides: what is stored was validated."""
    url = _urls(given, "conformsTo")
    if not items or url is None:
        return []
    name = url.removeprefix(STRUCTURE_DEFINITION)
    if len(items) > 1 or name == url or name not in env.model.definitions.types:
        raise FhirPathError("`conformsTo` is supported for a single item and the base definition of a type")
    return [type(items[0]) is Node and env.model.is_subtype(items[0].type, name)]


def _check_modifiers(compiler: Compiler, source: Closure, arguments: tuple[Expr, ...]) -> Closure:
    """The input, provided that no modifier extension is there but those with the given URLs."""
    urls = [compiler.compile(argument) for argument in arguments]

    def check(env: Environment, focus: Items) -> Items:
        items = source(env, focus)
        known = {_urls(url(env, focus), "checkModifiers") for url in urls}
        for modifier in step_into(env, [item for item in items if type(item) is Node], "modifierExtension"):
            if type(modifier) is Node and modifier.value.get("url") not in known:
                raise FhirPathError("`checkModifiers` found a modifier extension that is not known")
        return items

    return check


register(TABLE, "memberOf", 1)(on_collections(_member_of))
register(TABLE, "conformsTo", 1)(on_collections(_conforms_to))
register(TABLE, "checkModifiers", 0, 20)(_check_modifiers)
