"""`wijkdossier load`: an audited import by the operator, with a summary of what was refused and why.

Transaction Bundles follow FHIR's own rule; everything else keeps the ids it carries.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.files import Document, documents, expand
from fhir_server.cli.opening import opened, operator
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.interactions.load import Loaded, Refused, load, load_resources
from fhir_server.settings import Settings

LINES_AT_ONCE = 200
SHOWN_MAX = 50  # refusals that are printed one by one


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("load", help="import Bundles, resources and NDJSON", description=__doc__)
    add_data(parser)
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="JSON, XML or NDJSON, also .gz .bz2 .xz; or a folder"
    )
    parser.add_argument(
        "--strict-references", action="store_true", help="refuse references to what does not exist, not just report"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """1 if anything was refused."""
    return load_files(settings(chosen), chosen.files, strict_references=chosen.strict_references)


def load_files(configured: Settings, paths: Sequence[Path], *, strict_references: bool) -> int:
    """Import and print the summary; 1 if anything was refused. Raises ValueError for a file that is not there."""
    return asyncio.run(_load(configured, expand(list(paths)), strict_references))


async def _load(configured: Settings, files: Sequence[Path], strict_references: bool) -> int:
    total = Loaded()
    async with opened(configured) as (_, gateway):
        maintenance = Maintenance(gateway, operator())
        with tqdm(files, unit="file", disable=not sys.stderr.isatty()) as progress:
            for path in progress:
                await _load_file(maintenance, path, total, strict_references)
                progress.set_postfix(resources=sum(total.stored.values()), refused=len(total.refused))
        dangling = await maintenance.absent(sorted(total.references))
    _report(total, dangling)
    return 1 if total.refused else 0


async def _load_file(maintenance: Maintenance, path: Path, total: Loaded, strict_references: bool) -> None:
    """The lines of NDJSON go in together by the hundred; a document by itself."""
    found = documents(path)
    while batch := list(islice(found, LINES_AT_ONCE)):
        resources: list[dict[str, Any]] = []
        for document in batch:
            if document.error is not None or document.resource is None:
                total.refused.append(_unreadable(document))
            elif document.line:
                resources.append(document.resource)
            else:
                loaded = await load(maintenance, document.resource, strict_references=strict_references)
                _add(total, loaded, path.name)
        if resources:
            loaded = Loaded()
            await load_resources(maintenance, resources, loaded, strict_references=strict_references)
            _add(total, loaded, path.name)


def _unreadable(document: Document) -> Refused:
    assert document.error is not None
    return Refused(document.name, document.error)


def _add(total: Loaded, loaded: Loaded, file: str) -> None:
    for kind, count in loaded.stored.items():
        total.stored[kind] = total.stored.get(kind, 0) + count
    total.refused += (Refused(f"{file}: {refused.name}", refused.error) for refused in loaded.refused)
    total.references |= loaded.references


def _report(total: Loaded, dangling: Sequence[tuple[str, str]]) -> None:
    for line in _lines(total, dangling):
        print(line)


def _lines(total: Loaded, dangling: Sequence[tuple[str, str]]) -> Iterator[str]:
    for kind, count in sorted(total.stored.items()):
        yield f"{count:>9} {kind}"
    for refused in total.refused[:SHOWN_MAX]:
        for issue in refused.error.issues[:5]:
            where = ", ".join(at for at in issue.expression if not issue.diagnostics.startswith(f"{at}: "))
            yield f"refused {refused.name}: {where}{': ' if where else ''}{issue.diagnostics}"
    if len(total.refused) > SHOWN_MAX:
        yield f"… and {len(total.refused) - SHOWN_MAX} more refusals"
    if dangling:
        kinds: dict[str, int] = {}
        for kind, _ in dangling:
            kinds[kind] = kinds.get(kind, 0) + 1
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        yield f"{len(dangling)} references lead to resources that are not here: {told}"
    yield f"{sum(total.stored.values())} stored, {len(total.refused)} refused"
