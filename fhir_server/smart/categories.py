"""The rows of the authorization screen: what is in a dossier, in plain words, type by type.

Every type that can be about a patient is in one of them, or an app could be let in to what nobody was shown.
https://hl7.org/fhir/R4/compartmentdefinition-patient.html, https://hl7.org/fhir/R4/security-labels.html
"""

import re
from dataclasses import dataclass
from typing import Final

from consent.vocabulary import ACT_CODE
from fhir_server.gateway.directory import UNOWNED
from fhir_server.gateway.scopes import Scope

READING: Final = "rs"
WRITING: Final = "cud"

LABORATORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
_VALUES: Final = re.compile(r"(?<!\\),")


@dataclass(frozen=True, slots=True)
class Words:
    """Dutch that everybody can read (B1), and English."""

    nl: str
    en: str


@dataclass(frozen=True, slots=True)
class Category:
    """A row. `explained` says what is in it. `sensitive`: whoever lets an app in has to tick it themself.

    `writable`: somebody who lets an app in may write it at all, which is so of neither the log nor the directory.
    """

    name: str
    types: frozenset[str]
    title: Words
    explained: Words
    sensitive: bool = False
    writable: bool = True
    laboratory: bool | None = None  # of the Observations those from a laboratory, or all others; None: both

    def touches(self, scope: Scope) -> bool:
        """Whether the scope reaches anything in this row."""
        return any(self.holds(type, scope) for type in self.types if scope.type in (type, "*"))

    def holds(self, type: str, scope: Scope) -> bool:
        """Whether what the scope reaches of the type can be in this row."""
        return type in self.types and (type != "Observation" or self.laboratory in (None, *_kinds(scope)))

    @property
    def constraint(self) -> tuple[str, str]:
        """The search parameter that holds a scope on Observation to this row."""
        return ("category" if self.laboratory else "category:not", LABORATORY)


def _kinds(scope: Scope) -> set[bool]:
    """Whether the scope reaches Observations from a laboratory (True), and others (False)."""
    kinds = {True, False}
    for name, value in scope.parameters:
        if name == "category":
            kinds &= {one.rpartition("|")[2] == "laboratory" for one in _VALUES.split(value)}
        elif name == "category:not" and value == LABORATORY:
            kinds.discard(True)
    return kinds


def _row(
    name: str,
    types: str,
    nl: tuple[str, str],
    en: tuple[str, str],
    *,
    sensitive: bool = False,
    writable: bool = True,
    laboratory: bool | None = None,
) -> Category:
    title, explained = Words(nl[0], en[0]), Words(nl[1], en[1])
    return Category(name, frozenset(types.split()), title, explained, sensitive, writable, laboratory)


CATEGORIES: Final = (
    _row(
        "personal",
        "Patient Person",
        ("Persoonlijke gegevens", "Naam, adres, geboortedatum, telefoon en BSN."),
        ("Personal details", "Name, address, date of birth, phone, citizen service number (BSN)."),
    ),
    _row(
        "helpers",
        "RelatedPerson CareTeam Group",
        ("Contactpersonen en helpers", "Familie, mantelzorgers en het zorgteam."),
        ("Contacts and helpers", "Family, carers at home and the care team."),
    ),
    _row(
        "medicines",
        "MedicationAdministration MedicationDispense MedicationRequest MedicationStatement",
        ("Medicijnen", "Voorgeschreven, opgehaald en gebruikt."),
        ("Medicines", "Prescribed, collected and used."),
    ),
    _row(
        "measurements",
        "Observation",
        ("Metingen", "Gewicht, bloeddruk, roken, en wat verder is gezien of gemeten."),
        ("Measurements", "Weight, blood pressure, smoking, and what else was seen or measured."),
        laboratory=False,
    ),
    _row(
        "laboratory",
        "Observation DiagnosticReport ImagingStudy Media MolecularSequence Specimen",
        ("Uitslagen en foto's", "Bloedonderzoek, ander laboratoriumonderzoek, scans en foto's."),
        ("Test results and images", "Blood tests, other laboratory tests, scans and photos."),
        laboratory=True,
    ),
    _row(
        "diagnoses",
        "AdverseEvent BodyStructure ClinicalImpression Condition DetectedIssue FamilyMemberHistory Flag RiskAssessment",
        ("Ziektes en klachten", "Diagnoses, klachten, risico's en ziektes in de familie."),
        ("Illnesses and complaints", "Diagnoses, complaints, risks and illnesses in the family."),
    ),
    _row(
        "allergies",
        "AllergyIntolerance",
        ("Allergieën", "Stoffen, eten en medicijnen die niet goed vallen."),
        ("Allergies", "Substances, food and medicines that cause a reaction."),
    ),
    _row(
        "vaccinations",
        "Immunization ImmunizationEvaluation ImmunizationRecommendation",
        ("Vaccinaties", "Prikken die zijn gegeven en die nog komen."),
        ("Vaccinations", "Those that were given and those still to come."),
    ),
    _row(
        "treatments",
        "Device DeviceRequest DeviceUseStatement NutritionOrder Procedure RequestGroup ServiceRequest SupplyDelivery "
        "SupplyRequest VisionPrescription",
        ("Behandelingen en hulpmiddelen", "Operaties, verwijzingen, diëten en hulpmiddelen."),
        ("Treatments and aids", "Operations, referrals, diets and aids."),
    ),
    _row(
        "appointments",
        "Appointment AppointmentResponse Encounter EpisodeOfCare Schedule",
        ("Afspraken en bezoeken", "Afspraken, bezoeken en opnames, en bij wie."),
        ("Appointments and visits", "Appointments, visits and hospital stays, and with whom."),
    ),
    _row(
        "plans",
        "CarePlan Goal GuidanceResponse Task",
        ("Plannen en taken", "Zorgplannen, doelen, adviezen, en wie wat doet."),
        ("Plans and tasks", "Care plans, goals, advice, and who does what."),
    ),
    _row(
        "documents",
        "Binary Bundle Communication CommunicationRequest Composition DocumentManifest DocumentReference",
        ("Brieven, documenten en berichten", "Brieven van artsen, bestanden en berichten."),
        ("Letters, documents and messages", "Letters from doctors, files and messages."),
    ),
    _row(
        "questionnaires",
        "QuestionnaireResponse",
        ("Vragenlijsten", "Antwoorden op vragenlijsten."),
        ("Questionnaires", "Answers to questionnaires."),
    ),
    _row(
        "money",
        "Account ChargeItem Claim ClaimResponse Contract Coverage CoverageEligibilityRequest "
        "CoverageEligibilityResponse EnrollmentRequest ExplanationOfBenefit Invoice",
        ("Geld en verzekering", "Verzekering, rekeningen, declaraties en contracten."),
        ("Money and insurance", "Insurance, bills, claims and contracts."),
    ),
    _row(
        "other",
        "Basic List MeasureReport Provenance ResearchSubject",
        ("Overige gegevens", "Lijsten, wie wat schreef, en meedoen aan onderzoek."),
        ("Other information", "Lists, who wrote what, and taking part in research."),
    ),
    _row(
        "directory",
        " ".join(sorted(UNOWNED - {"Schedule"})),
        ("Zorgverleners en organisaties", "Wie er in de wijk zorg en hulp geven."),
        ("Care providers and organisations", "Who gives care and help in the neighbourhood."),
        writable=False,
    ),
    _row(
        "consents",
        "Consent",
        ("Wie wat mag zien", "Wie er wel en wie er niet in het dossier mag kijken."),
        ("Who may see what", "Who may and who may not look into the record."),
        sensitive=True,
    ),
    _row(
        "log",
        "AuditEvent",
        ("Wie er heeft gekeken", "Wie het dossier heeft bekeken, en wanneer."),
        ("Who has looked", "Who looked into the record, and when."),
        sensitive=True,
        writable=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A subject that is shown only if it was ticked, whatever type of record it is in. `codes` are v3 ActCodes.

    The one without codes is about everything else that was marked as sensitive or as more than normally confidential.
    """

    name: str
    codes: frozenset[str]
    title: Words


def _subject(name: str, codes: str, nl: str, en: str) -> Sensitivity:
    return Sensitivity(name, frozenset(codes.split()), Words(nl, en))


# https://terminology.hl7.org/CodeSystem-v3-ActCode.html, below _InformationSensitivityPolicy
SENSITIVITIES: Final = (
    _subject("hiv", "HIV", "Hiv", "HIV"),
    _subject("sexual", "SEX STD", "Seksualiteit, zwangerschap en soa's", "Sexual health, pregnancy and STIs"),
    _subject("mental", "BH COGN DVD EMOTDIS MH PSY PSYTHPN", "Psychische klachten", "Mental health"),
    _subject("addiction", "ETH ETHUD OPIOIDUD SUD", "Verslaving, alcohol en drugs", "Addiction, alcohol and drugs"),
    _subject("violence", "MST SDV VIO", "Geweld en misbruik", "Violence and abuse"),
    _subject(
        "confidential", "", "Al het andere dat extra vertrouwelijk is", "Everything else that is extra confidential"
    ),
)
SENSITIVE: Final = "_InformationSensitivityPolicy"
SENSITIVE_SYSTEM: Final = ACT_CODE
