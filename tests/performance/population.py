"""Populations: real dossiers extracted once, then stored in as many renamed copies as it takes.

The dossiers are the Synthea transactions beside the checkout when they are there, else the example wijk. A copy gets new
ids everywhere: in bodies, index rows, owners and what is filed for the consent rules.
https://github.com/synthetichealth/synthea
"""

import gzip
import os
import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import time_ns
from typing import Any
from zoneinfo import ZoneInfo

from consent.model import ResourceFacts
from examples import bundle_paths
from fhir_server.gateway import stored_text
from fhir_server.gateway.filing import Filer, Filing, decode, encode
from fhir_server.gateway.ownership import Ownership
from fhir_server.interactions.references import rewrite
from fhir_server.search.index import Indexer
from fhir_server.search.parameters import SearchParameters
from fhir_server.search.rows import IndexRows, ReferenceRow
from fhir_server.store.protocol import Body, ResourceStore, Write
from profiles import json
from profiles.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
COMMIT_WRITES = 2_000
_ID_LIKE = re.compile(r"[A-Za-z0-9-]{1,64}")
_UUID_LENGTH = 36
_BEFORE_ID = ("/", '"id":"')  # an id that is no UUID could be a word: it is one in these places only
_TABLES = (
    *("tokens", "texts", "of_types", "strings", "numbers", "dates", "quantities", "uris", "references", "points"),
    "filed",
)


def source_files() -> list[Path]:
    """Transaction Bundles: those of Synthea if they are at hand, else the example wijk."""
    shared = Path(os.environ.get("WIJKDOSSIER_SHARED", ROOT.parent / "shared"))
    synthea = sorted((shared / "data" / "synthea").glob("*.json.gz"))
    # Residents before the social map: a short run takes the first few, and is about people.
    return synthea or sorted(bundle_paths(), key=lambda path: not path.name.startswith("20-"))


def read_bundle(path: Path) -> dict[str, Any]:
    return json.parse(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def resource_count(paths: Sequence[Path]) -> int:
    return sum(len(read_bundle(path)["entry"]) for path in paths)


@dataclass(frozen=True, slots=True)
class Text:
    """A text cut at the ids in it: pieces of text and, at every odd place, an id."""

    pieces: tuple[str, ...]

    def renamed(self, names: Mapping[str, str]) -> str:
        return "".join([names[piece] if place % 2 else piece for place, piece in enumerate(self.pieces)])


@dataclass(frozen=True, slots=True)
class Row:
    """An index row with the places in it that hold a text with ids."""

    row: Any
    texts: tuple[tuple[int, Text], ...]

    def renamed(self, names: Mapping[str, str]) -> Any:
        values = list(self.row)
        for place, text in self.texts:
            values[place] = text.renamed(names)
        return type(self.row)(*values)


@dataclass(frozen=True, slots=True)
class Template:
    """A resource as it will be stored, ready to be renamed."""

    type: str
    id: str
    owners: tuple[str, ...]
    head: Text
    tail: Text
    rows: IndexRows  # without `renamed_rows`
    renamed_rows: tuple[tuple[str, tuple[Row, ...]], ...]
    narrative: Text
    content: Text
    facts: ResourceFacts

    def write(self, names: Mapping[str, str]) -> Write:
        """The resource under other names; `names` are those of ids and of references, `Type/id`."""
        rows = IndexRows(narrative=self.narrative.renamed(names), content=self.content.renamed(names))
        rows.span = self.rows.span
        for table in _TABLES:
            setattr(rows, table, list(getattr(self.rows, table)))
        for table, changed in self.renamed_rows:
            getattr(rows, table).extend([row.renamed(names) for row in changed])
        body = Body(self.head.renamed(names).encode(), self.tail.renamed(names).encode())
        owners = tuple(sorted(names[owner] for owner in self.owners))
        facts = encode(Filing(_renamed(self.facts, names, owners)))
        return Write("create", self.type, names[self.id], 0, body, owners, facts, rows)


def _renamed(facts: ResourceFacts, names: Mapping[str, str], owners: tuple[str, ...]) -> ResourceFacts:
    def all_of(references: frozenset[str]) -> frozenset[str]:
        return frozenset([names.get(one, one) for one in references])

    return replace(
        facts,
        id=names[facts.id],
        patients=owners,
        authors=all_of(facts.authors),
        custodians=all_of(facts.custodians),
        references=all_of(facts.references),
    )


class Dossiers:
    """The resources of some Bundles, extracted; `resources` as they are, `templates` to make copies of.

    Resources of a type in `apart_from` are left out.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        registry: Registry,
        zone: str = "Europe/Amsterdam",
        apart_from: Collection[str] = (),
    ) -> None:
        self._registry = registry
        self._indexer = Indexer(SearchParameters(registry), ZoneInfo(zone), ())
        self._ownership = Ownership(registry, self._indexer.extract)
        self._filer = Filer(ZoneInfo(zone), lambda: time_ns() // 1_000)
        every = (resource for path in paths for resource in self._literal(read_bundle(path)))
        literal = (resource for resource in every if resource["resourceType"] not in apart_from)
        # Synthea sends an organisation along with each of its patients; here it is one.
        self.resources = list({(one["resourceType"], one["id"]): one for one in literal}.values())
        self.ids = tuple(dict.fromkeys(resource["id"] for resource in self.resources))
        self._known = frozenset(self.ids)
        self.rows: list[IndexRows] = []
        self.templates: list[Template] = []

    async def extract(self) -> None:
        owners: dict[tuple[str, str], tuple[str, ...]] = {}

        async def find(type: str, id: str) -> tuple[str, ...] | None:
            return owners.get((type, id))

        for resource in self.resources:
            rows = self._indexer.extract(resource)
            found = await self._ownership.owners(resource, rows, find)
            # What names a patient that is not among the resources is left with nobody, as the gateway would.
            known = tuple(one for one in found if one in self._known)
            owners[resource["resourceType"], resource["id"]] = known
            facts = decode(self._filer.file(resource, known, rows)).facts
            self.rows.append(rows)
            self.templates.append(self._template(resource, rows, known, facts))

    def copy(self, number: int) -> Iterator[Write]:
        """All resources under the names of copy `number`."""
        names = self.names(number)
        for template in self.templates:
            yield template.write(names)

    def names(self, number: int) -> dict[str, str]:
        """What ids, and references `Type/id`, are called in copy `number`."""
        ids = {one: copied_id(one, number) for one in self.ids}
        return ids | {f"{one.type}/{one.id}": f"{one.type}/{ids[one.id]}" for one in self.templates}

    def _literal(self, bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Entries with ids, and references to each other by type and id."""
        places: dict[str, str] = {}
        for entry in bundle["entry"]:
            resource = entry["resource"]
            resource.setdefault("id", str(uuid.uuid5(uuid.NAMESPACE_URL, entry["fullUrl"])))
            if "fullUrl" in entry:
                places[entry["fullUrl"]] = f"{resource['resourceType']}/{resource['id']}"

        def place(text: str) -> str:
            return places.get(text, text)

        return [
            stored_text.with_id(rewrite(entry["resource"], self._registry, place, place), entry["resource"]["id"])
            for entry in bundle["entry"]
        ]

    def _template(
        self, resource: Mapping[str, Any], rows: IndexRows, owners: tuple[str, ...], facts: ResourceFacts
    ) -> Template:
        body = stored_text.body(resource)
        fixed = IndexRows(span=rows.span)
        changed: list[tuple[str, tuple[Row, ...]]] = []
        for table in _TABLES:
            found = [(row, self._cut_row(row)) for row in getattr(rows, table)]
            setattr(fixed, table, [row for row, texts in found if not texts])
            renamed = tuple(Row(row, texts) for row, texts in found if texts)
            if renamed:
                changed.append((table, renamed))
        return Template(
            resource["resourceType"],
            resource["id"],
            owners,
            self._cut(body.head.decode()),
            self._cut(body.tail.decode()),
            fixed,
            tuple(changed),
            self._cut(rows.narrative),
            self._cut(rows.content),
            facts,
        )

    def _cut(self, text: str) -> Text:
        pieces: list[str] = []
        start = 0
        for found in _ID_LIKE.finditer(text):
            if found[0] in self._known and (
                len(found[0]) >= _UUID_LENGTH or text.endswith(_BEFORE_ID, 0, found.start())
            ):
                pieces += (text[start : found.start()], found[0])
                start = found.end()
        return Text((*pieces, text[start:]))

    def _cut_row(self, row: tuple[Any, ...]) -> tuple[tuple[int, Text], ...]:
        if isinstance(row, ReferenceRow) and row.id in self._known:
            return ((row._fields.index("id"), Text(("", row.id, ""))),)
        cut = ((place, self._cut(value)) for place, value in enumerate(row) if place and isinstance(value, str))
        return tuple((place, text) for place, text in cut if len(text.pieces) > 1)


def copied_id(id: str, number: int) -> str:
    """The id in copy `number`: a UUID, always the same one."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}/{id}"))


async def fill(store: ResourceStore, dossiers: Dossiers, count: int) -> int:
    """Store at least `count` resources, whole copies of all dossiers; how many copies."""
    copies = -(-count // len(dossiers.templates))
    waiting: list[Write] = []
    for number in range(copies):
        for write in dossiers.copy(number):
            waiting.append(write)
            if len(waiting) >= COMMIT_WRITES:
                await store.commit(waiting)
                waiting = []
    if waiting:
        await store.commit(waiting)
    return copies
