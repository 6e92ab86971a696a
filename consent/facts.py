"""A resource to ResourceFacts: everything the rules can ask about it, read once.

Which patients it is about comes from a compartment definition, or from whoever knows better.
https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final

from consent.elements import AUTHORED_TIMES, AUTHORS, CLINICAL_TIMES, CODES, CUSTODIANS, DOCUMENTS, LABELS
from consent.instants import interval, period
from consent.model import FOREVER, Coding, ResourceFacts
from consent.references import all_local, local
from consent.vocabulary import CONFIDENTIALITY, LEVELS, MEDIA_TYPES, NORMAL

Compartment = Mapping[str, Iterable[str]]
"""Of each type, the paths of the elements that name its patients, e.g. `subject`, `participant.actor`."""


# Paths in the order in which they count, and whether each is a clinical time.
_TIMES: Final = (
    *((path, True) for path in CLINICAL_TIMES),
    *((path, False) for path in (*AUTHORED_TIMES, "meta.lastUpdated")),
)


def facts(
    resource: Mapping[str, Any],
    compartment: Compartment,
    zone: tzinfo,
    *,
    patients: Iterable[str] | None = None,
    authors: Iterable[str] = (),
    custodians: Iterable[str] = (),
    personal: bool = False,
) -> ResourceFacts:
    """What the rules can ask about the resource; its dates are read in `zone` where they have no offset.

    `patients` (logical ids) take the place of the compartment's where the caller knows them: those that a Provenance or
    a Binary borrows, for instance. `authors` and `custodians` add what Provenances say (`Type/id`). `personal`: the
    resource is for the patient and their proxy alone.
    """
    kind = str(resource.get("resourceType", ""))
    logical_id = str(resource.get("id") or "")
    labels = _Labels()
    codes = _Codes()
    contained = _Codes()
    documents = _Codes()
    labels.add(resource)
    codes.add(resource)
    _add_documents(documents, resource)
    types_within: set[str] = set()
    for inner in _inner(resource):
        contained.add(inner)
    for entry in _entries(resource):
        # A stored Bundle is what its entries are; what hides one of them hides the whole.
        types_within.add(str(entry.get("resourceType", "")))
        labels.add(entry)
        contained.add(entry)
        for inner in _inner(entry):
            contained.add(inner)
    made_by, made_by_unclear = _parties(resource, AUTHORS.get(kind, ()), authors)
    kept_by, kept_by_unclear = _parties(resource, CUSTODIANS.get(kind, ()), custodians)
    if patients is None:
        patients = _patients(resource, compartment.get(kind, ()), kind, logical_id)
    return ResourceFacts(
        type=kind,
        id=logical_id,
        patients=tuple(sorted(set(patients))),
        confidentiality=labels.confidentiality,
        labels=frozenset(labels.found),
        labels_unclear=labels.unclear,
        codes=frozenset(codes.found),
        codes_unclear=codes.unclear or (kind in CODES and not codes.found),
        contained_codes=frozenset(contained.found),
        contained_codes_unclear=contained.unclear,
        documents=frozenset(documents.found),
        documents_unclear=documents.unclear or (kind in DOCUMENTS and not documents.found),
        types_within=frozenset(types_within),
        interval=_interval(resource, zone),
        authors=made_by,
        authors_unclear=made_by_unclear,
        custodians=kept_by,
        custodians_unclear=kept_by_unclear,
        references=frozenset(all_local(resource)),
        personal=personal,
    )


def values(node: Mapping[str, Any], path: str) -> Iterator[Any]:
    """What stands at the path, lists laid flat; `name[x]` finds every type of the choice."""
    name, _, rest = path.partition(".")
    if name.endswith("[x]"):
        stem = name[:-3]
        found = [value for key, value in node.items() if key.startswith(stem) and key[len(stem) :][:1].isupper()]
    else:
        found = [node[name]] if name in node else []
    for value in found:
        for item in value if isinstance(value, list) else (value,):
            if not rest:
                yield item
            elif isinstance(item, Mapping):
                yield from values(item, rest)


class _Codes:
    """Codings found, and whether something was said in words only."""

    def __init__(self) -> None:
        self.found: set[Coding] = set()
        self.unclear = False

    def add(self, resource: Mapping[str, Any]) -> None:
        for path in CODES.get(str(resource.get("resourceType", "")), ()):
            for value in values(resource, path):
                self.read(_resolved(value, resource))

    def read(self, value: Any) -> None:
        """A Coding or a CodeableConcept; anything else (a Reference to a Medication) is not to be read from here."""
        several = value.get("coding") if isinstance(value, Mapping) else None
        understood = False
        for coding in several if isinstance(several, list) else (value,):
            if isinstance(coding, Mapping):
                system, code = coding.get("system"), coding.get("code")
                if isinstance(system, str) and isinstance(code, str):
                    self.found.add((system, code))
                    understood = True
        self.unclear = self.unclear or not understood


class _Labels:
    """The strictest confidentiality and the other labels; unlabelled is normal, and not sensitive."""

    def __init__(self) -> None:
        self._level: int | None = None
        self.found: set[Coding] = set()
        self.unclear = False

    @property
    def confidentiality(self) -> int:
        return NORMAL if self._level is None else self._level

    def add(self, resource: Mapping[str, Any]) -> None:
        kind = str(resource.get("resourceType", ""))
        for label in values(resource, "meta.security"):
            self._read(label)
        for path in LABELS.get(kind, ()):
            for concept in values(resource, path):
                several = concept.get("coding") if isinstance(concept, Mapping) else None
                for label in several if isinstance(several, list) and several else (None,):
                    self._read(label)
        if kind == "Composition" and "confidentiality" in resource:
            self._read({"system": CONFIDENTIALITY, "code": resource["confidentiality"]})

    def _read(self, label: Any) -> None:
        system, code = (label.get("system"), label.get("code")) if isinstance(label, Mapping) else (None, None)
        if not isinstance(system, str) or not isinstance(code, str):
            self.unclear = True
        elif system == CONFIDENTIALITY and code in LEVELS:
            self._level = LEVELS[code] if self._level is None else max(self._level, LEVELS[code])
        else:
            self.found.add((system, code))


def _add_documents(documents: _Codes, resource: Mapping[str, Any]) -> None:
    kind = str(resource.get("resourceType", ""))
    for path in DOCUMENTS.get(kind, ()):
        for value in values(resource, path):
            documents.read(value)
    if kind == "DocumentReference":
        for media_type in values(resource, "content.attachment.contentType"):
            if isinstance(media_type, str):
                documents.found.add((MEDIA_TYPES, media_type))


def _inner(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for inner in values(resource, "contained"):
        if isinstance(inner, Mapping):
            yield inner


def _resolved(value: Any, resource: Mapping[str, Any]) -> Any:
    """The code of the contained Medication that stands in the place of a code; any other value as it is."""
    reference = value.get("reference") if isinstance(value, Mapping) else None
    if isinstance(reference, str) and reference.startswith("#"):
        for inner in _inner(resource):
            if inner.get("id") == reference[1:]:
                return inner.get("code")
    return value


def _entries(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The resources in a Bundle, those of a Bundle in it included."""
    waiting = [resource] if resource.get("resourceType") == "Bundle" else []
    while waiting:
        for entry in values(waiting.pop(), "entry.resource"):
            if isinstance(entry, Mapping):
                yield entry
                if entry.get("resourceType") == "Bundle":
                    waiting.append(entry)


def _parties(resource: Mapping[str, Any], paths: Iterable[str], others: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Those whom the elements name, and whether somebody else may be meant: nobody is named, or not by reference."""
    found = set(others)
    unclear = False
    for path in paths:
        for value in values(resource, path):
            reference = local(value)
            if reference:
                found.add(reference)
            else:
                unclear = True
    return frozenset(found), unclear or not found


def _patients(resource: Mapping[str, Any], paths: Iterable[str], kind: str, logical_id: str) -> Iterator[str]:
    if kind == "Patient":
        yield logical_id
    for path in paths:
        for value in values(resource, path):
            patient_type, _, patient = local(value).partition("/")
            if patient_type == "Patient":
                yield patient


def _interval(resource: Mapping[str, Any], zone: tzinfo) -> tuple[int, int] | None:
    """Clinical time, else when it was authored or issued, else when it was last updated; None if nothing tells."""
    places = [place for key in resource for place in _places(key)]
    for place in sorted(set(places)):
        path, clinical = _TIMES[place]
        found = _span(values(resource, path), zone)
        if found is not None:
            return _until_the_end(resource, path, found, zone) if clinical else found
    return None


@lru_cache(maxsize=4096)
def _places(key: str) -> tuple[int, ...]:
    """Which of the times an element of this name can hold, by itself or as a type of a choice."""
    stem = key[: next((at for at, letter in enumerate(key) if letter.isupper()), 0)]
    names = (key, f"{stem}[x]")
    return tuple(place for place, (path, _) in enumerate(_TIMES) if path.partition(".")[0] in names)


def _until_the_end(resource: Mapping[str, Any], path: str, found: tuple[int, int], zone: tzinfo) -> tuple[int, int]:
    """Where begin and end are two elements: an onset lasts until the abatement, a start until the end."""
    if path == "onset[x]":
        end = _span(values(resource, "abatement[x]"), zone)
        return found[0], max(found[1], end[1]) if end else FOREVER
    if path == "start":
        end = _span(values(resource, "end"), zone)
        return found[0], max(found[1], end[1]) if end else found[1]
    return found


def _span(several: Iterable[Any], zone: tzinfo) -> tuple[int, int] | None:
    """The interval that covers all dates, Periods and Timings among the values; None if there are none."""
    spans = [span for value in several if (span := _one_span(value, zone)) is not None]
    if not spans:
        return None
    return min(low for low, _ in spans), max(high for _, high in spans)


def _one_span(value: Any, zone: tzinfo) -> tuple[int, int] | None:
    if not isinstance(value, Mapping):
        return interval(value, zone)
    if "event" in value or "repeat" in value:
        events = [event for event in values(value, "event") if isinstance(event, str)]
        return _span([*events, *values(value, "repeat.boundsPeriod")], zone)
    return period(value, zone)
