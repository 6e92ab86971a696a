"""An authorization server over an open house, with apps, people who let them in, and what came of that.

Here an app is registered by a record and a person has let it in by a word; how that is done for real has tests of its
own.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from msgspec.structs import replace

from fhir_server.gateway.gateway import new_uuid
from fhir_server.smart.addresses import Addresses
from fhir_server.smart.errors import OAuthError
from fhir_server.smart.form import Form
from fhir_server.smart.keys import SigningKeys
from fhir_server.smart.records import Client, Code, Grant, Login, digest
from fhir_server.smart.server import AuthorizationServer
from fhir_server.smart.state import Kept, State
from fhir_server.smart.token import token
from tests.fhir_server.gateway.test_consent_policy import THO, action, by, consent, of_type, wijk
from tests.fhir_server.inprocess import MEMORY, Caller, House, opened

Json = dict[str, Any]

ADDRESSES = Addresses("http://127.0.0.1:8080")
REDIRECT = "https://app.test/after"
SECRET = "a secret that only the app knows, thirty-two bytes long"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCOPE = "openid fhirUser launch/patient offline_access patient/Observation.rs"
SECOND = 1_000_000


@cache
def _key_folder() -> TemporaryDirectory[str]:
    """One for all houses: making a key takes longer than most tests."""
    return TemporaryDirectory(dir=MEMORY)


@dataclass(frozen=True)
class SmartHouse:
    """Patients `p` and `q` with their records, a doctor, and whoever lets apps in to them."""

    house: House
    server: AuthorizationServer

    @property
    def state(self) -> State:
        return self.server.state

    async def client(self, id: str = "app", **more: Any) -> Client:
        """A public app, unless `more` says otherwise; a secret is SECRET."""
        made = Client(**{"id": id, "name": f"App {id}", "kind": "public", "scope": f"{SCOPE} online_access",
                         "redirect_uris": (REDIRECT,), **more})  # fmt: skip
        if made.kind == "symmetric" and not made.secret:
            made = replace(made, secret=digest(SECRET))
        await self.state.commit(self.state.clients.add(id, made))
        device = {"resourceType": "Device", "id": f"app-{id}", "identifier": [{"value": id}]}
        await self.house.given(device)
        return made

    async def grant(self, client: str = "app", **more: Any) -> str:
        """A grant of Patient/p, with the Consent that it hangs on unless `consent` is given. Its key."""
        terms = {"client": client, "person": "Patient/p", "account": "account-1", "scope": SCOPE, "patient": "p",
                 "refresh": "offline", "created": self.server.now(), **more}  # fmt: skip
        if "consent" not in terms:
            terms["consent"] = f"lets-in-{client}"
            await self.house.given(lets_in(client, "Observation"))
        key = new_uuid()
        await self.state.commit(self.state.grants.add(key, Grant(**terms), subject=terms["person"]))
        return key

    async def code(self, grant: str | None = None, **more: Any) -> str:
        """A code, as if somebody had just clicked Allow."""
        key = await self.grant() if grant is None else grant
        found = await self.found(key)
        text = base64.urlsafe_b64encode(sha256(new_uuid().encode()).digest()).rstrip(b"=").decode()
        expires = self.server.now() + 60 * SECOND
        terms = {"client": found.value.client, "redirect_uri": REDIRECT, "challenge": CHALLENGE, "grant": key,
                 "issuer": ADDRESSES.issuer, "base": ADDRESSES.base, "expires": expires, **more}  # fmt: skip
        code = self.state.codes.add(digest(text), Code(**terms), subject=key, expires=terms["expires"])
        await self.state.commit(code)
        return text

    async def login(self, cookie: str = "cookie", **more: Any) -> str:
        """Somebody's browser; the key of its record."""
        terms = {"account": "account-1", "username": "p", "name": "P", "people": ("Patient/p",), "person": "Patient/p",
                 "since": self.server.now(), "expires": self.server.now() + 3600 * SECOND, **more}  # fmt: skip
        await self.state.commit(self.state.logins.add(digest(cookie), Login(**terms), subject="p"))
        return digest(cookie)

    async def found(self, grant: str) -> Kept[Grant]:
        kept = await self.state.grants.get(grant)
        assert kept is not None
        return kept

    async def token(self, headers: Json | None = None, **form: str | None) -> Json:
        """What the token endpoint answers; what is None is not sent."""
        return await token(self.server, ADDRESSES, headers or {}, sent(**form))

    async def redeem(self, code: str, **more: Any) -> Json:
        """As the public client `app` does it, unless `more` says otherwise."""
        form = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, "client_id": "app", **more}
        return await self.token(grant_type="authorization_code", **form)

    async def refresh(self, refresh_token: str, **more: Any) -> Json:
        form = {"client_id": "app", **more}
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    async def issued(self, grant: str | None = None, **more: Any) -> Json:
        """The answer to a code that was redeemed."""
        return await self.redeem(await self.code(grant), **more)

    def bearer(self, access_token: str) -> Caller:
        return self.house.bearer(f"Bearer {access_token}")

    async def status(self, access_token: str, url: str = "Observation/p1") -> int:
        """What a read with this token is answered with."""
        return (await self.bearer(access_token).get(url)).status

    async def refused(self, error: str, **form: Any) -> OAuthError:
        """The token endpoint refuses this, with this error, for every kind of client in the same shape."""
        with pytest.raises(OAuthError) as caught:
            await self.token(**form)
        assert (caught.value.error, caught.value.status) == (error, 401 if error == "invalid_client" else 400)
        return caught.value

    async def consent_status(self, client: str = "app") -> str:
        """Of the Consent by which Patient/p let the app in."""
        resident = await self.house.caller("Patient/p", "user/*.cruds")
        status: str = (await resident.get(f"Consent/lets-in-{client}")).json["status"]
        return status

    async def log(self) -> list[str]:
        """What the audit log says of what the authorization server did, the oldest first."""
        operator = await self.house.caller()
        events = (await operator.get("AuditEvent?subtype=operation&_sort=date&_count=1000")).resources
        return [event["outcomeDesc"] for event in events if "outcomeDesc" in event]


def sent(**form: str | None) -> Form:
    """A form as it arrives; what is None is not in it."""
    return Form(tuple((name, value) for name, value in form.items() if value is not None))


def basic(id: str = "app", secret: str = SECRET) -> Json:
    """The header of a client that shows its secret."""
    return {"authorization": "Basic " + base64.b64encode(f"{id}:{secret}".replace(" ", "+").encode()).decode()}


def lets_in(client: str, *types: str, id: str = "", patient: str = "p", **more: Any) -> Json:
    """The Consent of a patient who lets the app read what is of these types."""
    provision = {
        "type": "deny",
        "actor": [by(f"Device/app-{client}")],
        "purpose": [{"system": THO + "v3-ActReason", "code": "PATRQT"}],
        "provision": [{"type": "permit", "class": of_type(*types), "action": action("access")}],
    }
    performer = [{"reference": f"Patient/{patient}"}]
    return consent(id or f"lets-in-{client}", provision, patient, **{"performer": performer, **more})


@asynccontextmanager
async def smart_house(**settings: Any) -> AsyncIterator[SmartHouse]:
    async with opened(**settings) as house:
        await wijk(house)
        keys = SigningKeys(Path(_key_folder().name))
        yield SmartHouse(house, AuthorizationServer(house.gateway, State(house.store), house.gateway.settings, keys))
