"""References: a form that can be followed, a target of a type the element allows, contained resources that are there.

https://hl7.org/fhir/R4/references.html
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from profiles.primitives import PRIMITIVES
from profiles.rules.issue import Finding, Findings, token
from profiles.rules.scope import RESTFUL, Scope

SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#\S*)?")
_IS_UUID, _ = PRIMITIVES["uuid"]
_IS_OID, _ = PRIMITIVES["oid"]


def is_canonical(value: Any) -> bool:
    """Return whether a value is an absolute URI or a fragment (`#id` of a contained resource).

    Canonical URLs identify across servers, so a relative one names nothing.
    https://hl7.org/fhir/R4/references.html#canonical
    """
    uri, _ = PRIMITIVES["canonical"]
    return uri(value) and (value[0] == "#" or SCHEME.match(value) is not None)


def reference_rule(
    targets: tuple[str, ...], resource_types: frozenset[str]
) -> Callable[[Mapping[str, Any], Scope], Findings | None]:
    """Return the check of one Reference element that may point to `targets` (empty or `Resource` is any type)."""
    allowed = resource_types if not targets or "Resource" in targets else frozenset(targets)
    matches_id = _ID.fullmatch

    def check(value: Mapping[str, Any], scope: Scope) -> Findings | None:
        reference = value.get("reference")
        if type(reference) is not str:
            return None  # absent, or reported as no string
        kind, slash, rest = reference.partition("/")
        if slash and kind in allowed and matches_id(rest) is not None:
            if scope.bundle is None and "type" not in value:
                return None
            target: str | None = kind
        else:
            findings, target = _resolve(reference, scope, resource_types)
            if findings:
                return findings
        if scope.bundle is not None and reference[0] != "#":
            findings, target = _in_bundle(reference, target, scope)
            if findings:
                return findings
        if target is not None and target not in allowed:
            names = ", ".join(sorted(allowed)[:12])
            return [
                Finding(
                    "error",
                    "structure",
                    f"the reference is to a `{target}`, but this element may only refer to: {names}",
                    ".reference",
                )
            ]
        said = value.get("type")
        if target is not None and said in resource_types and said != target:
            text = f"`type` says `{said}`, but the reference is to a `{target}`"
            return [Finding("error", "structure", text, ".type")]
        return None

    return check


def _resolve(reference: str, scope: Scope, resource_types: frozenset[str]) -> tuple[Findings, str | None]:
    """Return what is wrong with the form of a reference, and the type it says it points to (None is not said)."""
    if reference.startswith("#"):
        target = scope.resolve(reference)
        if target is None:
            text = f"ref-1: there is no contained resource with the id {token(reference[1:])}"
            return [Finding("error", "invariant", text, ".reference")], None
        kind = target.get("resourceType")
        return [], kind if isinstance(kind, str) else None
    if reference.startswith("urn:uuid:"):
        return _urn(_IS_UUID(reference), "a uuid in lower case should follow `urn:uuid:`"), None
    if reference.startswith("urn:oid:"):
        return _urn(_IS_OID(reference), "an oid should follow `urn:oid:`"), None
    if SCHEME.match(reference) is not None:
        restful = RESTFUL.fullmatch(reference)
        return [], restful[2] if restful is not None and restful[2] in resource_types else None
    kind, slash, rest = reference.partition("/")
    if slash:
        if kind not in resource_types:
            return _form(False, f"{token(kind)} is no resource type"), None
        return _form(_ID.fullmatch(rest) is not None, f"{token(rest)} is no valid id"), kind
    kind, question, _ = reference.partition("?")
    if question and kind in resource_types and scope.bundle is not None and scope.bundle.conditional:
        return [], kind  # https://hl7.org/fhir/R4/http.html#trules: a search instead of an id, in transactions
    return _form(False, f"{token(reference)} is none of Type/id, an absolute url, urn:uuid, urn:oid and #id"), None


def _form(holds: bool, text: str) -> Findings:
    return [] if holds else [Finding("error", "value", text, ".reference")]


def _urn(holds: bool, text: str) -> Findings:
    # An official sample without errors has such a reference: it can still be compared with a fullUrl.
    return [] if holds else [Finding("warning", "value", text, ".reference")]


def _in_bundle(reference: str, target: str | None, scope: Scope) -> tuple[Findings, str | None]:
    """Hold a reference against the entries of the Bundle that it is in."""
    assert scope.bundle is not None
    found = scope.bundle.find(reference, scope.full_url)
    if found is None and target is not None:
        # A uuid is the same thing everywhere: `Practitioner/<uuid>` cannot be the entry `urn:uuid:<uuid>` when that is
        # an Organization.
        _, _, identity = reference.partition("/")
        found = scope.bundle.by_full_url.get("urn:uuid:" + identity)
    if found is None:
        return [], target
    kind = found.get("resourceType")
    if not isinstance(kind, str):
        return [], target
    if target is not None and kind != target:
        text = f"the reference is to a `{target}`, but the entry of this bundle that it names is a `{kind}`"
        return [Finding("error", "structure", text, ".reference")], kind
    return [], kind
