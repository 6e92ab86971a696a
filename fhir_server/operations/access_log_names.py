"""What the people and organisations in an access log are called, as far as its reader may see the directory."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any


class Names:
    """Names by reference, `Practitioner/1`; made of resources that were released to the reader.

    `apps` are the names of registered apps by their client ids.
    """

    def __init__(self, resources: Iterable[Mapping[str, Any]], apps: Mapping[str, str] = MappingProxyType({})) -> None:
        self._resources = {f"{one['resourceType']}/{one['id']}": one for one in resources}
        self._apps = apps

    def app(self, client: str) -> str:
        """The name of a registered app, '' for a program that is none."""
        return self._apps.get(client, "")

    def of(self, reference: str) -> str:
        """The name, or the reference itself where no name is known."""
        return self._name(reference) or reference

    def organization(self, reference: str) -> str:
        """The Organization of a PractitionerRole, '' if it is not known."""
        return _referred(self._resources.get(reference, {}), "organization")

    def reference(self, reference: str) -> dict[str, Any]:
        """As a Reference, with the name as its display."""
        name = self._name(reference)
        return {"reference": reference, "display": name} if name else {"reference": reference}

    def _name(self, reference: str) -> str:
        resource = self._resources.get(reference)
        if resource is None:
            return ""
        if resource["resourceType"] == "PractitionerRole":
            person = self._name(_referred(resource, "practitioner"))
            role = next((_text(concept) for concept in resource.get("code", ())), "")
            return f"{person} ({role})" if person and role else person or role
        name = resource.get("name", "")
        if isinstance(name, str):
            return name
        return next((_person(one) for one in name), "")


def _referred(resource: Mapping[str, Any], element: str) -> str:
    reference = resource.get(element, {}).get("reference", "")
    return reference if isinstance(reference, str) else ""


def _person(name: Mapping[str, Any]) -> str:
    """A HumanName in words."""
    text: str = name.get("text", "")
    return text or " ".join((*name.get("prefix", ()), *name.get("given", ()), *filter(None, (name.get("family"),))))


def _text(concept: Mapping[str, Any]) -> str:
    text: str = concept.get("text", "")
    return text or next((coding["display"] for coding in concept.get("coding", ()) if "display" in coding), "")
