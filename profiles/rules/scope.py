"""Where validation stands: the resource at hand, its container, its siblings in a Bundle, and what they resolve to.

https://hl7.org/fhir/R4/references.html#contained and https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from profiles.fhirpath import Context

Resource = Mapping[str, Any]

# https://hl7.org/fhir/R4/references.html#regex, with the root, the type and the id as groups
RESTFUL: Final = re.compile(
    r"(https?://\S+?/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#\S*)?"
)


class BundleIndex:
    """The entries of one Bundle by fullUrl; `conditional` tells whether references may be searches."""

    __slots__ = ("by_full_url", "conditional", "type")

    def __init__(self, bundle: Resource) -> None:
        kind = bundle.get("type")
        self.type = kind if isinstance(kind, str) else ""
        self.conditional = self.type in ("transaction", "batch")
        self.by_full_url: dict[str, Resource] = {}
        entries = bundle.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                url, resource = entry.get("fullUrl"), entry.get("resource")
                if isinstance(url, str) and isinstance(resource, dict):
                    self.by_full_url.setdefault(url, resource)

    def find(self, reference: str, full_url: str) -> Resource | None:
        """Return the entry's resource that `reference` names in the entry with `full_url`, None when none does."""
        target = reference.partition("/_history/")[0].partition("#")[0]
        if ":" not in target:
            base = RESTFUL.fullmatch(full_url)
            if base is None:
                return None
            target = base[1] + target
        return self.by_full_url.get(target)


class Scope:
    """One resource under validation. A contained resource shares the contained ids and the Bundle of its container."""

    __slots__ = ("_context", "_siblings", "bundle", "contained", "full_url", "resource", "root")

    def __init__(
        self,
        resource: Resource,
        container: "Scope | None" = None,
        bundle: BundleIndex | None = None,
        full_url: str = "",
    ) -> None:
        self.resource = resource
        self._context: Context | None = None
        self._siblings: BundleIndex | None = None
        self.root: Resource = resource if container is None else container.root
        self.bundle: BundleIndex | None = bundle if container is None else container.bundle
        self.full_url: str = full_url if container is None else container.full_url
        self.contained: dict[str, Resource] = {} if container is None else container.contained
        contained = resource.get("contained") if container is None else None
        for inner in contained if isinstance(contained, list) else ():
            if isinstance(inner, dict) and isinstance(inner.get("id"), str):
                self.contained.setdefault(inner["id"], inner)

    @property
    def siblings(self) -> BundleIndex | None:
        """The entries of the resource at hand when it is a Bundle, for the resources in it."""
        if self._siblings is None and self.resource.get("resourceType") == "Bundle":
            self._siblings = BundleIndex(self.resource)
        return self._siblings

    @property
    def context(self) -> Context:
        """What FHIRPath needs to know of this place: `%resource`, `%rootResource` and `resolve()`."""
        if self._context is None:
            self._context = Context(resource=self.resource, root_resource=self.root, resolver=self.resolve)
        return self._context

    def resolve(self, reference: str) -> Resource | None:
        """Return the resource that a reference written here means, as far as it is in this container or Bundle."""
        if reference.startswith("#"):
            return self.contained.get(reference[1:]) if len(reference) > 1 else self.root
        return self.bundle.find(reference, self.full_url) if self.bundle is not None else None
