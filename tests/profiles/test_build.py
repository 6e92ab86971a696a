"""The committed tables are what the pinned packages say, byte for byte, and the build refuses any other packages."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from profiles.build import DEFINITIONS, EXAMPLES, EXPANSIONS, BuildError, build, locate, main
from profiles.build_search import search_parameter_rows
from profiles.build_terminology import valueset_rows
from profiles.packages import TABLES, read_package, sha256
from profiles.registry import load

GENERATED = [*(f"{name}.json" for name in TABLES), "provenance.json"]


@pytest.fixture(scope="module")
def unpacked(definition_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked packages alone, so that the build does not take time to decompress the archives."""
    folder = tmp_path_factory.mktemp("packages")
    for package in (EXAMPLES, EXPANSIONS):
        (folder / package.stem).symlink_to(definition_packages / package.stem, target_is_directory=True)
    return folder


def test_the_committed_tables_are_what_the_packages_give(unpacked: Path, tmp_path: Path) -> None:
    build(unpacked, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(GENERATED)
    for name in GENERATED:
        assert (tmp_path / name).read_bytes() == (DEFINITIONS / name).read_bytes(), name


def test_archives_at_hand_have_the_pinned_hash(definition_packages: Path) -> None:
    for package in (EXAMPLES, EXPANSIONS):
        archive = definition_packages / f"{package.stem}.tgz"
        if not archive.is_file():
            pytest.skip(f"{archive.name} is not there, only the unpacked package")
        assert sha256(archive) == package.sha256


def test_the_tables_stay_small_and_have_one_record_a_line() -> None:
    assert sum((DEFINITIONS / name).stat().st_size for name in GENERATED) < 1_000_000
    for name in GENERATED:
        lines = (DEFINITIONS / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(json.loads("\n".join(lines))) + 2 or name == "types.json"


def test_provenance_names_package_version_licence_and_hash() -> None:
    provenance = json.loads((DEFINITIONS / "provenance.json").read_text(encoding="utf-8"))
    assert [(p["package"], p["version"], p["sha256"]) for p in provenance] == [
        (p.name, p.version, p.sha256) for p in (EXAMPLES, EXPANSIONS)
    ]
    assert {p["licence"] for p in provenance} == {"CC0-1.0"}
    readme = (DEFINITIONS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in GENERATED)


def test_another_archive_under_the_same_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f"{EXAMPLES.stem}.tgz").write_bytes(b"not the package")
    with pytest.raises(BuildError, match="sha256"):
        locate(tmp_path, EXAMPLES)
    assert main(["--packages", str(tmp_path), "--target", str(tmp_path / "tables")]) == 1
    assert "the pinned one is" in capsys.readouterr().err
    assert not (tmp_path / "tables").exists()


def test_missing_packages_are_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"hl7\.fhir\.r4\.expansions-4\.0\.1"):
        locate(tmp_path, EXPANSIONS)


def test_an_archive_and_its_unpacked_folder_read_the_same(tmp_path: Path) -> None:
    """Only the top level of `package/` counts: npm packages may hold other JSON (.index.json, openapi/)."""
    files = {
        "package/ValueSet-b.json": {"resourceType": "ValueSet", "id": "b"},
        "package/ValueSet-a.json": {"resourceType": "ValueSet", "id": "a"},
        "package/Patient-x.json": {"resourceType": "Patient", "id": "x"},
        "package/other/ValueSet-deep.json": {"resourceType": "ValueSet", "id": "deep"},
        "package/package.json": {"name": "x"},
    }
    with tarfile.open(tmp_path / "p.tgz", "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
            (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "p" / name).write_bytes(data)
    packed = list(read_package(tmp_path / "p.tgz", ["ValueSet"]))
    assert [r["id"] for r in packed] == ["a", "b"]
    assert list(read_package(tmp_path / "p", ["ValueSet"])) == packed


def test_test_material_and_parameters_without_meaning_are_left_out() -> None:
    def parameter(name: str, **more: object) -> dict[str, object]:
        url = f"http://hl7.org/fhir/SearchParameter/{name}"
        return {"id": name, "url": url, "code": name, "type": "token", "base": ["Patient"], "expression": "x", **more}

    rows = search_parameter_rows(
        [
            parameter("example-x"),
            parameter("no-base", base=[]),
            parameter("no-expression", expression=""),
            parameter("_text", expression="", base=["DomainResource"]),
            parameter("kept", target=["Patient", "Group"]),
            parameter("any", target=["Patient", "Group", "Device"]),
        ],
        {"Patient", "Group", "Device"},
    )
    assert [(row[0], row[5] if len(row) > 5 else "") for row in rows] == [
        ("_text", ""),
        ("any", "Resource"),
        ("kept", "Group Patient"),
    ]
    with pytest.raises(ValueError, match="url does not follow"):
        search_parameter_rows([parameter("other", url="http://example.org/other")], set())


def test_a_value_set_that_depends_on_an_unknown_one_is_left_out() -> None:
    def composed(url: str, **include: object) -> dict[str, object]:
        return {"url": url, "compose": {"include": [include]}}

    rows = valueset_rows(
        [
            composed("listed", system="s", concept=[{"code": "a"}]),
            composed("whole", system="known"),
            composed("foreign", system="http://snomed.info/sct"),
            composed("through", valueSet=["foreign"]),
            composed("further", valueSet=["through", "listed"]),
            composed("reference", valueSet=["listed|1.0"]),
            composed("regex", system="known", filter=[{"property": "code", "op": "regex", "value": ".*"}]),
        ],
        [],
        [["known", ["a"]]],
    )
    assert [row[0] for row in rows] == ["listed", "reference", "whole"]


def test_value_sets_agree_with_the_expansions_that_hl7_published(definition_packages: Path) -> None:
    """An oracle we did not make: 502 complete published expansions against our own reading of the compositions.

    The exceptions are expansions that leave out codes their own composition includes: descendants that have several
    parents, or that were added to the code system later.
    """
    registry = load()
    agreed, differing = 0, set()
    for resource in read_package(definition_packages / EXPANSIONS.stem, ["ValueSet"]):
        ours = registry.valueset(resource["url"])
        expansion = resource["expansion"]
        if ours is None or any(e.get("valueBoolean") for e in expansion.get("extension", ())):
            continue
        theirs = set(published_codes(expansion.get("contains", ())))
        if set(ours.codes) == theirs:
            agreed += 1
        else:
            assert theirs < set(ours.codes), resource["url"]
            differing.add(resource["id"])
    assert differing == {
        *("detectedissue-category", "diagnostic-service-sections", "observation-interpretation"),
        *("relatedperson-relationshiptype", "security-labels"),
        *("v2-0487", "v2-0916", "v3-ActCode", "v3-ActPharmacySupplyType"),
    }
    assert agreed == 493


def published_codes(entries: list[dict[str, object]]) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    for entry in entries:
        if "code" in entry and not entry.get("abstract"):
            found.append((entry["system"], entry["code"]))
        found += published_codes(entry.get("contains", []))  # type: ignore[arg-type]
    return found
