"""Words for codes that stand in Consents and questions: Dutch (level B1) and English.

https://hl7.org/fhir/R4/resourcelist.html, https://terminology.hl7.org/CodeSystem-v3-ActReason.html
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from consent.model import Action

Language: TypeAlias = Literal["nl", "en"]
Text: TypeAlias = tuple[str, str]
"""Dutch, English."""

LANGUAGES: Final[tuple[Language, Language]] = ("nl", "en")

TYPES: Final[Mapping[str, Text]] = {
    "AllergyIntolerance": ("allergieën", "allergies"),
    "Appointment": ("afspraken", "appointments"),
    "CarePlan": ("zorgplannen", "care plans"),
    "CareTeam": ("zorgteams", "care teams"),
    "Communication": ("berichten", "messages"),
    "Condition": ("aandoeningen en problemen", "conditions and problems"),
    "Consent": ("toestemmingen", "consents"),
    "Coverage": ("verzekeringen", "insurance"),
    "Device": ("hulpmiddelen", "devices"),
    "DiagnosticReport": ("uitslagen", "diagnostic reports"),
    "DocumentReference": ("documenten", "documents"),
    "Encounter": ("bezoeken en gesprekken", "encounters"),
    "EpisodeOfCare": ("periodes van zorg", "episodes of care"),
    "FamilyMemberHistory": ("ziektes in de familie", "family history"),
    "Flag": ("waarschuwingen", "flags"),
    "Goal": ("doelen", "goals"),
    "ImagingStudy": ("beelden", "imaging studies"),
    "Immunization": ("vaccinaties", "immunizations"),
    "MedicationAdministration": ("toegediende medicijnen", "medication administrations"),
    "MedicationDispense": ("afgehaalde medicijnen", "dispensed medication"),
    "MedicationRequest": ("recepten", "prescriptions"),
    "MedicationStatement": ("medicijnen", "medication"),
    "NutritionOrder": ("diëten", "diets"),
    "Observation": ("metingen en waarnemingen", "observations"),
    "Patient": ("persoonlijke gegevens", "personal details"),
    "Procedure": ("behandelingen", "procedures"),
    "QuestionnaireResponse": ("ingevulde vragenlijsten", "answered questionnaires"),
    "RelatedPerson": ("naasten", "related persons"),
    "ServiceRequest": ("verwijzingen en aanvragen", "referrals and requests"),
    "Task": ("taken", "tasks"),
}
PURPOSES: Final[Mapping[str, Text]] = {
    "TREAT": ("behandeling", "treatment"),
    "CAREMGT": ("het regelen van zorg", "care management"),
    "COC": ("samenwerking tussen zorgverleners", "coordination of care"),
    "ETREAT": ("behandeling in nood", "emergency treatment"),
    "BTG": ("de noodknop", "the emergency button"),
    "HRESCH": ("onderzoek", "research"),
    "HPAYMT": ("betaling", "payment"),
    "HOPERAT": ("de organisatie van zorg", "health care operations"),
    "HMARKT": ("reclame", "marketing"),
    "PUBHLTH": ("volksgezondheid", "public health"),
    "PATRQT": ("een vraag van de bewoner", "a request of the patient"),
    "FAMRQT": ("een vraag van de familie", "a request of the family"),
    "PWATRNY": ("zaken regelen voor de bewoner", "acting for the patient"),
    "SUPNWK": ("hulp van mensen om de bewoner heen", "help from people around the patient"),
}
ACTIONS: Final[Mapping[Action, Text]] = {
    Action.ACCESS: ("inzien", "access"),
    Action.COLLECT: ("toevoegen", "collect"),
    Action.CORRECT: ("veranderen", "correct"),
    Action.DISCLOSE: ("doorgeven", "disclose"),
    Action.USE: ("gebruiken", "use"),
}
CONFIDENTIALITY: Final[Mapping[str, Text]] = {
    "U": ("openbaar", "unrestricted"),
    "L": ("nauwelijks vertrouwelijk", "low confidentiality"),
    "M": ("een beetje vertrouwelijk", "moderate confidentiality"),
    "N": ("gewoon vertrouwelijk", "normal confidentiality"),
    "R": ("extra vertrouwelijk", "restricted"),
    "V": ("zeer vertrouwelijk", "very restricted"),
}
# https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html
SENSITIVITY: Final[Mapping[str, Text]] = {
    "BH": ("gedrag en psychische gezondheid", "behavioural health"),
    "DIA": ("een diagnose die u zelf wilt horen", "a diagnosis to be told in person"),
    "ETH": ("alcohol en drugs", "alcohol and drugs"),
    "GDIS": ("erfelijke ziekten", "genetic disease"),
    "HIV": ("hiv", "HIV"),
    "OPIOIDUD": ("verslaving aan opiaten", "opioid addiction"),
    "PREGNANT": ("zwangerschap", "pregnancy"),
    "PSY": ("psychische gezondheid", "mental health"),
    "PSYTHPN": ("aantekeningen van psychotherapie", "psychotherapy notes"),
    "SDV": ("seksueel of huiselijk geweld", "sexual or domestic violence"),
    "SEX": ("seks en voortplanting", "sex and reproduction"),
    "STD": ("geslachtsziekten", "sexually transmitted disease"),
    "SUD": ("verslaving", "addiction"),
    "TBOO": ("onderwerpen die gevoelig liggen", "subjects people rather not speak of"),
}


def of_type(type: str, language: Language) -> str:
    """The word for resources of a type; the type itself where there is none."""
    return TYPES.get(type, (type, type))[LANGUAGES.index(language)]


def of_purpose(code: str, language: Language) -> str:
    return PURPOSES.get(code, (code, code))[LANGUAGES.index(language)]


def listed(words: Iterable[str], language: Language) -> str:
    """`a, b en c`."""
    *first, last = words
    return f"{', '.join(first)} {('en', 'and')[LANGUAGES.index(language)]} {last}" if first else last
