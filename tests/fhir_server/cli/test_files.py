"""What a file holds, whatever it is packed in; what can't be read is an error in the list, never an exception."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_server.cli.files import documents, expand

JSON = b'{"resourceType": "Patient", "id": "a"}'
XML = b'<Patient xmlns="http://hl7.org/fhir"><id value="a"/></Patient>'
PATIENT = {"resourceType": "Patient", "id": "a"}


@pytest.mark.parametrize(
    "ending, pack",
    [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
@pytest.mark.parametrize("name, content", [("a.json", JSON), ("a.xml", XML), ("a", JSON)])
def test_json_and_xml_are_read_plain_and_packed(
    tmp_path: Path, name: str, content: bytes, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / (name + ending)
    path.write_bytes(pack(content))
    (document,) = documents(path)
    assert (document.resource, document.error, document.line) == (PATIENT, None, 0)
    assert document.name == name + ending


@pytest.mark.parametrize("ending, pack", [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)])
def test_ndjson_comes_line_by_line_with_line_numbers(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"a.ndjson{ending}"
    path.write_bytes(pack(JSON + b"\n\n{broken\n" + JSON))
    first, second, third = documents(path)
    assert (first.name, first.resource) == (f"a.ndjson{ending}:1", PATIENT)
    assert (second.line, second.resource) == (3, None)
    assert second.error is not None
    assert third.line == 4


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("a.json", b"", "json"),
        ("a.json", b"[1, 2]", "object"),
        ("a.json", b'{"a": 1, "a": 2}', "a"),
        ("a.xml", b"<Patient", "XML"),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY e "e">]><Patient xmlns="http://hl7.org/fhir"/>', "document type"),
        ("a.json.gz", b"not gzip", "can't be read"),
        ("a.json.gz", gzip.compress(JSON, mtime=0)[:20], "can't be read"),
        ("a.json.bz2", b"not bzip2", "can't be read"),
        ("a.json.xz", b"not xz", "can't be read"),
        ("a.ndjson.xz", lzma.compress(JSON * 100)[:-30], "can't be read"),
    ],
)
def test_what_cannot_be_read_is_an_error_in_the_list(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    last = list(documents(path))[-1]
    assert last.resource is None
    assert last.error is not None
    assert words.lower() in last.error.diagnostics.lower()


def test_a_file_that_is_gone_is_an_error_without_its_folder(tmp_path: Path) -> None:
    (document,) = documents(tmp_path / "gone.json")
    assert document.error is not None
    assert document.error.diagnostics == "`gone.json` can't be read: no such file or directory"


def test_a_folder_means_the_files_in_it_in_order(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "below/c.json"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(JSON)
    one = tmp_path / "one.json"
    one.write_bytes(JSON)
    assert [path.name for path in expand([tmp_path / "in", one])] == ["a.json", "b.json", "one.json"]
    with pytest.raises(ValueError, match="does not exist"):
        expand([tmp_path / "gone"])
