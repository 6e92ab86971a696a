"""`wijkdossier account`: who can log in, and as whom.

A password is typed when asked for, or read from the first line of standard input; it is never an argument, which others
on the machine could read. One that is made here is printed once.
"""

import argparse
import asyncio
import getpass
import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import authorization_server, operator, require_store
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.settings import Settings
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.passwords import LENGTH_MIN, Passwords
from fhir_server.smart.records import Account
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept

Action: TypeAlias = Callable[[AuthorizationServer, Accounts, argparse.Namespace], Awaitable[None]]

# Letters and digits that nobody takes for one another when they read a password from paper; 20 of them are 95 bits.
_SIGNS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 4


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("account", help="say who can log in, and as whom", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = _action(actions, "add", "let somebody log in", _add)
    adding.add_argument("username", metavar="USERNAME", help="what they type to log in")
    adding.add_argument(
        "--person",
        action="append",
        required=True,
        metavar="REFERENCE",
        help="as whom: Patient/1, RelatedPerson/2, Practitioner/3, PractitionerRole/4 or `operator` (may be repeated)",
    )
    adding.add_argument("--name", default="", help="what pages call them (default: the username)")
    how = adding.add_mutually_exclusive_group()
    _add_generate(how)
    how.add_argument(
        "--no-password", action="store_true", help="they log in at the OpenID Provider only; see `account link`"
    )
    _action(actions, "list", "print who can log in, and as whom", _list)
    changing = _action(actions, "password", "give somebody another password, and end their logins", _password)
    changing.add_argument("username", metavar="USERNAME")
    _add_generate(changing)
    changing.add_argument(
        "--no-second-step", action="store_true", help="and ask for no code any more: they lost their telephone"
    )
    linking = _action(actions, "link", "say who somebody is at the OpenID Provider", _link)
    linking.add_argument("username", metavar="USERNAME")
    linking.add_argument("issuer", metavar="ISSUER", help="its address, as in --oidc-issuer")
    linking.add_argument("subject", metavar="SUBJECT", help="what it calls them: `sub` of its id_token")
    removing = _action(
        actions, "remove", "let somebody log in no more; their logins end, and the apps they let in", _remove
    )
    removing.add_argument("username", metavar="USERNAME")


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError for a name or person that can't be, and if there is no store."""
    configured = settings(chosen)
    require_store(configured.data)
    asyncio.run(_perform(configured, chosen))
    return 0


async def _perform(configured: Settings, chosen: argparse.Namespace) -> None:
    action: Action = chosen.perform
    async with authorization_server(configured) as server:
        await action(server, Accounts(server, Passwords()), chosen)


async def _add(server: AuthorizationServer, accounts: Accounts, chosen: argparse.Namespace) -> None:
    password = "" if chosen.no_password else _chosen_password(chosen)
    absent = Maintenance(server.gateway, operator()).absent
    await accounts.add(chosen.username, chosen.person, operator(), absent, name=chosen.name, password=password)
    _tell_generated(chosen, password)


async def _list(_: AuthorizationServer, accounts: Accounts, chosen: argparse.Namespace) -> None:
    for account in await accounts.list():
        ways = [
            *(["password"] if account.password else []),
            *(["code"] if account.totp else []),
            *(["OpenID Provider"] if account.external else []),
        ]
        print(f"{account.username}  {' '.join(account.people)}  {', '.join(ways) or 'no way to log in'}")


async def _password(_: AuthorizationServer, accounts: Accounts, chosen: argparse.Namespace) -> None:
    kept = await _kept(accounts, chosen.username)
    password = _chosen_password(chosen)
    await accounts.set_password(kept, password, operator(), second_step=not chosen.no_second_step)
    _tell_generated(chosen, password)


async def _link(_: AuthorizationServer, accounts: Accounts, chosen: argparse.Namespace) -> None:
    await accounts.link(await _kept(accounts, chosen.username), chosen.issuer, chosen.subject, operator())


async def _remove(_: AuthorizationServer, accounts: Accounts, chosen: argparse.Namespace) -> None:
    await accounts.remove(await _kept(accounts, chosen.username), operator())


async def _kept(accounts: Accounts, username: str) -> Kept[Account]:
    kept = await accounts.get(username)
    if kept is None:
        raise ValueError("there is no account with this username")
    return kept


def _chosen_password(chosen: argparse.Namespace) -> str:
    """Made, typed twice, or from standard input. Raises ValueError if the two differ, or there is none."""
    if chosen.generate:
        return "-".join("".join(secrets.choice(_SIGNS) for _ in range(5)) for _ in range(_GROUPS))
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass.getpass(f"Password, at least {LENGTH_MIN} characters: ")
        if getpass.getpass("Once more: ") != password:
            raise ValueError("the passwords differ")
    if not password:
        raise ValueError("a password is needed")
    return password


def _tell_generated(chosen: argparse.Namespace, password: str) -> None:
    if chosen.generate:
        print(f"password: {password}")
        print("the password can't be shown again", file=sys.stderr)


def _action(actions: Subparsers, name: str, told: str, perform: Action) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=told, description=told)
    add_data(parser)
    parser.set_defaults(run=run, perform=perform)
    return parser


def _add_generate(parser: "argparse._ActionsContainer") -> None:
    parser.add_argument("--generate", action="store_true", help="make a password and print it, once")
