"""Ownership: which patients a resource is about.

R4's Patient compartment, the Patient itself, and what the compartment forgets: Task.for, Device.patient, Contract and
GuidanceResponse by subject. Three types borrow their patients: a Provenance from its targets, a Binary from its
securityContext, both looked up when they are written; a stored Bundle from its entries. If any of those
names nobody, the borrower is about nobody known, which is denied.

An AuditEvent is about the patients in `entity.what` only. R4 counts `agent.who` too, but then the log of who looked
into a dossier would, whenever a patient or a proxy did the looking, be closed to the person whose dossier it was.

Only literal references to Patients on this server count. A resource that names, in one of the same elements, a patient
elsewhere or by identifier only is about somebody whom nobody here can speak for, and so about nobody known.
https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from fhir_server.gateway import provenance
from fhir_server.gateway.directory import UNOWNED
from fhir_server.search.rows import IndexRows
from profiles.registry import Registry

NOBODY: Final[tuple[str, ...]] = ()

Find: TypeAlias = Callable[[str, str], Awaitable[tuple[str, ...] | None]]
"""Owners of a (type, id), None if there is no such resource."""
Extract: TypeAlias = Callable[[Mapping[str, Any]], IndexRows]

# Search parameters that name the patient of a type which the compartment definition leaves out.
_BEYOND_COMPARTMENT: Final = {
    "Contract": ("patient", "subject"),
    "Device": ("patient",),
    "GuidanceResponse": ("patient", "subject"),
    "Task": ("patient", "subject"),
}
_BUNDLE_DEPTH_MAX: Final = 4


class Ownership:
    """Answers for every type, from the index rows that the resource is stored with."""

    def __init__(self, registry: Registry, extract: Extract) -> None:
        parameters = dict(registry.compartment("Patient")) | _BEYOND_COMPARTMENT
        del parameters["AuditEvent"]
        self._parameters = {name: frozenset(codes) for name, codes in parameters.items()}
        self._extract = extract
        # Besides these a Patient is about itself, and three types borrow.
        self.types: Final = frozenset(self._parameters) | {"AuditEvent", "Binary", "Bundle", "Patient", "Provenance"}

    def codes(self, type: str) -> frozenset[str]:
        """The search parameters that name the patients a resource of the type is about."""
        codes = self._parameters.get(type, frozenset())
        # `patient` is `subject` or `actor` again, as far as it is a Patient.
        return codes | {"patient"} if codes else codes

    async def owners(self, resource: Mapping[str, Any], rows: IndexRows, find: Find) -> tuple[str, ...]:
        """Logical ids of the patients that the resource is about, sorted; () for a directory resource or for nobody."""
        return await self._owners(resource, rows, find, _BUNDLE_DEPTH_MAX)

    async def _owners(self, resource: Mapping[str, Any], rows: IndexRows, find: Find, depth: int) -> tuple[str, ...]:
        kind = resource["resourceType"]
        if kind == "Provenance":
            if provenance.server_made(resource):
                # Whom a change was about stays so, whatever becomes of what was changed.
                return provenance.patients(resource)
            return await self._lent(_references(resource.get("target")), find)
        if kind == "Binary":
            return await self._lent(_references(resource.get("securityContext")), find)
        if kind == "Bundle":
            return await self._of_entries(resource, find, depth)
        if kind == "AuditEvent":
            return _audited(resource.get("entity") or ())
        codes = self._parameters.get(kind, frozenset())
        found = {row.id for row in rows.references if row.type == "Patient" and row.param in codes}
        if "" in found:
            return NOBODY  # also about a patient known elsewhere or by identifier only: nobody here speaks for them
        if kind == "Patient" and isinstance(resource.get("id"), str):
            found.add(resource["id"])
        return tuple(sorted(found))

    async def _lent(self, references: Sequence[str], find: Find) -> tuple[str, ...]:
        """The owners of all that is referred to; NOBODY as soon as one of them is known to be about nobody."""
        lent: set[str] = set()
        for reference in references:
            local = local_reference(reference)
            if local is None:
                return NOBODY
            owners = await find(*local)
            if local[0] == "Patient":
                lent.add(local[1])  # a Patient is about itself, whether it is here yet or not
            elif owners is None or (not owners and local[0] not in UNOWNED):
                return NOBODY
            lent.update(owners or ())
        return tuple(sorted(lent))

    async def _of_entries(self, bundle: Mapping[str, Any], find: Find, depth: int) -> tuple[str, ...]:
        together: set[str] = set()
        if depth == 0:
            return NOBODY
        for entry in bundle.get("entry") or ():
            resource = _child(entry, "resource")
            if not isinstance(resource, Mapping) or "resourceType" not in resource:
                continue
            owners = await self._owners(resource, self._extract(resource), find, depth - 1)
            if not owners and resource["resourceType"] not in UNOWNED:
                return NOBODY
            together.update(owners)
        return tuple(sorted(together))


def local_reference(reference: str) -> tuple[str, str] | None:
    """(type, id) of a relative reference `Patient/1` or `Patient/1/_history/2`, else None."""
    parts = reference.split("/")
    if len(parts) == 4 and parts[2] == "_history":
        parts = parts[:2]
    if len(parts) != 2 or not parts[0].isalpha() or not parts[1] or parts[0].islower():
        return None
    return parts[0], parts[1]


def _references(found: Any) -> tuple[str, ...]:
    """The `reference` of one Reference or of several; a Reference without one yields '', which names nobody."""
    if found is None:
        return ()
    several: Iterable[Any] = (found,) if isinstance(found, Mapping) else found
    return tuple(str(one.get("reference", "")) for one in several if isinstance(one, Mapping))


def _audited(entities: Sequence[Any]) -> tuple[str, ...]:
    """The patients among the entities: those in the role of patient (1) if there are any, else all of them."""
    patients: dict[str, bool] = {}
    for entity in entities:
        for reference in _references(_child(entity, "what")):
            local = local_reference(reference)
            if local is not None and local[0] == "Patient":
                role = _child(_child(entity, "role"), "code") == "1"
                patients[local[1]] = patients.get(local[1], False) or role
    if any(patients.values()):
        return tuple(sorted(patient for patient, role in patients.items() if role))
    return tuple(sorted(patients))


def _child(part: Any, name: str) -> Any:
    return part.get(name) if isinstance(part, Mapping) else None
