"""Resources from files: JSON, XML and NDJSON, plain or packed with gzip, bzip2 or xz."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from fhir_server.outcome import Category, FhirError
from fhir_server.representation import xml
from profiles import json as fhir_json

OPENERS: dict[str, Callable[[Path], BufferedIOBase]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}

UNPACKED_BYTES_MAX = 4 * 1024**3  # a file that unpacks to more is a mistake or a bomb


@dataclass(frozen=True, slots=True)
class Document:
    """One resource of a file, or why it could not be read. `line` is 0 but for NDJSON, where it counts from 1."""

    path: Path
    line: int
    resource: dict[str, Any] | None
    error: FhirError | None = None

    @property
    def name(self) -> str:
        return f"{self.path.name}:{self.line}" if self.line else self.path.name


def expand(paths: list[Path]) -> list[Path]:
    """The files themselves, and the files directly in each folder that is named, in order of name.

    Raises ValueError for a path where nothing is.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ValueError(f"`{path}` does not exist")
        files.extend(sorted(child for child in path.iterdir() if child.is_file()) if path.is_dir() else [path])
    return files


def documents(path: Path) -> Iterator[Document]:
    """What the file holds. An unreadable file or line comes as an error, never as an exception."""
    stem, packing = (path.name[: -len(path.suffix)], path.suffix) if path.suffix in OPENERS else (path.name, "")
    try:
        with OPENERS[packing](path) if packing else path.open("rb") as file:
            if stem.endswith(".ndjson"):
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield _document(path, number, line, fhir_json.parse)
                return
            data = file.read(UNPACKED_BYTES_MAX + 1)
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a readable file"
        yield Document(path, 0, None, FhirError(Category.STRUCTURE, f"`{path.name}` can't be read: {reason.lower()}"))
        return
    if len(data) > UNPACKED_BYTES_MAX:
        yield Document(path, 0, None, FhirError(Category.TOO_LARGE, f"`{path.name}` unpacks to more than 4 GiB"))
        return
    yield _document(path, 0, data, xml.parse if stem.endswith(".xml") else fhir_json.parse)


def _document(path: Path, line: int, data: bytes, parse: Callable[[bytes], dict[str, Any]]) -> Document:
    try:
        return Document(path, line, parse(data))
    except fhir_json.JsonError as error:
        return Document(path, line, None, FhirError(Category.STRUCTURE, error.diagnostics))
    except FhirError as error:
        return Document(path, line, None, error)
