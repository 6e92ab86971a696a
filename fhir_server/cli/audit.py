"""`wijkdossier audit`: the audit log as FHIR AuditEvents, one a line, oldest first; reading it is audited too."""

import argparse
import asyncio
import sys

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import opened, operator, require_store
from fhir_server.gateway.log import audit_events
from fhir_server.settings import Settings


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("audit", help="print the audit log as NDJSON", description=__doc__)
    add_data(parser)
    parser.add_argument("--patient", default="", metavar="ID", help="only what concerns this patient")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    configured = settings(chosen)
    require_store(configured.data)
    asyncio.run(_print(configured, chosen.patient))
    return 0


async def _print(configured: Settings, patient: str) -> None:
    async with opened(configured) as (_, gateway):
        async for event in audit_events(gateway, operator(), patient):
            sys.stdout.buffer.write(event.body + b"\n")
