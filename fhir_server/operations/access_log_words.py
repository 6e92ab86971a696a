"""An event of the access log in one sentence, in Dutch (level B1) and English, both made from the same.

https://www.w3.org/WAI/WCAG22/Understanding/reading-level
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final, NamedTuple, TypeAlias

from fhir_server.operations.access_log_events import event
from fhir_server.operations.access_log_reading import Logged

LANGUAGES: Final = ("nl", "en")
Text: TypeAlias = tuple[str, str]
"""Dutch, English."""

_TYPES_TOLD_MAX: Final = 3


class _Deed(NamedTuple):
    """What was done, as said of what is done and of what was only tried."""

    done: Text
    tried: Text


class _Noun(NamedTuple):
    one: Text
    several: Text


_MONTHS: Final[tuple[Text, ...]] = (
    ("januari", "January"),
    ("februari", "February"),
    ("maart", "March"),
    ("april", "April"),
    ("mei", "May"),
    ("juni", "June"),
    ("juli", "July"),
    ("augustus", "August"),
    ("september", "September"),
    ("oktober", "October"),
    ("november", "November"),
    ("december", "December"),
)
_WITHOUT_LOGIN: Final = ("Iemand die niet was ingelogd", "Somebody who was not logged in")
_OPERATOR: Final = ("De beheerder van dit systeem", "The operator of this system")
_LOOKED_UP: Final = _Deed(("opgezocht", "looked up"), ("opzoeken", "look up"))
_READ: Final = _Deed(("gelezen", "read"), ("lezen", "read"))
_CHANGED: Final = _Deed(("gewijzigd", "changed"), ("wijzigen", "change"))
_PROCESSED: Final = _Deed(("verwerkt", "processed"), ("verwerken", "process"))
_USED: Final = _Deed(("gebruikt", "used"), ("gebruiken", "use"))
_DEEDS: Final[Mapping[str, _Deed]] = {
    "read": _READ,
    "vread": _READ,
    "history-instance": _READ,
    "history-type": _LOOKED_UP,
    "history-system": _LOOKED_UP,
    "search-type": _LOOKED_UP,
    "search-system": _LOOKED_UP,
    "create": _Deed(("toegevoegd", "added"), ("toevoegen", "add")),
    "update": _CHANGED,
    "patch": _CHANGED,
    "delete": _Deed(("verwijderd", "removed"), ("verwijderen", "remove")),
    "transaction": _PROCESSED,
    "batch": _PROCESSED,
    "operation": _Deed(("opgevraagd", "asked for"), ("opvragen", "ask for")),
}
_PERSONAL_DETAILS: Final = ("uw persoonsgegevens", "your personal details")
_LOG_LINE: Final = _Noun(("regel van uw logboek", "line of your log"), ("regels van uw logboek", "lines of your log"))
# The same, said to somebody who acts for the resident.
_THEIR_PERSONAL_DETAILS: Final = ("de persoonsgegevens van {name}", "the personal details of {name}")
_THEIR_LOG_LINE: Final = _Noun(
    ("regel van het logboek", "line of the log"), ("regels van het logboek", "lines of the log")
)
_SOMETHING: Final = _Noun(("ander gegeven", "other record"), ("andere gegevens", "other records"))
_NOUNS: Final[Mapping[str, _Noun]] = {
    "AllergyIntolerance": _Noun(("allergie", "allergy"), ("allergieën", "allergies")),
    "Appointment": _Noun(("afspraak", "appointment"), ("afspraken", "appointments")),
    "Binary": _Noun(("bestand", "file"), ("bestanden", "files")),
    "CarePlan": _Noun(("zorgplan", "care plan"), ("zorgplannen", "care plans")),
    "CareTeam": _Noun(("zorgteam", "care team"), ("zorgteams", "care teams")),
    "Communication": _Noun(("bericht", "message"), ("berichten", "messages")),
    "Condition": _Noun(("aandoening", "condition"), ("aandoeningen", "conditions")),
    "Consent": _Noun(("toestemming", "consent"), ("toestemmingen", "consents")),
    "Coverage": _Noun(("verzekering", "insurance"), ("verzekeringen", "insurances")),
    "Device": _Noun(("apparaat", "device"), ("apparaten", "devices")),
    "DiagnosticReport": _Noun(("uitslag", "test report"), ("uitslagen", "test reports")),
    "DocumentReference": _Noun(("document", "document"), ("documenten", "documents")),
    "Encounter": _Noun(("bezoek", "visit"), ("bezoeken", "visits")),
    "EpisodeOfCare": _Noun(("zorgperiode", "period of care"), ("zorgperiodes", "periods of care")),
    "Flag": _Noun(("waarschuwing", "warning"), ("waarschuwingen", "warnings")),
    "Goal": _Noun(("doel", "goal"), ("doelen", "goals")),
    "Immunization": _Noun(("vaccinatie", "vaccination"), ("vaccinaties", "vaccinations")),
    "MedicationRequest": _Noun(("recept", "prescription"), ("recepten", "prescriptions")),
    "MedicationStatement": _Noun(("medicijn", "medicine"), ("medicijnen", "medicines")),
    "Observation": _Noun(("meting", "measurement"), ("metingen", "measurements")),
    "Procedure": _Noun(("behandeling", "treatment"), ("behandelingen", "treatments")),
    "Provenance": _Noun(
        ("aantekening van wie iets schreef", "note of who wrote something"),
        ("aantekeningen van wie iets schreef", "notes of who wrote something"),
    ),
    "QuestionnaireResponse": _Noun(
        ("ingevulde vragenlijst", "completed questionnaire"), ("ingevulde vragenlijsten", "completed questionnaires")
    ),
    "RelatedPerson": _Noun(("naaste", "relative"), ("naasten", "relatives")),
    "ServiceRequest": _Noun(("aanvraag", "request"), ("aanvragen", "requests")),
    "Task": _Noun(("taak", "task"), ("taken", "tasks")),
}
# https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html
_PURPOSES: Final[Mapping[str, Text]] = {
    "BTG": ("een noodgeval", "an emergency"),
    "CAREMGT": ("het regelen van zorg", "arranging care"),
    "COC": ("samenwerking in de zorg", "coordinating care"),
    "ETREAT": ("spoedzorg", "emergency care"),
    "FAMRQT": ("een verzoek van familie", "a request of the family"),
    "HMARKT": ("reclame", "marketing"),
    "HOPERAT": ("het werk van de organisatie", "the work of the organisation"),
    "HPAYMT": ("betaling", "payment"),
    "HRESCH": ("onderzoek", "research"),
    "PATADMIN": ("administratie", "administration"),
    "PATRQT": ("een eigen verzoek", "a request of the patient"),
    "PUBHLTH": ("de volksgezondheid", "public health"),
    "PWATRNY": ("een volmacht", "a power of attorney"),
    "SUPNWK": ("hulp van naasten", "help by the support network"),
    "TREAT": ("behandeling", "treatment"),
}
# By rule; the values of consent.model.Rule, and `operator` for the command line of whoever runs the server.
_ALLOWED: Final[Mapping[str, Text]] = {
    "emergency": ("de noodknop is gebruikt", "the emergency button was used"),
    "consent": ("u hebt daar toestemming voor gegeven", "you gave consent for it"),
    "proxy": ("deze persoon mag zaken voor u regelen", "this person may act for you"),
    "own": ("het is uw eigen dossier", "it is your own record"),
    "author": ("wie iets zelf schreef, mag dat teruglezen", "whoever wrote something may read it back"),
    "base": ("het dossier is hier open als u niets kiest", "here the record is open if you make no choice"),
    "operator": ("de beheerder houdt het systeem in stand", "the operator keeps the system running"),
}
_REFUSED: Final[Mapping[str, Text]] = {
    "consent": ("u hebt gezegd dat het niet mag", "you said no to it"),
    "base": ("u hebt daar geen toestemming voor gegeven", "you gave no consent for it"),
    "personal": ("dat is alleen voor u", "that is for you alone"),
}
# Said to somebody who acts for the resident; who acts for them may have given the consent too.
_ALLOWED_THEM: Final[Mapping[str, Text]] = {
    **_ALLOWED,
    "consent": ("daar is toestemming voor gegeven", "consent was given for it"),
    "proxy": ("deze persoon mag zaken regelen voor {name}", "this person may act for {name}"),
    "own": ("het is het eigen dossier van {name}", "it is {name}'s own record"),
    "base": ("het dossier is hier open als niemand iets kiest", "here the record is open if nobody makes a choice"),
}
_REFUSED_THEM: Final[Mapping[str, Text]] = {
    "consent": ("er is gezegd dat het niet mag", "somebody said no to it"),
    "base": ("daar is geen toestemming voor gegeven", "no consent was given for it"),
    "personal": ("dat is alleen voor {name}", "that is for {name} alone"),
}


def sentence(found: Logged, language: str, zone: tzinfo, resident: str = "") -> str:
    """One sentence; dates are told in `zone`. `resident` is whose log it is, '' if that is the reader."""
    at = LANGUAGES.index(language)
    deed = _DEEDS.get(found.interaction, _USED)
    what, when, aims = _what(found.what, at, resident), _when(found.recorded, at, zone), _aims(found, at)
    patient = resident[:1].upper() + resident[1:] or ("U", "You")[at]
    who, by = _who(found, at) if found.name else patient, _by(found.app, at)
    own = not found.name and not resident
    told = event(found.detail, at, who=who, own=own, app=found.app or found.client, when=when)
    if told:
        return told
    if found.outcome == "permitted":
        told = _done(who, by, deed.done[at], what, when, at, own=own) + aims
        because = _because(_ALLOWED_THEM if resident else _ALLOWED, found, at, resident)
        allowed = ("dat mocht, want", "this was allowed, because")[at]
        return f"{told}; {allowed} {because}." if because else f"{told}."
    told = _tried(who, by, deed.tried[at], what, when, at) + aims
    if found.outcome == "failed":
        return told + ("; dat lukte niet door een storing.", "; this failed because of a fault.")[at]
    because = _because(_REFUSED_THEM if resident else _REFUSED, found, at, resident)
    refused = ("dat is geweigerd", "this was refused")[at]
    return f"{told}; {refused}, {('want', 'because')[at]} {because}." if because else f"{told}; {refused}."


def _because(reasons: Mapping[str, Text], found: Logged, at: int, resident: str) -> str:
    return next((reasons[rule][at].format(name=resident) for rule in reasons if rule in found.rules), "")


def _done(who: str, by: str, done: str, what: str, when: str, at: int, *, own: bool) -> str:
    if at == 1:
        return f"{who} {done} {what} {by}{when}"
    return f"{who} {'hebt' if own else 'heeft'} {by}{when} {what} {done}"


def _tried(who: str, by: str, tried: str, what: str, when: str, at: int) -> str:
    if at == 1:
        return f"{who} tried to {tried} {what} {by}{when}"
    return f"{who} wilde {by}{when} {what} {tried}"


def _by(app: str, at: int) -> str:
    return f"{('met de app', 'with the app')[at]} {app} " if app else ""


def _who(found: Logged, at: int) -> str:
    named = {"anonymous": _WITHOUT_LOGIN, "system": _OPERATOR}.get(found.name)
    if named is not None:
        return named[at]
    organization = next((one["display"] for one in found.organizations if "display" in one), "")
    return f"{found.name} {('van', 'of')[at]} {organization}" if organization else found.name


def _when(recorded: str, at: int, zone: tzinfo) -> str:
    moment = datetime.fromisoformat(recorded).astimezone(zone)
    day = f"{moment.day} {_MONTHS[moment.month - 1][at]} {moment.year}"
    clock = f"{moment:%H:%M}"
    return (f"op {day} om {clock} uur", f"on {day} at {clock}")[at]


def _what(counts: Mapping[str, int], at: int, resident: str) -> str:
    """`2 metingen en 1 aandoening`; types without a word of their own, and those beyond the first few, together."""
    told: list[str] = []
    others = 0
    for type, count in counts.items():
        noun = (_THEIR_LOG_LINE if resident else _LOG_LINE) if type == "AuditEvent" else _NOUNS.get(type)
        if type == "Patient":
            told.insert(0, (_THEIR_PERSONAL_DETAILS if resident else _PERSONAL_DETAILS)[at].format(name=resident))
        elif noun is None or len(told) == _TYPES_TOLD_MAX:
            others += count
        else:
            told.append(_counted(noun, count, at))
    if others:
        told.append(_counted(_SOMETHING, others, at))
    *first, last = told
    return f"{', '.join(first)} {('en', 'and')[at]} {last}" if first else last


def _counted(noun: _Noun, count: int, at: int) -> str:
    return f"{count} {(noun.one if count == 1 else noun.several)[at]}"


def _aims(found: Logged, at: int) -> str:
    """To what end, and that the emergency button was used where the rule does not say so already."""
    told = ""
    for purpose in found.purposes[:1]:
        words = _PURPOSES.get(purpose, (purpose, purpose))[at]
        told += (f", met als doel {words}", f", for {words}")[at]
    if found.emergency and "emergency" not in found.rules:
        told += (", met de noodknop", ", by the emergency button")[at]
    return told
