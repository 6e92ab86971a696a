"""The emergency button: who may press it, and the message that it leaves for the patient.

What it opens is the engine's business. https://wetten.overheid.nl/BWBR0005290 (WGBO), NEN 7513
"""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from consent.model import Category, Closure
from fhir_server.gateway import audit, stored_text
from fhir_server.gateway.requester import SYSTEM_KIND, Requester
from fhir_server.store.protocol import VersionConflict, Write

if TYPE_CHECKING:
    from fhir_server.gateway.gateway import Gateway

_PROFESSIONALS: Final = frozenset({"Practitioner", "PractitionerRole"})
_MESSAGES: Final = UUID("5b0c9f0e-6c0f-5b7a-9f7e-0d3f8b1f6f11")


def roles(text: str) -> frozenset[Category]:
    """The setting `emergency_roles`: `system|code`, with commas between them."""
    parts = (role.strip().rpartition("|") for role in text.split(",") if role.strip())
    return frozenset(Category("PractitionerRole", system, code) for system, _, code in parts)


def may_press(login: str, closure: Closure, allowed: frozenset[Category]) -> bool:
    """Whether `login`, who counts as `closure`, is one of the professionals who may use the button."""
    if login.partition("/")[0] not in _PROFESSIONALS:
        return False
    return not allowed or not allowed.isdisjoint(closure.categories)


async def tell(gateway: "Gateway", requester: Requester, patients: frozenset[str]) -> None:
    """Leave each patient one message for each emergency window, durable when this returns."""
    for patient in sorted(patients):
        window = "|".join((requester.user, requester.client, str(requester.since), patient))
        message_id = str(uuid5(_MESSAGES, window))
        message = _message(message_id, requester, patient, stored_text.instant(gateway.clock()))
        owners = (patient,)
        rows = gateway.tools.extract(message)
        facts = gateway.tools.filer.file(message, owners, rows)
        write = Write("create", "Communication", message_id, 0, stored_text.body(message), owners, facts, rows)
        record = audit.record(
            Requester(SYSTEM_KIND, "wijkdossier", ()),
            "create",
            200,
            target=f"Communication/{message_id}",
            touched=(audit.Touched("Communication", message_id, 1, owners, wrote="create"),),
        )
        try:
            await gateway.store.commit((write,), (), (audit.entry(gateway.tools.new_id(), gateway.clock(), record),))
        except VersionConflict:
            continue  # told already, of this window


def _message(message_id: str, requester: Requester, patient: str, now: str) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/communication.html; `sender` would make it the professional's own work, so it is none."""
    return {
        "resourceType": "Communication",
        "id": message_id,
        "status": "completed",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/communication-category",
                        "code": "notification",
                    }
                ]
            }
        ],
        "priority": "urgent",
        "subject": {"reference": f"Patient/{patient}"},
        "recipient": [{"reference": f"Patient/{patient}"}],
        "sent": now,
        "payload": [
            {
                "contentString": "De noodknop is gebruikt om uw dossier te lezen. "
                f"Wie: {requester.user}. Reden: {requester.reason} "
                "In uw logboek staat wat er is bekeken."
            },
            {
                "contentString": "The emergency button was used to read your record. "
                f"Who: {requester.user}. Reason: {requester.reason} "
                "Your access log says what was seen."
            },
        ],
    }
