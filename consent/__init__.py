"""The consent engine: a pure library that decides who may see what, by the Consents of the patient.

Standard library only, no I/O. The order of work: `parse` a Consent, `compile_consent` it when it is written,
`compile_policy` all of a patient's, `bind` that to a request, and ask; or `decide` in one go.
https://hl7.org/fhir/R4/consent.html
"""

from consent.bind import Bound, bind
from consent.compile import CompiledConsent, Policy, Rules, compile_consent, compile_policy
from consent.decide import decide, decide_bound
from consent.facts import facts
from consent.parse import parse
from consent.residual import residual

__all__ = [
    "Bound",
    "CompiledConsent",
    "Policy",
    "Rules",
    "bind",
    "compile_consent",
    "compile_policy",
    "decide",
    "decide_bound",
    "facts",
    "parse",
    "residual",
]
