"""EHR launch: an app started from the portal, with a patient in view, by a handle that works once.

The handle holds nothing. What it stands for is kept here, bound to the app, to who is logged in and to that login.
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from fhir_server.smart.addresses import Addresses
from fhir_server.smart.records import Client, Launch, Login, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept

LAUNCH_SECONDS: Final = 300
STYLE_PATH: Final = "static/smart-style.json"

_SECOND: Final = 1_000_000
_ROLE: Final = "launch"  # of an item of `fhirContext` that says of none
_NAMED_APART: Final = frozenset({"Patient", "Encounter"})
_SECRET_BYTES: Final = 32


async def launch(
    server: AuthorizationServer,
    client: Client,
    login: Kept[Login],
    patient: str,
    at: Addresses,
    *,
    context: Sequence[Mapping[str, Any]] = (),
    banner: bool = True,
) -> str:
    """The URL at which the app starts: its own, with `iss` and `launch`.

    `patient` is a logical id, '' for none; `context` is `fhirContext`; `banner` whether the app shows who the patient
    is. Raises ValueError if the app can't be launched, or not with this context.
    """
    if not client.launch_uri:
        raise ValueError("the app has no launch_uri")
    for item in context:
        _check_context(item)
    handle = secrets.token_urlsafe(_SECRET_BYTES)
    expires = server.now() + LAUNCH_SECONDS * _SECOND
    record = Launch(
        client=client.id,
        person=login.value.person,
        login=login.key,
        patient=patient,
        context=json.dumps(list(context)) if context else "",
        banner=banner,
        expires=expires,
    )
    about = f"Patient/{patient}" if patient else login.value.person
    await server.state.commit(
        server.state.launches.add(digest(handle), record, expires=expires),
        audit=[server.entry(login.value.person, client.id, 200, "app launched", about)],
    )
    sign = "&" if "?" in client.launch_uri else "?"
    return f"{client.launch_uri}{sign}{urlencode({'iss': at.base, 'launch': handle})}"


async def find(server: AuthorizationServer, handle: str | None, client: Client) -> Kept[Launch] | None:
    """The launch that the handle stands for; None if it was used, has expired or is another app's."""
    return await kept(server, digest(handle), client) if handle else None


async def kept(server: AuthorizationServer, key: str, client: Client) -> Kept[Launch] | None:
    """The same by the digest of the handle."""
    found = await server.state.launches.get(key)
    if found is None or found.value.client != client.id or found.value.expires <= server.now():
        return None
    return found


def bound_to(launch: Launch, login: Kept[Login]) -> bool:
    """Whether it was started in this very login, as this very person."""
    return launch.login == login.key and launch.person == login.value.person


def told(launch: Launch, issuer: str) -> str:
    """What the token answer says of the launch besides `patient`, as JSON text.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
    """
    context = {"fhirContext": json.loads(launch.context)} if launch.context else {}
    style = Addresses(issuer).page(STYLE_PATH)
    return json.dumps({"need_patient_banner": launch.banner, "smart_style_url": style, **context})


def _check_context(item: Mapping[str, Any]) -> None:
    """Raises ValueError for what may not stand in `fhirContext`.

    https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#fhircontext-exp
    """
    if not any(item.get(name) for name in ("reference", "canonical", "identifier")):
        raise ValueError("fhirContext has a reference, canonical or identifier in each item")
    role = item.get("role", _ROLE)
    if not role or (role != _ROLE and ":" not in role):
        raise ValueError("fhirContext has a role that is an absolute URI, or launch")
    named = str(item.get("reference", "")).partition("/_history/")[0].split("/")
    if role == _ROLE and not _NAMED_APART.isdisjoint({item.get("type"), *named[-2:-1]}):
        raise ValueError(
            "fhirContext has no Patient or Encounter in the role of launch: these have parameters of their own"
        )
