"""`wijkdossier serve` and `wijkdossier demo`: run the server; the demo fills an empty store with the example wijk."""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from shutil import which
from typing import Final

import uvicorn

from examples import bundle_paths
from fhir_server.cli import demo, load
from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import opened, operator
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.operations.definitions import definitions
from fhir_server.search.query import Not, TypeIn
from fhir_server.settings import Settings, to_environment
from fhir_server.smart.keys import SigningKeys
from fhir_server.store.sqlite import open_store

# What a server makes of itself and of being asked.
_OWN: Final = ("AuditEvent", "OperationDefinition", "Provenance")


def add(subparsers: Subparsers) -> None:
    serve = subparsers.add_parser("serve", help="serve FHIR over HTTP", description=__doc__)
    _add_settings(serve)
    serve.set_defaults(run=run)
    demo = subparsers.add_parser("demo", help="serve the example wijk (synthetic people)", description=__doc__)
    _add_settings(demo)
    demo.set_defaults(run=run_demo)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: 8080)")
    parser.add_argument("--workers", type=int, help="worker processes (default: 1)")
    parser.add_argument("--base-url", help="public URL of the FHIR base, if a proxy stands in front")
    parser.add_argument(
        "--base-policy", choices=("deny", "permit"), help="what holds for a dossier whose Consents say nothing (deny)"
    )
    parser.add_argument(
        "--public-directory",
        action=argparse.BooleanOptionalAction,
        help="whether the social map can be read without a token (default: yes)",
    )
    parser.add_argument(
        "--emergency-roles",
        metavar="SYSTEM|CODE,…",
        help="role codes that may press the emergency button (default: every professional)",
    )
    parser.add_argument(
        "--local-accounts",
        action=argparse.BooleanOptionalAction,
        help="whether people can log in with a password that is kept here (default: yes)",
    )
    parser.add_argument("--oidc-issuer", metavar="URL", help="the OpenID Provider that people log in at")
    parser.add_argument("--oidc-client-id", metavar="ID", help="as whom this server is known there")
    parser.add_argument("--oidc-acr-resident", metavar="ACR…", help="how well residents must show who they are there")
    parser.add_argument("--oidc-acr-professional", metavar="ACR…", help="how well professionals must")
    parser.add_argument(
        "--dynamic-registration",
        action=argparse.BooleanOptionalAction,
        help="whether apps may register themselves (default: no)",
    )
    parser.add_argument("--timezone", help="zone of dates that name none (default: Europe/Amsterdam)")
    parser.add_argument("--body-bytes-max", type=int, help="largest request body in bytes (default: 16777216)")
    parser.add_argument("--page-count-default", type=int, help="resources on a page if _count is absent (default: 20)")
    parser.add_argument("--page-count-max", type=int, help="largest _count (default: 1000)")


def run(chosen: argparse.Namespace) -> int:
    """Serve until interrupted."""
    configured = settings(chosen)
    asyncio.run(_provide(configured))  # a store that can't be opened is told of in one line, before workers start
    print(f"FHIR R4 is served at {_base(configured)}; stop with Ctrl-C", flush=True)
    return _serve(configured)


def run_demo(chosen: argparse.Namespace) -> int:
    """Load the example wijk unless the store holds something already, say what to try, and serve."""
    configured = settings(chosen)
    if asyncio.run(_is_empty(configured)):
        print(f"The example wijk goes into `{configured.data}`:", flush=True)
        status = load.load_files(configured, bundle_paths(), strict_references=True)
        if status:
            return status
    asyncio.run(_provide(configured))
    print(_WELCOME.format(base=_base(configured), command=_command(), data=configured.data), flush=True)
    if asyncio.run(demo.give_accounts(configured)):
        names = ", ".join(demo.ACCOUNTS)
        print(_LOGIN.format(site=_base(configured).removesuffix("/fhir"), names=names, password=demo.PASSWORD))
    print("Stop with Ctrl-C.\n", flush=True)
    return _serve(configured)


_WELCOME = """
The example wijk Heerlen-Hoensbroek is served at {base} (synthetic people).
The social map needs no token:
  curl '{base}/HealthcareService?name=inloop'
A resident's dossier does:
  TOKEN=$({command} token --data {data} --user Patient/bewoner-01 --client demo --scope 'patient/*.rs')
  curl -H "Authorization: Bearer $TOKEN" '{base}/Patient/bewoner-01'"""

_LOGIN = """Log in at {site}/portal/ as {names}; the password is `{password}`."""


def _base(configured: Settings) -> str:
    return configured.base_url or f"http://{configured.host}:{configured.port}/fhir"


def _command() -> str:
    """This command as it can be typed here: by its name if it is on the path, otherwise where it stands."""
    return "wijkdossier" if which("wijkdossier") else os.path.relpath(Path(sys.executable).with_name("wijkdossier"))


async def _provide(configured: Settings) -> None:
    """What workers find: the definitions of this version's operations among the resources, and a key to sign with."""
    async with opened(configured) as (_, gateway):
        SigningKeys(configured.data, configured.key_passphrase)
        await Maintenance(gateway, operator()).provide(definitions())


async def _is_empty(configured: Settings) -> bool:
    """Whether nothing is there but what `serve` itself makes."""
    store = await open_store(configured.data)
    try:
        async with store.snapshot() as snapshot:
            page = await snapshot.history(None, None, where=Not(TypeIn(_OWN)), since=None, at=None, count=1)
            return not page.rows
    finally:
        await store.close()


def _serve(configured: Settings) -> int:
    os.environ.update(to_environment(configured))
    options = {
        "host": configured.host,
        "port": configured.port,
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        # URLs hold search values: the audit log says who saw what, and it alone.
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        # Behind a proxy the public address is a setting: a header that anybody can send decides nothing.
        "proxy_headers": False,
        "timeout_graceful_shutdown": 10,
        "backlog": 2048,
    }
    if configured.workers == 1:
        uvicorn.run("fhir_server.app:application", factory=True, **options)  # type: ignore[arg-type]
        return 0
    with tempfile.TemporaryDirectory(prefix="wijkdossier-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        uvicorn.run("fhir_server.app:application", factory=True, workers=configured.workers, **options)  # type: ignore[arg-type]
    return 0
