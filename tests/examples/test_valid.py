"""Every example is valid by the base specification, as our own validator reads it.

https://hl7.org/fhir/R4/validation.html
"""

import pytest

from examples import bundle_paths
from profiles import json, registry
from profiles.registry import Registry
from profiles.validate import iter_issues


@pytest.fixture(scope="module")
def definitions() -> Registry:
    return registry.load()


def test_no_example_breaks_a_rule(definitions: Registry) -> None:
    """The one recommendation not followed is dom-6: the smaller resources carry no narrative."""
    found = []
    for path in bundle_paths():
        bundle = json.parse(path.read_bytes())
        found += [(path.name, str(issue)) for issue in iter_issues(bundle, definitions) if issue.severity == "error"]
        for entry in bundle["entry"]:
            item = entry["resource"]
            found += [
                (f"{item['resourceType']}/{item['id']}", str(issue))
                for issue in iter_issues(item, definitions)
                if not issue.diagnostics.startswith("dom-6")
            ]
    assert found == []


def test_the_validator_would_notice(definitions: Registry) -> None:
    item = dict(json.parse(bundle_paths()[0].read_bytes())["entry"][0]["resource"])
    del item["name"], item["identifier"]
    issues = [issue for issue in iter_issues(item, definitions) if issue.severity == "error"]
    assert any("org-1" in issue.diagnostics for issue in issues)
