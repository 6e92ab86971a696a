"""Invariants of R4 4.0.1 that do not say what they mean, and what they mean (https://hl7.org/fhir/R4/conformance-rules.html)."""

# The published expression → the one that is evaluated. Each is how R4B or R5 words the same rule.
ERRATA = {
    # que-7: `Boolean` names FHIRPath's own type, which no element has; the answer is a FHIR boolean.
    "operator = 'exists' implies (answer is Boolean)": "operator = 'exists' implies (answer is boolean)",
}
