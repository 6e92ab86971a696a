"""An integrator on a laptop: what can it do, is my resource right, many questions in one go, searches that cross types.

https://hl7.org/fhir/R4/resource-operation-validate.html, https://hl7.org/fhir/R4/http.html#batch
"""

from examples.author.elements import THO
from examples.walkthroughs.walk import (
    FHIR_JSON,
    Server,
    answer,
    expect,
    resources,
    server_from_arguments,
    step,
    tell,
)

FINANCIAL_COUNSELLING = f"{THO}/service-type|73"


def walk(server: Server) -> None:
    client = server.as_user("system", "system/*.cruds", client="integrator")

    step("What can this server do?")
    statement = answer(server.anonymous().get("metadata"))
    types = {item["type"] for rest in statement["rest"] for item in rest["resource"]}
    tell(f"FHIR {statement['fhirVersion']}, {len(types)} resource types")
    expect(statement["fhirVersion"] == "4.0.1", "it is R4")
    expect(
        {"Patient", "Consent", "CarePlan", "CareTeam", "HealthcareService"} <= types, "the types of the order are there"
    )

    step("Is my resource right?")
    good = {"resourceType": "Organization", "name": "Nieuwe speeltuinvereniging", "active": True}
    issues = answer(client.post("Organization/$validate", json=good, headers={"Content-Type": FHIR_JSON}))["issue"]
    expect(not [issue for issue in issues if issue["severity"] in ("error", "fatal")], "a good one: no errors")
    bad = {"resourceType": "Organization", "active": "ja", "address": [{"use": "home", "city": "Hoensbroek"}]}
    issues = answer(client.post("Organization/$validate", json=bad, headers={"Content-Type": FHIR_JSON}))["issue"]
    errors = [issue for issue in issues if issue["severity"] in ("error", "fatal")]
    for issue in errors:
        tell(f"{', '.join(issue.get('expression', []))}: {issue.get('diagnostics', '')}")
    said = " ".join(str(issue) for issue in errors)
    expect("org-1" in said and "org-2" in said, "a bad one: the invariants are named")
    expect(
        any("Organization.active" in issue.get("expression", []) for issue in errors),
        "and the wrong type has its place",
    )

    step("Three questions and a mistake in one batch.")
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": "HealthcareService/buurtbus"}},
            {"request": {"method": "GET", "url": "Organization?type=cg&_summary=count"}},
            {"request": {"method": "GET", "url": "Location/bestaat-niet"}},
            {"request": {"method": "GET", "url": "Location?partof=Location/mfa-de-stip&_count=50"}},
        ],
    }
    bundle = answer(client.post("", json=batch, headers={"Content-Type": FHIR_JSON}))
    statuses = [entry["response"]["status"][:3] for entry in bundle["entry"]]
    expect(statuses == ["200", "200", "404", "200"], "each gets its own answer")
    expect(bundle["entry"][0]["resource"]["name"] == "Buurtbus Hoensbroek", "the bus was found")
    rooms = bundle["entry"][3]["resource"]["entry"]
    expect(len(rooms) == 8, "and the eight rooms of the MFA")

    step("Searches that cross types: forwards (chain) and backwards (_has).")
    bundle = answer(client.get("PractitionerRole", params={"practitioner.name": "El Amrani", "_total": "accurate"}))
    expect(bundle["total"] == 2, "dr. El Amrani has two roles")
    bundle = answer(client.get("HealthcareService", params={"organization.partof": "Organization/gemeente-heerlen"}))
    names = sorted(service["name"] for service in resources(bundle, "HealthcareService"))
    tell(", ".join(names))
    expect(
        "Financieel spreekuur" in names and "Buurtbus Hoensbroek" not in names, "offers of teams of the municipality"
    )
    bundle = answer(
        client.get("Organization", params={"_has:HealthcareService:organization:service-type": FINANCIAL_COUNSELLING})
    )
    found = [organization["id"] for organization in resources(bundle, "Organization")]
    expect(found == ["gemeente-schuldhulp"], "who offers financial counselling: one team")
    bundle = answer(
        client.get(
            "Practitioner",
            params={"_has:PractitionerRole:practitioner:organization.name": "GGZ De Brug", "_total": "accurate"},
        )
    )
    expect(bundle["total"] == 1, "who works at GGZ De Brug: one person, by way of the role")

    step("Unknown parameters, formats, and parts of a resource.")
    expect(client.get("Location", params={"kleur": "rood"}).status_code == 400, "an unknown parameter is an error")
    lenient = client.get("Location", params={"kleur": "rood", "_count": "1"}, headers={"Prefer": "handling=lenient"})
    expect(lenient.status_code == 200, "unless I ask for leniency")
    xml = client.get("Organization/wijkraad-hoensbroek", headers={"Accept": "application/fhir+xml"})
    expect(xml.text.lstrip().startswith("<") and "Wijkraad Hoensbroek" in xml.text, "XML for who wants XML")
    part = answer(client.get("Organization/wijkraad-hoensbroek", params={"_elements": "name"}))
    expect(part["name"] == "Wijkraad Hoensbroek" and "telecom" not in part, "only the name")

    step("A client without a patient sees no patients.")
    bundle = answer(client.get("Patient", params={"_summary": "count"}))
    expect(bundle["total"] == 0, "base policy deny: none")


if __name__ == "__main__":
    walk(server_from_arguments(__doc__))
