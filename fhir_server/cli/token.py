"""`wijkdossier token`: print an opaque access token, the operator's way to try things; issuing it is audited."""

import argparse
import asyncio

from fhir_server.cli.arguments import Subparsers, add_data, settings
from fhir_server.cli.opening import opened, operator, require_store
from fhir_server.gateway.requester import USER_TYPES
from fhir_server.gateway.tokens import TTL_SECONDS_MAX, Terms, issue
from fhir_server.settings import Settings


def add(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("token", help="print an access token to try things with", description=__doc__)
    add_data(parser)
    parser.add_argument("--user", required=True, help=f"`system`, or a reference to a {', '.join(USER_TYPES)}")
    parser.add_argument("--client", required=True, help="name of the application that will use it")
    parser.add_argument("--scope", required=True, help="SMART scopes, such as 'patient/*.rs'")
    parser.add_argument("--patient", default="", help="id of the patient in context, for patient/ scopes of others")
    parser.add_argument("--purpose", default="", help="purpose of use, a code of v3 ActReason such as TREAT")
    parser.add_argument("--reason", default="", help="the purpose in words, for the audit log")
    parser.add_argument("--ttl", type=int, default=3600, help=f"seconds it lives, at most {TTL_SECONDS_MAX}")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Raises ValueError for a term that is out of range, or if there is no store."""
    terms = Terms(
        user=chosen.user,
        client=chosen.client,
        scope=chosen.scope,
        patient=chosen.patient,
        purpose=chosen.purpose,
        reason=chosen.reason,
        ttl=chosen.ttl,
    )
    configured = settings(chosen)
    require_store(configured.data)
    print(asyncio.run(_issue(configured, terms)))
    return 0


async def _issue(configured: Settings, terms: Terms) -> str:
    async with opened(configured) as (_, gateway):
        return await issue(gateway, operator(), terms)
