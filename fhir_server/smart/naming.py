"""What the reader of a Consent knows its people, records and codes by, as far as their own Session shows them.

https://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from consent.facts import values
from consent.model import Actor, Category
from consent.references import all_local
from consent.words import LANGUAGES, Language, Text, of_type
from fhir_server.gateway.session import Session
from fhir_server.operations.access_log_names import Names
from fhir_server.search.parse import parse
from profiles import json

_KIND_OF: Final[Mapping[str, Text]] = {
    "Organization": ("alle organisaties van de soort {name}", "all organisations of the kind {name}"),
    "PractitionerRole": ("alle zorgverleners van de soort {name}", "all professionals of the kind {name}"),
}
_DEVICES: Final = "Device/app-"
_BEHIND: Final = (("_include", "PractitionerRole:practitioner"), ("_include", "PractitionerRole:organization"))
# Where a record says what it is about, in the order in which it says it best.
_TITLES: Final = (
    "title",
    "description.text",
    "description",
    "code.text",
    "medicationCodeableConcept.text",
    "vaccineCode.text",
    "type.text",
    "category.text",
    "code.coding.display",
    "medicationCodeableConcept.coding.display",
    "vaccineCode.coding.display",
    "type.coding.display",
    "category.coding.display",
)
_TITLE_LENGTH_MAX: Final = 80


class KnownAs:
    """Names in one language. `resources` were released to the reader; `apps` are names of apps by client id, `others`
    of who is in no search of theirs by `Type/id`."""

    def __init__(
        self,
        resources: Iterable[Mapping[str, Any]],
        apps: Mapping[str, str],
        others: Mapping[str, str],
        consents: Iterable[Mapping[str, Any]],
        language: Language,
    ) -> None:
        self._resources = {f"{one['resourceType']}/{one['id']}": one for one in resources}
        self._names = Names(self._resources.values(), apps)
        self._others = others
        self._texts = dict(_texts(consents))
        self._language = language
        self._at = LANGUAGES.index(language)

    def actor(self, actor: Actor) -> str:
        if isinstance(actor, Category):
            name = self.coded(actor.system, actor.code)
            return _KIND_OF.get(actor.type, ("{name}", "{name}"))[self._at].format(name=name)
        return self.person(actor.reference)

    def person(self, reference: str) -> str:
        """Somebody, an organisation, a team or an app, by `Type/id`."""
        if reference.startswith(_DEVICES):
            client = client_of(reference)
            return self._names.app(client) or client
        return self._others.get(reference) or self._names.of(reference)

    def title(self, reference: str) -> str:
        resource = self._resources.get(reference)
        if resource is None or "name" in resource:
            name = self.person(reference)
            return name if name != reference else of_type(reference.partition("/")[0], self._language)
        for path in _TITLES:
            for text in values(resource, path):
                if isinstance(text, str) and text:
                    shown = text if len(text) <= _TITLE_LENGTH_MAX else text[: _TITLE_LENGTH_MAX - 1].rstrip() + "…"
                    return f"‘{shown}’"
        return of_type(resource["resourceType"], self._language)

    def coded(self, system: str, code: str) -> str:
        return self._texts.get((system, code), code)


def client_of(device: str) -> str:
    """The client id of an app as Consents name it, see records.Client.device; '' for another reference."""
    return device.removeprefix(_DEVICES) if device.startswith(_DEVICES) else ""


def apps_in(consent: Mapping[str, Any]) -> tuple[str, ...]:
    """The client ids of the apps that a Consent names, each once."""
    return tuple(dict.fromkeys(filter(None, map(client_of, all_local({"provision": consent.get("provision")})))))


async def known_as(
    session: Session,
    patient: str,
    references: Iterable[str],
    consents: Iterable[Mapping[str, Any]],
    language: Language,
) -> KnownAs:
    """The names behind these `Type/id` in Consents of the patient; found by one search, as far as that goes."""
    asked = dict.fromkeys(references)
    apps = await session.app_names(filter(None, map(client_of, asked)))
    wanted = [one for one in asked if not client_of(one) and session.holds(one.partition("/")[0])]
    found: list[Mapping[str, Any]] = []
    if wanted:
        types = tuple(sorted({one.partition("/")[0] for one in wanted}))
        ids = ",".join(sorted({one.partition("/")[2] for one in wanted}))
        behind = _BEHIND if "PractitionerRole" in types else ()
        search = parse(types, [("_id", ids), *behind], session.context())
        page = await session.search(
            search.query,
            target="",
            parameters=(("_id", ids),),
            count=len(types) * len(wanted),
            includes=search.includes,
            interaction="search-system",
        )
        found = [json.parse(one.body) for one in (*page.matches, *page.included)]
    shown = {f"{one['resourceType']}/{one['id']}" for one in found}
    hidden = [one for one in wanted if one not in shown]
    others = await session.names(patient, hidden) if hidden else {}
    return KnownAs(found, apps, others, consents, language)


def _texts(consents: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    """What the Consents themselves call a code: the words beside it."""
    waiting: list[Any] = [one.get("provision") for one in consents]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, Mapping):
            waiting += node.values()
            identifier, text = node.get("identifier"), node.get("text")
            if isinstance(identifier, Mapping):
                yield from _worded(identifier.get("system"), identifier.get("value"), node.get("display"))
            yield from _worded(node.get("system"), node.get("code"), node.get("display"))
            for coding in node.get("coding", ()) if text else ():
                yield from _worded(coding.get("system"), coding.get("code"), text)


def _worded(system: Any, code: Any, text: Any) -> Iterator[tuple[tuple[str, str], str]]:
    if isinstance(system, str) and isinstance(code, str) and isinstance(text, str) and text:
        yield (system, code), text
