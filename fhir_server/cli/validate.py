"""`wijkdossier validate FILE…`: every issue of every resource, with its FHIRPath location, as the server sees it."""

import argparse
from pathlib import Path

from fhir_server.cli.arguments import Subparsers
from fhir_server.cli.files import documents, expand
from profiles import registry as definitions
from profiles.validate import iter_issues


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("validate", help="check resources against FHIR R4", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON, XML or NDJSON, also .gz .bz2 .xz")
    parser.add_argument("--quiet", action="store_true", help="errors only, no warnings")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print `file: severity: location: diagnostics` a line; 1 if anything is an error."""
    registry = definitions.load()
    failed = checked = 0
    for path in expand(chosen.files):
        for document in documents(path):
            checked += 1
            errors = 0
            if document.error is not None:
                errors = 1
                print(f"{document.name}: error: {document.error.diagnostics}")
            for issue in iter_issues(document.resource, registry) if document.resource is not None else ():
                severe = issue.severity in ("fatal", "error")
                errors += severe
                if severe or not chosen.quiet:
                    print(f"{document.name}: {issue.severity}: {issue.expression}: {issue.diagnostics}")
            failed += bool(errors)
    print(f"{checked} resources, {failed} with errors")
    return 1 if failed else 0
