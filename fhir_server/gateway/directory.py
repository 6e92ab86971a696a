"""The lists of types that carry no patient: directory and knowledge. They are explicit: a type on no list is denied.

https://hl7.org/fhir/R4/resourcelist.html
"""

from typing import Final

# What an anonymous requester may see of the directory (setting `public_directory`): services and places, not people.
PUBLIC_DIRECTORY: Final = frozenset({"HealthcareService", "Location", "Organization", "OrganizationAffiliation"})

DIRECTORY: Final = PUBLIC_DIRECTORY | {"Endpoint", "Practitioner", "PractitionerRole", "Schedule", "Slot"}

KNOWLEDGE: Final = frozenset(
    {
        "ActivityDefinition",
        "CapabilityStatement",
        "CatalogEntry",
        "ChargeItemDefinition",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "DeviceDefinition",
        "EffectEvidenceSynthesis",
        "EventDefinition",
        "Evidence",
        "EvidenceVariable",
        "ExampleScenario",
        "GraphDefinition",
        "ImplementationGuide",
        "Library",
        "Measure",
        "Medication",
        "MedicationKnowledge",
        "MedicinalProduct",
        "MedicinalProductAuthorization",
        "MedicinalProductContraindication",
        "MedicinalProductIndication",
        "MedicinalProductIngredient",
        "MedicinalProductInteraction",
        "MedicinalProductManufactured",
        "MedicinalProductPackaged",
        "MedicinalProductPharmaceutical",
        "MedicinalProductUndesirableEffect",
        "MessageDefinition",
        "NamingSystem",
        "ObservationDefinition",
        "OperationDefinition",
        "PlanDefinition",
        "Questionnaire",
        "ResearchDefinition",
        "ResearchElementDefinition",
        "RiskEvidenceSynthesis",
        "SearchParameter",
        "SpecimenDefinition",
        "StructureDefinition",
        "StructureMap",
        "Substance",
        "SubstanceNucleicAcid",
        "SubstancePolymer",
        "SubstanceProtein",
        "SubstanceReferenceInformation",
        "SubstanceSourceMaterial",
        "SubstanceSpecification",
        "TerminologyCapabilities",
        "TestScript",
        "ValueSet",
    }
)

UNOWNED: Final = DIRECTORY | KNOWLEDGE  # readable by whoever has the scope, as long as no patient is named in it
PUBLIC: Final = PUBLIC_DIRECTORY | KNOWLEDGE  # without a token
# About a patient, and for the patient alone, whatever the base policy; `system` is the operator.
PERSONAL: Final = frozenset({"AuditEvent", "Consent"})
