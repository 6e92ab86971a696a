"""The official R4 examples through the whole server: loaded, then read back in JSON and in XML, equal in value.

Resources with the published mistakes that test_r4_examples lists are refused, and nothing else is.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_server.representation import xml
from profiles import json
from tests.conformance.test_r4_examples import expected_mistakes
from tests.live import Live, live, load

# Definitions come by the thousand and are alike: a part of them goes through the server, all of them through XML.
DEFINITIONS = ("SearchParameter", "ValueSet", "CodeSystem", "StructureDefinition")
DEFINITIONS_STEP = 25


@pytest.fixture(scope="module")
def examples(definition_packages: Path) -> list[Path]:
    folder = definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package"
    files = sorted(folder.glob("*-*.json"))
    bulk = [file for file in files if file.name.startswith(DEFINITIONS)]
    rest = [file for file in files if not file.name.startswith(DEFINITIONS)]
    # A Bundle by its type may be a transaction to perform or a collection to unpack: those are other tests.
    return [f for f in rest if not f.name.startswith("Bundle-")] + bulk[::DEFINITIONS_STEP]


@pytest.fixture(scope="module")
def server(examples: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    data = tmp_path_factory.mktemp("r4") / "data"
    mistaken = [file for file in examples if file.stem in expected_mistakes()]
    summary = load(data, [file for file in examples if file not in mistaken])
    assert ", 0 refused" in summary, summary[-3000:]
    assert "references lead to resources that are not here" in summary, "the examples are known to have such references"
    refusals = load(tmp_path_factory.mktemp("mistakes") / "data", mistaken, status=1)
    assert f"0 stored, {len(mistaken)} refused" in refusals, refusals[-3000:]
    with live(data, "--base-policy", "permit") as server:
        yield server


def test_every_example_comes_back_equal_in_json_and_in_xml(server: Live, examples: list[Path]) -> None:
    compared = 0
    with server.client(scope="system/*.rs") as client:
        for file in examples:
            sent = json.parse(file.read_bytes())
            if file.stem in expected_mistakes():
                continue
            path = f"/{sent['resourceType']}/{sent['id']}"
            as_json = client.get(path, headers={"Accept": "application/fhir+json"})
            as_xml = client.get(path, headers={"Accept": "application/fhir+xml"})
            assert (as_json.status_code, as_xml.status_code) == (200, 200), path
            assert value(json.parse(as_json.content)) == value(sent), path
            assert value(xml.parse(as_xml.content), narrative=False) == value(sent, narrative=False), path
            compared += 1
    assert compared > 900


def test_every_official_resource_survives_the_way_to_xml_and_back(definition_packages: Path) -> None:
    folder = definition_packages / "hl7.fhir.r4.examples-4.0.1" / "package"
    for file in sorted(folder.glob("*-*.json"))[::3]:
        resource = json.parse(file.read_bytes())
        assert value(xml.parse(xml.serialize(resource)), narrative=False) == value(resource, narrative=False), file.stem


def value(resource: dict[str, Any], *, narrative: bool = True) -> Any:
    """The resource without what the server itself sets; decimals by their digits; XHTML only if it is asked for.

    The text of a narrative may be spelt anew in XML: entities, attribute quotes, white space in tags.
    """
    plain = dict(resource)
    meta = {key: item for key, item in plain.pop("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    if meta:
        plain["meta"] = meta
    return _value(plain, narrative)


def _value(item: Any, narrative: bool) -> Any:
    if isinstance(item, dict):
        return {key: _value(part, narrative) for key, part in item.items() if narrative or key != "div"}
    if isinstance(item, list):
        return [_value(part, narrative) for part in item]
    return ("decimal", str(item)) if isinstance(item, Decimal) else item
