"""Bundle entries: a fullUrl is absolute and agrees with the resource that it identifies.

https://hl7.org/fhir/R4/bundle.html#bundle-unique
"""

from collections.abc import Mapping
from typing import Any

from profiles.rules.issue import Finding, Findings, token
from profiles.rules.references import SCHEME
from profiles.rules.scope import RESTFUL, Scope

# "The fullUrl SHALL NOT disagree with the id in the resource - i.e. if the fullUrl is not a urn:uuid, the URL shall be
# version-independent URL consistent with the Resource.id." In these types the server still has to give the id.
_WITHOUT_IDS = frozenset({"transaction", "batch"})


def check_entry(entry: Mapping[str, Any], scope: Scope) -> Findings | None:
    """Return what is wrong with the fullUrl of an entry."""
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(url, str):
        return None
    if SCHEME.match(url) is None:
        return [Finding("error", "value", f"fullUrl {token(url)} must be an absolute url", ".fullUrl")]
    if not isinstance(resource, dict) or not url.startswith(("http://", "https://")):
        return None
    identity = resource.get("id")
    if identity is None:
        if scope.resource.get("type") in _WITHOUT_IDS:
            return None
        text = f"fullUrl {token(url)} is no urn, so the resource needs the id that it ends in"
        return [Finding("error", "invalid", text, ".fullUrl")]
    restful = RESTFUL.fullmatch(url)
    if restful is not None and isinstance(identity, str) and restful[3] != identity:
        text = f"fullUrl {token(url)} disagrees with the id {token(identity)} of the resource"
        return [Finding("error", "invalid", text, ".fullUrl")]
    kind = resource.get("resourceType")
    if restful is not None and isinstance(kind, str) and restful[2] != kind:
        text = f"fullUrl {token(url)} disagrees with the type {token(kind)} of the resource"
        return [Finding("error", "invalid", text, ".fullUrl")]
    return None
