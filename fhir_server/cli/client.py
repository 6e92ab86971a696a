"""`wijkdossier client`: register an app, list those that are, give one new credentials, take one away.

A secret is printed once, by the command that makes it, and can't be shown again.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias, get_args

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import authorization_server, operator, require_store
from fhir_server.settings import Settings
from fhir_server.smart.clients import Clients, Registered, UnknownClient
from fhir_server.smart.records import AssertionProfile, Client, ClientKind, GrantType

Action: TypeAlias = Callable[[Clients, argparse.Namespace], Awaitable[None]]


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("client", help="register apps, and take them away", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_adding(_action(actions, "add", "register an app and print its client id, and its secret if it has one", _add))
    _action(actions, "list", "print the apps that are registered", _list)
    rotating = _action(actions, "rotate", "give an app a new secret or new keys; the old ones stop working", _rotate)
    _add_id(rotating)
    _add_keys(rotating)
    _add_id(_action(actions, "remove", "take an app away: everything that was issued to it ends", _remove))


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError for what an app may not be, or if there is no store."""
    configured = settings(chosen)
    require_store(configured.data)
    try:
        asyncio.run(_perform(configured, chosen))
    except UnknownClient as error:
        print(f"wijkdossier: {error}", file=sys.stderr)
        return 1
    return 0


async def _perform(configured: Settings, chosen: argparse.Namespace) -> None:
    action: Action = chosen.perform
    async with authorization_server(configured) as server:
        await action(Clients(server), chosen)


async def _add(clients: Clients, chosen: argparse.Namespace) -> None:
    _tell(await clients.add(_client(chosen, clients.new_id()), operator()))


async def _list(clients: Clients, chosen: argparse.Namespace) -> None:
    for client in await clients.all():
        publisher = f" ({client.publisher}{', verified' if client.verified else ''})" if client.publisher else ""
        print(f"{client.id}  {client.kind:10}  {client.name}{publisher}  {client.scope}")


async def _rotate(clients: Clients, chosen: argparse.Namespace) -> None:
    _tell(await clients.rotate(chosen.id, operator(), jwks=_text(chosen.jwks), jwks_uri=chosen.jwks_uri))


async def _remove(clients: Clients, chosen: argparse.Namespace) -> None:
    await clients.remove(chosen.id, operator())
    print(f"removed: {chosen.id}")


def _client(chosen: argparse.Namespace, id: str) -> Client:
    """The app as it is asked for: what it is given says what it can do."""
    grants: tuple[GrantType, ...] = ("authorization_code", "refresh_token") if chosen.redirect_uri else ()
    if chosen.user:
        grants += ("client_credentials",)
    return Client(
        id=id,
        name=chosen.name,
        kind=chosen.kind or ("asymmetric" if chosen.jwks or chosen.jwks_uri else "public"),
        scope=chosen.scope,
        grants=grants,
        redirect_uris=tuple(chosen.redirect_uri),
        origins=tuple(chosen.origin),
        launch_uri=chosen.launch_uri,
        jwks=_text(chosen.jwks),
        jwks_uri=chosen.jwks_uri,
        assertion_profile=chosen.assertion_profile,
        user=chosen.user,
        purpose=chosen.purpose,
        explanation=chosen.explanation,
        publisher=chosen.publisher,
        verified=chosen.verified,
        introspects=chosen.introspects,
    )


def _tell(registered: Registered) -> None:
    print(f"client id: {registered.client.id}")
    if registered.secret:
        print(f"secret: {registered.secret}")
        print("the secret can't be shown again", file=sys.stderr)
    if registered.client.jwks:
        # https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html asks for the reminder.
        print("whenever its keys change, give the new ones with `wijkdossier client rotate`", file=sys.stderr)


def _text(file: Path | None) -> str:
    return "" if file is None else file.read_text(encoding="utf-8")


def _action(actions: Subparsers, name: str, told: str, perform: Action) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=told, description=told)
    add_data(parser)
    parser.set_defaults(run=run, perform=perform)
    return parser


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="its client id")


def _add_keys(parser: argparse.ArgumentParser) -> None:
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--jwks", type=Path, metavar="FILE", help="its public keys, a JWK Set")
    keys.add_argument("--jwks-uri", default="", metavar="URL", help="where it publishes its public keys")


def _add_adding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, help="what people know it by")
    parser.add_argument(
        "--redirect-uri", action="append", default=[], metavar="URI", help="where people come back to (may be repeated)"
    )
    parser.add_argument("--scope", default="", help="the most it may ask for, such as 'openid fhirUser patient/*.rs'")
    parser.add_argument(
        "--kind",
        choices=get_args(ClientKind),
        help="how it shows who it is: not, by a secret, by its keys (default: asymmetric if it has keys, else public)",
    )
    _add_keys(parser)
    parser.add_argument("--user", default="", help="for a backend service: whom it acts as, such as Organization/1")
    parser.add_argument("--purpose", default="", help="purpose of use of a backend service or of professionals (TREAT)")
    parser.add_argument("--publisher", default="", help="who made it")
    parser.add_argument("--verified", action="store_true", help="that is certain: you checked it")
    parser.add_argument("--explanation", default="", help="why it asks, in its own words")
    parser.add_argument("--launch-uri", default="", metavar="URI", help="where it is launched from a dossier")
    parser.add_argument(
        "--assertion-profile",
        choices=get_args(AssertionProfile),
        default="smart22",
        help="its assertions name the token URL (smart22) or the issuer (rfc10070) as their audience",
    )
    parser.add_argument("--introspects", action="store_true", help="it may ask what any token stands for")
    parser.add_argument(
        "--origin", action="append", default=[], help="whose scripts may call, besides its redirect URIs (repeatable)"
    )
