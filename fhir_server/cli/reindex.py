"""`wijkdossier reindex`: file every resource anew, after a SearchParameter was added or the time zone was changed.

The active SearchParameters in the store are in force from the next start of the server; run this while it is stopped,
or what it writes meanwhile is not filed by the new ones.
"""

import argparse
import asyncio
import sys

from tqdm import tqdm

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import gateway_over, opened, operator, require_store
from fhir_server.gateway.added_parameters import active, put_in_force
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.outcome import FhirError
from fhir_server.settings import Settings


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("reindex", help="file every resource anew", description=__doc__)
    add_data(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError for a SearchParameter that cannot be put in force."""
    configured = settings(chosen)
    require_store(configured.data)
    try:
        count, added = asyncio.run(_reindex(configured))
    except FhirError as error:
        raise ValueError(error.diagnostics) from None
    print(f"{count} resources filed anew, {added} search parameters in force besides those of R4")
    return 0


async def _reindex(configured: Settings) -> tuple[int, int]:
    async with opened(configured) as (store, _):
        added = await active(store)
        gateway = gateway_over(store, configured, added)
        with tqdm(unit="resource", disable=not sys.stderr.isatty()) as progress:

            def advance(count: int) -> None:
                progress.update(count - progress.n)

            count = await Maintenance(gateway, operator()).reindex(advance)
        put_in_force(configured.data, added)
        return count, len(added)
