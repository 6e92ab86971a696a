"""`wijkdossier backup`: a consistent copy of the store while the server goes on serving."""

import argparse
import asyncio
from pathlib import Path

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import require_store
from fhir_server.gateway.added_parameters import in_force, put_in_force
from fhir_server.keys import copy
from fhir_server.store.sqlite import open_store


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("backup", help="copy the store while it is in use", description=__doc__)
    add_data(parser)
    parser.add_argument(
        "target", type=Path, metavar="TARGET", help="a folder that does not exist yet; serve it with --data"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError if the target exists or there is no store."""
    target: Path = chosen.target
    if target.exists():
        raise ValueError(f"`{target}` exists already; a backup overwrites nothing")
    data = settings(chosen).data
    require_store(data)
    asyncio.run(_backup(data, target))
    print(f"backed up to {target}")
    return 0


async def _backup(data: Path, target: Path) -> None:
    store = await open_store(data)
    try:
        await store.backup(target)
        put_in_force(target, in_force(data))
        copy(data, target)
    finally:
        await store.close()
