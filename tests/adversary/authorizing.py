"""People who can log in and apps that they let in, over the two dossiers, and a browser for each in this process."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from jwcrypto.jwk import JWK
from msgspec.structs import replace

from fhir_server.cli.opening import authorization_server
from fhir_server.gateway.maintenance import Maintenance
from fhir_server.keys import key
from fhir_server.settings import Settings
from fhir_server.smart.accounts import Accounts
from fhir_server.smart.clients import Clients
from fhir_server.smart.passwords import Passwords
from fhir_server.smart.records import Client
from fhir_server.smart.second_factor import SecondFactor
from tests.adversary.dossiers import A, B
from tests.adversary.surface import Answer, Surface
from tests.clients.visitor import Element, parsed

ISSUER: Final = "http://127.0.0.1:8080"
HOST: Final = "127.0.0.1:8080"
REDIRECT: Final = "https://app.test/after"
LAUNCH: Final = "https://app.test/launch"
LOOPBACK: Final = "http://127.0.0.1:4000/after"
PASSWORD: Final = "een lang wachtwoord"
SCOPE: Final = "openid fhirUser launch launch/patient offline_access patient/*.cruds user/*.cruds"
# As whom each can log in. Who is careful has a second step, and is asked for a code of it.
PEOPLE: Final = {
    "resident": (f"Patient/{A}",),
    "several": (f"Patient/{B}", "Practitioner/doctor"),
    "doctor": ("PractitionerRole/doctor-here",),
    "operator": ("operator",),
    "careful": (f"Patient/{A}",),
}

KEY: Final = ec.generate_private_key(ec.SECP384R1())
_JWK: Final = JWK.from_pyca(KEY.public_key())


def jwks() -> str:
    return json.dumps({"keys": [{**_JWK.export_public(as_dict=True), "kid": "one", "alg": "ES384", "use": "sig"}]})


def signed(header: Mapping[str, Any], claims: Any) -> str:
    """A compact JWS with ES384, whatever its header and its claims say."""
    part = ".".join(_encoded(json.dumps(one).encode("utf-8", "surrogatepass")) for one in (header, claims))
    r, s = decode_dss_signature(KEY.sign(part.encode(), ec.ECDSA(SHA384())))
    return f"{part}.{_encoded(r.to_bytes(48, 'big') + s.to_bytes(48, 'big'))}"


def assertion(client: str = "backend", **claims: Any) -> str:
    """A good one, except for what `claims` changes."""
    told = {
        "iss": client,
        "sub": client,
        "aud": f"{ISSUER}/auth/token",
        "exp": int(time.time()) + 200,
        "jti": secrets.token_hex(8),
        **claims,
    }
    return signed({"alg": "ES384", "typ": "JWT", "kid": "one"}, told)


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


async def settle(settings: Settings, subject: str) -> dict[str, str]:
    """Register the people and the apps, before the server starts; the secrets of the clients that have one.

    `subject` is what the OpenID Provider calls the resident.
    """
    found: dict[str, str] = {}
    async with authorization_server(settings) as server:
        accounts = Accounts(server, Passwords())
        for username, people in PEOPLE.items():
            absent = Maintenance(server.gateway, "test").absent
            await accounts.add(username, people, "test", absent, password=PASSWORD)
        resident, careful = await accounts.get("resident"), await accounts.get("careful")
        assert resident is not None
        assert careful is not None
        totp = SecondFactor(key(settings.data, "second-factor")).new(careful.value.id)
        await accounts.change(careful, replace(careful.value, totp=totp), "test", "second step switched on")
        await accounts.link(resident, settings.oidc_issuer, subject, "test")
        clients = Clients(server)
        common: dict[str, Any] = {"scope": SCOPE, "redirect_uris": (REDIRECT, LOOPBACK)}
        several = (
            Client(id="public", name="Public app", kind="public", launch_uri=LAUNCH, explanation="Why not", **common),
            Client(id="secret", name="App with a secret", kind="symmetric", introspects=True, **common),
            Client(id="signing", name="App with a key", kind="asymmetric", jwks=jwks(), **common),
            Client(id="backend", name="Backend", kind="asymmetric", jwks=jwks(), grants=("client_credentials",),
                   user="Organization/shop", scope="system/*.rs"),
        )  # fmt: skip
        for client in several:
            found[client.id] = (await clients.add(client, "test")).secret
    return {id: secret for id, secret in found.items() if secret}


Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Form:
    """A request as a page or an app would make it: `pairs` are its parameters, in the query of a GET."""

    method: str
    path: str
    pairs: Pairs
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Browser:
    """A browser without scripts that keeps its cookies. `peer` is where it is: the limits go by that."""

    surface: Surface
    peer: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, form: Form) -> Answer:
        headers = [("host", HOST), *form.headers]
        if self.cookies:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        target, body = form.path, b""
        if form.method == "POST":
            body = urlencode(form.pairs).encode()
            headers.append(("content-type", "application/x-www-form-urlencoded"))
        elif form.pairs:
            target = f"{form.path}?{urlencode(form.pairs)}"
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        answer = await self.surface.raw(form.method, target.encode(), raw, body, peer=self.peer)
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def get(self, path: str) -> Answer:
        return await self.send(Form("GET", *_taken_apart(path)))

    async def log_in(self, username: str) -> None:
        """As the first of the people of the account."""
        (form,) = [one for one in forms("/portal/login", await self.get("/portal/login")) if has(one, "username")]
        answer = await self.send(filled(form, username=username, password=PASSWORD))
        assert answer.status == 303, answer.status
        if len(PEOPLE[username]) > 1:
            chosen = [one for one in forms("/portal/person", await self.get("/portal/person")) if has(one, "person")]
            assert (await self.send(chosen[0])).status == 303

    async def asked(self, app: "App", **more: str) -> str:
        """The path of the authorization screen on which the person is asked to let the app in."""
        answer = await self.send(Form("GET", "/auth/authorize", filled_in(app.request(), more)))
        assert answer.status == 303, answer.body
        return urlsplit(answer.headers["location"]).path

    async def code(self, app: "App") -> str:
        """A code, of a person who clicked Allow."""
        place = await self.asked(app)
        answer = await self.get(place)
        allow = [one for one in forms(place, answer) if ("answer", "allow") in one.pairs]
        assert allow, answer.body
        answer = await self.send(filled(allow[0], duration="always"))
        assert answer.headers["location"].startswith(REDIRECT), answer.headers
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]


@dataclass(frozen=True, slots=True)
class App:
    """A registered app, and what it proves itself with."""

    id: str
    secret: str = ""
    verifier: str = "v" * 43

    def request(self) -> Pairs:
        """The parameters of /auth/authorize."""
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return [("response_type", "code"), ("client_id", self.id), ("redirect_uri", REDIRECT), ("scope", SCOPE),
                ("state", "state-of-the-app"), ("aud", f"{ISSUER}/fhir"), ("code_challenge", challenge),
                ("code_challenge_method", "S256"), ("nonce", "n")]  # fmt: skip

    def redemption(self, code: str) -> Pairs:
        return [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT),
                ("code_verifier", self.verifier), *self.proof()]  # fmt: skip

    def proof(self) -> Pairs:
        """What the token endpoint believes it by."""
        if self.secret:
            return [("client_id", self.id), ("client_secret", self.secret)]
        if self.id in ("signing", "backend"):
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            return [("client_assertion_type", kind), ("client_assertion", assertion(self.id))]
        return [("client_id", self.id)]


def filled_in(pairs: Pairs, values: Mapping[str, str]) -> Pairs:
    return [*[(name, values.get(name, value)) for name, value in pairs],
            *[(name, value) for name, value in values.items() if name not in dict(pairs)]]  # fmt: skip


def filled(form: Form, **values: str) -> Form:
    return Form(form.method, form.path, filled_in(form.pairs, values), form.headers)


def has(form: Form, name: str) -> bool:
    return any(one == name for one, _ in form.pairs)


def forms(path: str, answer: Answer) -> list[Form]:
    """What the page at `path` can send, a form for each of its buttons."""
    found: list[Form] = []
    for element in parsed(answer.body.decode()).all("form"):
        method = element.attributes.get("method", "get").upper()
        action, query = _taken_apart(urljoin(path, element.attributes.get("action") or path))
        fields = [
            (one.attributes["name"], one.attributes.get("value", "")) for one in element.all("input") if _counts(one)
        ]
        for button in element.all("button"):
            named = button.attributes.get("name")
            pressed = [(named, button.attributes.get("value", ""))] if named else []
            target = f"{action}?{urlencode(query)}" if query and method == "POST" else action
            found.append(Form(method, target, [*fields, *pressed]))
    return found


def links(path: str, answer: Answer) -> list[str]:
    """The addresses of our own that the page at `path` leads to."""
    targets = [urljoin(path, one.attributes.get("href", "")) for one in parsed(answer.body.decode()).all("a")]
    return [target.partition("#")[0] for target in targets if target.startswith("/")]


def _counts(element: Element) -> bool:
    told = element.attributes
    return "name" in told and (told.get("type") not in ("checkbox", "radio") or "checked" in told)


def _taken_apart(address: str) -> tuple[str, Pairs]:
    parts = urlsplit(address)
    return parts.path, parse_qsl(parts.query, keep_blank_values=True)
