"""`wijkdossier reindex`: file every resource anew, after a search parameter was added or a zone was changed."""

import argparse
import asyncio
import sys

from tqdm import tqdm

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import opened, operator
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.settings import Settings


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("reindex", help="file every resource anew", description=__doc__)
    add_data(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    print(f"{asyncio.run(_reindex(settings(chosen)))} resources filed anew")
    return 0


async def _reindex(configured: Settings) -> int:
    async with opened(configured) as (_, gateway):
        with tqdm(unit="resource", disable=not sys.stderr.isatty()) as progress:

            def advance(count: int) -> None:
                progress.update(count - progress.n)

            return await Maintenance(gateway, operator()).reindex(advance)
