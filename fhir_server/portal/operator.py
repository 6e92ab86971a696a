"""The operator's page: which apps are registered, and how many grants each has; never whose.

https://datatracker.ietf.org/doc/html/rfc7591#section-2
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from consent.say import day
from fhir_server.portal.visit import Page, Problem, Visit
from fhir_server.portal.words import Table
from fhir_server.smart import grants
from fhir_server.smart.accounts import OPERATOR
from fhir_server.smart.clients import Clients
from fhir_server.smart.records import Client

WORDS: Final[Table] = {
    "home_operator": ("Geregistreerde apps", "Registered apps"),
    "home_operator_explained": (
        "Bekijk welke apps deze website kent en hoe vaak ze zijn toegelaten.",
        "See which apps this website knows and how often they were let in.",
    ),
    "operator_title": ("Geregistreerde apps", "Registered apps"),
    "operator_intro": (
        "Dit zijn de apps die deze website kent. U voegt ze toe en haalt ze weg met de opdracht wijkdossier client.",
        "These are the apps that this website knows. You add and remove them with the command wijkdossier client.",
    ),
    "operator_none": ("Er zijn nog geen apps geregistreerd.", "No apps have been registered yet."),
    "operator_only": ("Deze pagina is voor de beheerder.", "This page is for the operator."),
    "operator_id": ("Kenmerk", "Client id"),
    "operator_kind": ("Soort", "Kind"),
    "operator_public": ("Openbaar: de app kan geen geheim bewaren", "Public: the app can keep no secret"),
    "operator_symmetric": ("Met een geheim", "With a secret"),
    "operator_asymmetric": ("Met een eigen sleutel", "With a key of its own"),
    "operator_backend": ("Ook zonder gebruiker, als {user}", "Without a user too, as {user}"),
    "operator_publisher": ("Maker", "Publisher"),
    "operator_verified": ("{publisher} (nagegaan)", "{publisher} (checked)"),
    "operator_unverified": ("{publisher} (niet nagegaan)", "{publisher} (not checked)"),
    "operator_unknown": ("Onbekend", "Unknown"),
    "operator_redirects": ("Adressen na het inloggen", "Addresses after logging in"),
    "operator_launch": ("Startadres", "Launch address"),
    "operator_scope": ("Mag hooguit vragen", "May ask for at most"),
    "operator_since": ("Geregistreerd", "Registered"),
    "operator_grants": ("Lopende toestemmingen", "Live grants"),
    "operator_nothing": ("Geen", "None"),
}


@dataclass(frozen=True, slots=True)
class Registered:
    """An app as the page shows it; nothing of whom it was let in by but their number."""

    client: Client
    grants: int
    since: str
    backend: bool


async def show(visit: Visit) -> Response:
    if visit.person != OPERATOR:
        raise Problem(403, "operator_only")
    server = visit.server
    now, zone = server.now(), server.settings.zone
    live = Counter(kept.value.client for kept in await server.state.grants.all() if grants.running(kept.value, now))
    apps = [
        Registered(
            client,
            live[client.id],
            day(client.created, visit.language, zone) if client.created else "",
            "client_credentials" in client.grants,
        )
        for client in await Clients(server).all()
    ]
    return visit.page("operator.html", apps=sorted(apps, key=lambda one: one.client.name.casefold()))


PAGES: Final = (Page("GET", "/portal/operator", show),)
