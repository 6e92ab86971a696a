"""The resident's own rules: R4 Consents and their provisions.

https://hl7.org/fhir/R4/consent.html
"""

from typing import Any

from examples.author.dossier import Dossier
from examples.author.elements import ACT_CODE, LOINC, SNOMED, THO, Json, coding, concept, identifier, ref

_ROLES = {
    "PRCP": "primary information recipient",
    "IRCP": "information recipient",
    "CST": "custodian",
    "AUT": "author (originator)",
    "GRANTEE": "grantee",
}


def actor(reference: str, role: str = "PRCP") -> Json:
    """Somebody by reference, in a v3 ParticipationType role: recipients (PRCP, IRCP), custodian (CST), author (AUT)."""
    return {"role": _role(role), "reference": ref(reference)}


def category_actor(resource_type: str, system: str, code: str, display: str, role: str = "IRCP") -> Json:
    """Everybody of a kind: a logical reference by the code of a role, a specialty or an organization type."""
    return {
        "role": _role(role),
        "reference": {"type": resource_type, "identifier": identifier(system, code), "display": display},
    }


def _role(code: str) -> Json:
    system = "v3-RoleCode" if code == "GRANTEE" else "v3-ParticipationType"
    return {"coding": [coding(f"{THO}/{system}", code, _ROLES[code])]}


def data(meaning: str, reference: str) -> Json:
    return {"meaning": meaning, "reference": ref(reference)}


def resource_class(*types: str) -> list[Json]:
    return [coding("http://hl7.org/fhir/resource-types", name) for name in types]


def document_class(code: str, display: str) -> list[Json]:
    return [coding(LOINC, code, display)]


def provision(
    kind: str = "", *nested: Json, purpose: tuple[str, ...] = (), action: tuple[str, ...] = (), **elements: Any
) -> Json:
    """One provision; `kind` is permit, deny or empty, `nested` its exceptions."""
    result: Json = {"type": kind} if kind else {}
    if "period" in elements:
        result["period"] = elements.pop("period")
    if "actor" in elements:
        result["actor"] = elements.pop("actor")
    if action:
        result["action"] = [{"coding": [coding(f"{THO}/consentaction", code)]} for code in action]
    if "securityLabel" in elements:
        result["securityLabel"] = elements.pop("securityLabel")
    if purpose:
        result["purpose"] = [coding(f"{THO}/v3-ActReason", code) for code in purpose]
    if "class_" in elements:
        result["class"] = elements.pop("class_")
    result.update(elements)
    if nested:
        result["provision"] = list(nested)
    return result


def consent(
    d: Dossier,
    slug: str,
    sentence: str,
    rules: Json | None,
    *,
    on: str,
    status: str = "active",
    scope: str = "patient-privacy",
    policy: str = "",
    performer: str = "",
    category: Json | None = None,
    verified_by: str = "",
) -> str:
    """A Consent that says in Dutch what it means; `policy` (OPTIN, OPTOUT, EMRGONLY) speaks when the root is silent."""
    return d.add(
        "Consent",
        f"toestemming-{slug}",
        text=sentence,
        status=status,
        scope=concept(f"{THO}/consentscope", scope),
        category=[category or concept(LOINC, "59284-0", "Toestemming van de bewoner")],
        patient=ref(d.me),
        dateTime=on,
        performer=[ref(performer or d.me)],
        organization=[ref("Organization/wijknetwerk-hoensbroek")],
        policyRule={"coding": [coding(ACT_CODE, policy or "OPTIN")]},
        verification=[{"verified": True, "verifiedWith": ref(verified_by), "verificationDate": on}]
        if verified_by
        else None,
        provision=rules,
    )


def treatment_directive(d: Dossier, slug: str, sentence: str, procedure: tuple[str, str], kind: str, *, on: str) -> str:
    """A wish about treatment (scope `treatment`): clinical, it never opens or closes the dossier."""
    return consent(
        d,
        slug,
        sentence,
        provision(kind, code=[concept(SNOMED, *procedure)]),
        on=on,
        scope="treatment",
        policy="OPTIN" if kind == "permit" else "OPTOUT",
        category=concept(SNOMED, "129125009", "Behandelaanwijzing"),
    )


def advance_directive(d: Dossier, slug: str, sentence: str, representative: str, *, on: str) -> str:
    """A living will (scope `adr`): clinical, it never opens or closes the dossier."""
    return consent(
        d,
        slug,
        sentence,
        provision("permit", actor=[actor(representative)]),
        on=on,
        scope="adr",
        category=concept(f"{THO}/consentcategorycodes", "acd", "Wilsverklaring"),
    )


def research(d: Dossier, slug: str, sentence: str, rules: Json, *, on: str) -> str:
    return consent(
        d,
        slug,
        sentence,
        rules,
        on=on,
        scope="research",
        category=concept(f"{THO}/consentcategorycodes", "research", "Wetenschappelijk onderzoek"),
    )
