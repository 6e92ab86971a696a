"""`wijkdossier keys`: the keys that id_tokens are signed with: list them, or let a new one sign from now on.

Running workers take the new key with their next id_token; the one before is shown to apps as long as a token of it may
be met. The passphrase that encrypts them is WIJKDOSSIER_KEY_PASSPHRASE.
"""

import argparse
import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from fhir_server.app import microseconds
from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import authorization_server, operator, require_store
from fhir_server.settings import Settings
from fhir_server.smart.keys import MET_SECONDS, SigningKey, SigningKeys


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("keys", help="the keys that id_tokens are signed with", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _action(actions, "list", "print the keys, the oldest first", _list)
    _action(actions, "rotate", "make a new key, which signs from now on", _rotate)


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError if there is no store, or if a key can't be read with the passphrase."""
    configured = settings(chosen)
    require_store(configured.data)
    perform: Callable[[Settings], None] = chosen.perform
    perform(configured)
    return 0


def _list(configured: Settings) -> None:
    now = microseconds()
    for one in SigningKeys(configured.data, configured.key_passphrase).all():
        print(f"{one.kid}  {_time(one.since)}  {_state(one, now)}")


def _rotate(configured: Settings) -> None:
    kid = asyncio.run(_rotated(configured))
    print(f"{kid} signs from now on")


async def _rotated(configured: Settings) -> str:
    async with authorization_server(configured) as server:
        made = server.keys.rotate(server.now())
        entry = server.entry("", operator(), 200, f"signing key {made.kid} made")
        await server.state.commit(audit=[entry])
        return made.kid


def _state(one: SigningKey, now: int) -> str:
    if not one.until:
        return "signs"
    return f"shown until {_time(one.until + MET_SECONDS * 1_000_000)}" if one.met(now) else "no longer shown"


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _action(actions: Subparsers, name: str, told: str, perform: Callable[[Settings], None]) -> None:
    parser = actions.add_parser(name, help=told, description=told)
    add_data(parser)
    parser.set_defaults(run=run, perform=perform)
