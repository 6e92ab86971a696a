"""`wijkdossier audit`: the audit log as FHIR AuditEvents, one a line, oldest first; reading it is audited too.

`wijkdossier audit verify` tells whether the log is what was written, names what is not, and prints the head of each
chain of entries: note those elsewhere, and `--expect` them next time.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import opened, operator, require_store
from fhir_server.gateway.log import audit_events
from fhir_server.gateway.verification import Verified, verify
from fhir_server.settings import Settings
from fhir_server.store.sqlite import open_store


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "audit",
        help="print the audit log as NDJSON, or verify it",
        description=__doc__,
        usage="%(prog)s [-h] [--data DIR] [--patient ID]\n       %(prog)s verify [-h] [--data DIR] [--expect HASH]",
    )
    add_data(parser)
    parser.add_argument("action", nargs="?", choices=("verify",), metavar="[verify]", help="tell whether it is intact")
    parser.add_argument("--patient", default="", metavar="ID", help="only what concerns this patient")
    parser.add_argument(
        "--expect", action="append", default=[], metavar="HASH", help="a head that was noted before (may be repeated)"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError for options of the other action, and if there is no store."""
    configured = settings(chosen)
    if chosen.action is None and chosen.expect:
        raise ValueError("--expect goes with `audit verify`")
    if chosen.action is not None and chosen.patient:
        raise ValueError("--patient does not go with `audit verify`: the log is verified whole")
    require_store(configured.data)
    if chosen.action is None:
        asyncio.run(_print(configured, chosen.patient))
        return 0
    verified = asyncio.run(_verify(configured.data, chosen.expect))
    _tell(verified)
    return 1 if verified.faults else 0


async def _print(configured: Settings, patient: str) -> None:
    async with opened(configured) as (_, gateway):
        async for event in audit_events(gateway, operator(), patient):
            sys.stdout.buffer.write(event.body + b"\n")


async def _verify(data: Path, expected: Sequence[str]) -> Verified:
    store = await open_store(data)
    try:
        return await verify(store, expected)
    finally:
        await store.close()


def _tell(verified: Verified) -> None:
    for name, chain in verified.chains.items():
        print(f"{name}: {chain.entries} entries in {chain.batches} batches, head {chain.head}")
    print(f"{verified.resources} AuditEvents and Provenances were held against their entries")
    for fault in verified.faults:
        print(f"broken: {fault}")
    if not verified.faults:
        print("the audit log is what was written")
